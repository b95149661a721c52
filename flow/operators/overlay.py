"""A clip under the sound: backing tracks, beds, jingles."""

from __future__ import annotations

from collections.abc import Generator

import numpy as np

from ..audio import Clip
from ..blocks import Samples
from ..clip_pieces import pieces_of
from ..errors import DeclarationError
from ..graph import Node
from ..units import Frames
from .decibels import factor_of
from .lanes import spread
from .operator import BlockOperator, Form, Kernel, check, sound
from .param import Glide, Number
from .resample import Resampler

PIECE = 8192
"""Frames read at a time."""


class _Track:
    """A clip that is read on and on, at the rate of the stream."""

    def __init__(self, clip: Clip, loops: int | None, form: Form) -> None:
        start = round(form.index * clip.rate / form.rate)
        self._pieces = _from(clip, start, loops)
        self._resampler: Resampler | None = None
        if clip.rate != form.rate:
            self._resampler = Resampler("overlay", clip.rate, form.rate, clip.channels)
        self._rest = np.zeros((0, clip.channels), np.float32)

    def take(self, frames: Frames) -> Samples:
        """The next frames; silence behind the end."""
        parts, have = [self._rest], len(self._rest)
        while have < frames:
            part = next(self._pieces, None)
            if part is None:
                part = np.zeros((max(PIECE, frames), self._rest.shape[1]), np.float32)
            if self._resampler is not None:
                part = self._resampler.push(part)
            parts.append(part)
            have += len(part)
        whole = np.concatenate(parts) if len(parts) > 1 else self._rest
        self._rest = whole[frames:]
        return whole[:frames]


def _from(clip: Clip, start: Frames, loops: int | None) -> Generator[Samples]:
    if loops is not None and start >= clip.frames * loops:
        return
    gone, start = divmod(start, clip.frames)
    yield from pieces_of(clip, start, PIECE, None if loops is None else loops - gone)


class _Overlay(Kernel):
    def __init__(self, clip: Clip | Node, decibels: Number, loops: int | None, form: Form) -> None:
        found = form.values(clip) if isinstance(clip, Node) else clip
        if found is not None and not isinstance(found, Clip):
            name = clip.where if isinstance(clip, Node) else "overlay"
            raise DeclarationError(f"{name}: {found!r} is no sound to play under another.")
        self._track = None if found is None else _Track(found, loops, form)
        self._channels = max(form.channels, 1 if found is None else found.channels)
        self._factor = Glide(decibels, form, factor_of)

    def process(self, samples: Samples) -> Samples:
        voice = spread(samples, self._channels, "overlay")
        if self._track is None or not len(samples):
            return voice
        under = spread(self._track.take(len(samples)), self._channels, "overlay")
        factor = self._factor.step(len(samples))
        share = factor[:, None] if isinstance(factor, np.ndarray) else factor
        return (voice + under * share).astype(np.float32)


def overlay(clip: Clip | Node, decibels: Number = 0.0, loops: int | None = 1) -> BlockOperator:
    """Play a clip under the sound, `decibels` louder or softer: it begins where a take begins.

    Frame n of the clip meets index n, whatever was lost on the way, so it needs no clock of its
    own. clip: a `Clip`, or an Audio component: then each session has its own, as it stands when the
    take begins; without one nothing is added. Another rate is resampled (extra `codecs`); mono
    spreads over the channels of the other. loops: how often it plays; None never ends. Nothing is
    cut at full scale: put `limiter` behind it. Latency 0.
    Raises BlockError where a stereo clip meets another number of channels than one or two.
    """
    check(loops is None or loops >= 1, "a clip is played once or more; loops=None never ends")
    return sound(
        "overlay", lambda form: _Overlay(clip, decibels, loops, form), follows=[clip, decibels]
    )
