"""Numbers that change while sound runs, and the glide that keeps changes from clicking."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from ..durations import Time, seconds_of
from ..errors import DeclarationError
from ..graph import Node
from ..units import Frames
from .operator import Form


class Param:
    """A number that may be set while sound runs; operators glide to it in a straight line.

    `set` counts from the next block on. `changes` says in advance which value is aimed at from
    which index of the stream: then every run gives the same samples, however it is cut in blocks.
    """

    __slots__ = ("value", "version", "glide", "changes")

    def __init__(
        self,
        value: float,
        glide: Time = "20 ms",
        changes: Sequence[tuple[Frames, float]] = (),
    ) -> None:
        self.value = float(value)
        self.version = 0
        self.glide = seconds_of(glide)
        self.changes = sorted(changes)

    def set(self, value: float) -> None:
        """Aim at `value` from the next block on."""
        self.value = float(value)
        self.version += 1


Number = float | Param | Node
"""What operators take where a value may move: a number, a `Param`, or a component such as a slider,
whose value in each session is followed, with a glide of 20 ms."""


def _same(value: float) -> float:
    return value


class Glide:
    """A parameter over one stretch of sound: give it the frames, it gives their values.

    `convert` turns what the user sets into what is glided (decibels into a factor, so that
    silence can be reached). `stairs`: values move in steps of so many frames.
    """

    __slots__ = (
        "_param", "_convert", "_stairs", "_version", "_changes", "_next",
        "_index", "_start", "_target", "_since", "_until",
        "_length", "_read",
    )  # fmt: skip

    def __init__(
        self,
        number: Number,
        form: Form,
        convert: Callable[[float], float] = _same,
        stairs: int = 1,
    ) -> None:
        self._read: Callable[[], float | None] | None = None
        if isinstance(number, Node):
            self._read = _reader(number, form)
            value = self._read()
            if value is None:
                raise DeclarationError(f"{number.where}: has no value that sound could follow.")
            param = Param(value)
        else:
            param = number if isinstance(number, Param) else Param(number)
        self._param = param
        self._convert = convert
        self._stairs = stairs
        self._version = param.version
        self._changes = param.changes
        self._next = bisect_right(param.changes, form.index, key=lambda change: change[0])
        begun = param.value if not self._next else param.changes[self._next - 1][1]
        self._index = self._since = self._until = form.index
        self._start = self._target = convert(begun)
        self._length = max(1, round(param.glide * form.rate))

    def step(self, frames: Frames) -> float | NDArray[np.float64]:
        """The values of the next frames: one number while nothing moves, else (frames,)."""
        index = self._index
        stop = self._index = index + frames
        if self._read is not None:
            value = self._read()
            if value is not None and value != self._param.value:
                self._param.set(value)
        if self._param.version != self._version:
            self._version = self._param.version
            self._aim(index, self._param.value)
        still = index >= self._until
        if still and (self._next == len(self._changes) or self._changes[self._next][0] >= stop):
            return self._target
        return self._moving(index, stop)

    def _moving(self, index: Frames, stop: Frames) -> NDArray[np.float64]:
        out = np.empty(stop - index)
        at = index
        while at < stop:
            end = stop
            if self._next < len(self._changes):
                when, value = self._changes[self._next]
                if when <= at:
                    self._next += 1
                    self._aim(at, value)
                    continue
                end = min(end, when)
            if at < self._until:
                end = min(end, self._until)
                passed = np.arange(at - self._since + 1, end - self._since + 1)
                if self._stairs > 1:
                    passed = passed // self._stairs * self._stairs
                way = self._target - self._start
                out[at - index : end - index] = self._start + way * (passed / self._length)
            else:
                out[at - index : end - index] = self._target
            at = end
        return out

    def _aim(self, at: Frames, value: float) -> None:
        done = min(1.0, (at - self._since) / self._length) if at < self._until else 1.0
        self._start += (self._target - self._start) * done
        self._target = self._convert(value)
        self._since, self._until = at, at + self._length


ONE = np.array(1.0, np.float32)
"""What `Scale` gives where nothing need be multiplied: known by being itself."""


class Scale:
    """A number, or a glide, that float32 is multiplied with."""

    __slots__ = ("_glide", "_still", "_by")

    def __init__(
        self, number: Number, form: Form, convert: Callable[[float], float] = _same
    ) -> None:
        self._glide: Glide | None = None
        self._still, self._by = 1.0, ONE
        if isinstance(number, int | float):
            self._stands(convert(number))
        else:
            self._glide = Glide(number, form, convert)

    def step(self, frames: Frames) -> NDArray[np.float32]:
        """The values of the next frames: (frames, 1), or one while nothing moves, `ONE` for 1.0.

        That one is an array, too: as a number it would cost five times as much.
        """
        if self._glide is None:
            return self._by
        value = self._glide.step(frames)
        if isinstance(value, np.ndarray):
            return value.astype(np.float32)[:, None]
        if value != self._still:
            self._stands(value)
        return self._by

    def _stands(self, value: float) -> None:
        self._still = value
        self._by = ONE if value == 1.0 else np.array(value, np.float32)


def _reader(node: Node, form: Form) -> Callable[[], float | None]:
    """How to read a component's number; None while it has none (a field that is being emptied)."""

    def read() -> float | None:
        value = form.values(node)
        if value is not None and not isinstance(value, int | float):
            raise DeclarationError(
                f"{node.where}: its value {value!r} is no number; sound can follow a Slider or a"
                " Number."
            )
        return None if value is None else float(value)

    return read
