"""One call of a function outside of any session: what cached examples are made of.

The same `Call` as in a run, so inputs are prepared, parameters filled and results checked as they
are for people; only the front end is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, cast

from .calls import Call, Member, Write
from .errors import ResultError
from .graph import Node
from .listeners import Listener, name_of
from .model import Cause, Event, Fault, Request
from .results import FLUSH, SKIP, UNSET
from .signature import signature


class Rehearsal:
    """Call `fn` on stored values and keep what it gives, in stored form.

    `call()` gives what the function returns, a generator or coroutine as it is; hand each result to
    `take`; `result()` has one value per output, SKIP for one that was never written.
    """

    def __init__(
        self,
        fn: Callable[..., Any],
        target: Node,
        inputs: Sequence[Node],
        outputs: Sequence[Node],
        values: Sequence[object],
        media: Any,
        batch: bool = False,
    ) -> None:
        listener = Listener(
            id=-1,
            name=name_of(fn),
            fn=fn,
            inputs=tuple(node.id for node in inputs),
            outputs=tuple(node.id for node in outputs),
            batch=int(batch),
            signature=signature(fn),
        )
        event = Event(0, "", target.id, "select", Cause.PROGRAM, 0.0)
        request = Request(0, "", listener, event, tuple(values))
        member = Member(request, tuple(values), tuple(inputs), tuple(outputs), target, media)
        self._fn = fn
        self._outputs = outputs
        self._call = Call(listener, (member,))
        self._values = dict[int, object]()
        self._pieces = dict[int, list[object]]()

    def call(self) -> object:
        """Prepare the inputs and call. Raises what either raises."""
        for fault in self._call.prepare() or ():
            if isinstance(fault, Fault):
                raise fault.error
        return self._fn(*self._call.args, **self._call.kwargs)

    def take(self, returned: object, more: bool = False) -> None:
        """One result; `more`: a generator's. Raises ResultError for what cannot be kept."""
        (step,) = self._call.step(returned, more)
        if isinstance(step, Fault):
            raise step.error
        for write in cast("tuple[Write, ...]", step):
            if write.props is not None:
                raise ResultError(
                    f"{name_of(self._fn)}() returned properties of a component; only values can"
                    " be cached."
                )
            if write.piece is UNSET:
                self._values[write.node] = write.value
            elif write.piece is FLUSH:
                self._pieces.pop(write.node, None)
            elif write.piece is not None:
                self._pieces.setdefault(write.node, []).append(write.piece)

    def result(self) -> tuple[object, ...]:
        """What each output ends with; what was streamed is one value."""
        for node in self._outputs:
            if pieces := self._pieces.get(node.id):
                self._values[node.id] = node.joined(pieces)
        return tuple(self._values.get(node.id, SKIP) for node in self._outputs)
