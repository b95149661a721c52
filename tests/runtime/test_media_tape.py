"""Sound that grows while it is made: in memory at first, then on disk, bounded, bit for bit."""

from __future__ import annotations

import errno
import gc
import threading
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ossicle.flow.audio import Clip, Spill
from ossicle.flow.bounds import ClipError
from ossicle.flow.samples import Int16
from ossicle.flow.tape import PART, Tape
from ossicle.runtime.media.limits import Limits
from ossicle.runtime.media.session import Session
from ossicle.runtime.media.store import Store
from ossicle.runtime.media.tape import TapeClip, TapeFile

from .disks import StandingDisk

RATE = 8000
WHOLE = 0.5
"""The phase of a tape whose first part is as long as all others."""


def noise(frames: int, channels: int = 1) -> np.ndarray:
    found = np.random.default_rng(frames).integers(-32768, 32768, (frames, channels))
    return found.astype(np.int16)


def falls(store: Store, used: int) -> None:
    """What nobody holds is gone, as soon as the writing thread has let go of it, too."""
    gc.collect()
    end = time.monotonic() + 30
    while store.used > used and time.monotonic() < end:
        time.sleep(0.001)
    assert store.used == used


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.integers(0, 3 * round(PART * RATE)), max_size=12),
    st.sampled_from([1, 2]),
    st.booleans(),
)
def test_a_tape_gives_what_was_put_on_it(sizes: list[int], channels: int, on_disk: bool) -> None:
    """Pieces of any size, in memory or on disk, are one sound with the id that it always has."""
    store = Store()
    session = store.session("one")
    tape = Tape(
        RATE, channels, (lambda: session.spill(RATE, channels)) if on_disk else None, phase=WHOLE
    )
    parts = [noise(size, channels) for size in [*sizes, 10]]
    for part in parts:
        tape.append(part)
    clip = tape.clip("take")
    whole = np.concatenate(parts)
    expected = Clip.of(RATE, whole if channels > 1 else whole[:, 0])
    np.testing.assert_array_equal(clip.samples(), expected.samples())
    np.testing.assert_array_equal(clip.read(5, 9), expected.read(5, 9))
    assert (clip.id, clip.peak, clip.frames) == (expected.id, expected.peak, expected.frames)
    assert isinstance(clip, TapeClip) == (on_disk and len(whole) >= PART * RATE)
    del clip
    store.close()


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(1, 3 * round(PART * RATE)), min_size=1, max_size=6), st.booleans())
def test_a_tape_can_be_read_while_it_grows(sizes: list[int], on_disk: bool) -> None:
    """Any stretch, whether it is in memory, waits for the disk, or is in the file by now."""
    store = Store()
    session = store.session("one")
    tape = Tape(RATE, 1, (lambda: session.spill(RATE, 1)) if on_disk else None, phase=WHOLE)
    whole = noise(sum(sizes))
    choose = np.random.default_rng(len(sizes))
    at = 0
    for size in sizes:
        tape.append(whole[at : at + size])
        at += size
        for _ in range(3):
            start, end = sorted(choose.integers(0, at + 1, 2).tolist())
            np.testing.assert_array_equal(tape.read(start, end), whole[start:end])
        np.testing.assert_array_equal(tape.read(0, at + 99), whole[:at])
    tape.clip("take")
    np.testing.assert_array_equal(tape.read(3, at), whole[3:at])
    store.close()


def test_no_tape_waits_for_a_disk_that_stands_still(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put on, read and made a value of meanwhile, bit for bit; the same when it was written."""
    disk, store = StandingDisk(monkeypatch), Store()
    session = store.session("one")
    tape = Tape(RATE, 1, lambda: session.spill(RATE, 1, patient=True), phase=WHOLE)
    whole = noise(RATE * 60)
    tape.append(whole)
    np.testing.assert_array_equal(tape.read(5, RATE * 59), whole[5 : RATE * 59])
    clip, wanted = tape.clip("take"), Clip.of(RATE, whole[:, 0])
    assert (clip.id, clip.peak, clip.frames) == (wanted.id, wanted.peak, wanted.frames)
    np.testing.assert_array_equal(clip.samples(), whole[:, 0])
    assert session.describe(clip)["frames"] == len(whole)
    disk.moves.set()
    session.keep_up()
    store.close()  # whoever was there has written all
    assert store.used == 0


def test_what_functions_make_waits_for_a_slow_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of one session, eight megabytes ahead; another one does not wait, nor is live sound cut."""
    disk, store = StandingDisk(monkeypatch), Store()
    busy, other = store.session("busy"), store.session("other")
    made, went_on = (
        Tape(RATE, 1, lambda: busy.spill(RATE, 1, patient=True), phase=WHOLE),
        threading.Event(),
    )
    made.append(noise(4_100_000))
    waiting = threading.Thread(target=lambda: (busy.keep_up(), went_on.set()))
    waiting.start()
    other.keep_up()
    take = Tape(RATE, 1, lambda: other.spill(RATE, 1), phase=WHOLE)
    take.append(noise(RATE * 60))
    assert (take.untaken, take.frames) == (0, RATE * 60)
    assert not went_on.is_set()
    disk.moves.set()
    assert went_on.wait(30)
    waiting.join()
    store.close()


@pytest.mark.parametrize("lost", [False, True])
def test_live_sound_ends_where_too_much_waits(monkeypatch: pytest.MonkeyPatch, lost: bool) -> None:
    """It has no time; what was taken is whole."""
    whole, part = noise(RATE * 20), round(PART * RATE)
    if lost:
        whole[100:] = 0
    monkeypatch.setattr("ossicle.runtime.media.tape.WAITING", 3 * whole[:part].nbytes)
    disk, store = StandingDisk(monkeypatch), Store()
    session = store.session("one")
    tape = Tape(RATE, 1, lambda: session.spill(RATE, 1), phase=WHOLE)
    tape.append(whole[:100])
    if lost:
        tape.silence(len(whole) - 100)
    else:
        tape.append(whole[100:])
    assert (tape.frames, tape.untaken) == (3 * part, len(whole) - 3 * part)
    np.testing.assert_array_equal(tape.clip("take").samples(), whole[: 3 * part, 0])
    disk.moves.set()
    store.close()


class Counted:
    """A spill whose parts are counted."""

    def __init__(self, spill: Spill) -> None:
        self.parts = list[int]()
        self._spill = spill

    def write(self, samples: Int16) -> bool:
        self.parts.append(len(samples))
        return self._spill.write(samples)

    def read(self, start: int, end: int) -> Int16:
        return self._spill.read(start, end)

    def clip(self, rest: Int16, name: str) -> Clip:
        return self._spill.clip(rest, name)


def test_tapes_that_begin_together_are_not_put_away_together() -> None:
    """Each at a time of its own, spread over one part's length; what is read is what was put in."""
    store = Store()
    session = store.session("one")
    sounds, parts = noise(round(2 * PART * RATE)), list[int]()
    for _ in range(8):
        spill = Counted(session.spill(RATE, 1))
        tape = Tape(RATE, 1, lambda spill=spill: spill)
        for at in range(0, len(sounds), 160):
            tape.append(sounds[at : at + 160])
        np.testing.assert_array_equal(tape.read(0, len(sounds)), sounds)
        parts.append(spill.parts[0])
    assert np.diff(sorted(parts)).min() > PART * RATE / 20
    assert round(PART * RATE / 2) <= min(parts) < max(parts) <= round(PART * RATE * 3 / 2)
    store.close()


def test_a_take_on_disk_is_counted_and_gone_with_its_clip() -> None:
    store = Store()
    session = store.session("one")
    tape = Tape(RATE, 1, lambda: session.spill(RATE, 1), phase=WHOLE)
    tape.append(noise(RATE * 5))
    clip = tape.clip("take")
    assert store.used == RATE * 5 * 2
    described = session.describe(clip)
    assert described["frames"] == RATE * 5
    del tape, clip
    falls(store, 0)
    store.close()


def test_without_room_a_tape_ends_without_a_hole() -> None:
    """Policy keep first: what has no room is counted, and nothing after it is kept either."""
    store = Store(Limits(quota=round(PART * RATE) * 2 * 2))
    session = store.session("one")
    tape = Tape(RATE, 1, lambda: session.spill(RATE, 1), phase=WHOLE)
    whole = noise(RATE * 9)
    for at in range(0, len(whole), 100):
        tape.append(whole[at : at + 100])
    kept = 2 * round(PART * RATE)
    assert (tape.frames, tape.untaken) == (kept, len(whole) - kept)
    np.testing.assert_array_equal(tape.clip("take").samples(), whole[:kept, 0])
    store.close()


def test_one_session_cannot_take_the_room_of_the_others() -> None:
    """Its takes have a bound of their own; what it gives back it may use again."""
    part = round(PART * RATE)
    store = Store(Limits(quota=100 * part, session=2 * part * 2))
    greedy, modest = store.session("greedy"), store.session("modest")

    def recorded(session: Session, seconds: float) -> Tape:
        tape = Tape(RATE, 1, lambda: session.spill(RATE, 1), phase=WHOLE)
        tape.append(noise(round(seconds * RATE)))
        return tape

    first, second = recorded(greedy, 3 * PART), recorded(greedy, PART)
    assert (first.frames, first.untaken) == (2 * part, part)
    assert (second.frames, second.untaken) == (0, part)
    other = recorded(modest, 2 * PART)
    assert other.untaken == 0
    clip = first.clip("take")
    del first, clip
    falls(store, 2 * 2 * part)
    again = recorded(greedy, 2 * PART)
    assert again.untaken == 0
    assert again.clip("take").frames == 2 * part
    assert other.clip("take").frames == 2 * part
    store.close()


def test_a_disk_that_refuses_is_told_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What was taken before that was seen is there; nothing more is; no other take notices."""
    put = TapeFile._put  # pyright: ignore[reportPrivateUsage]  the one place that meets the disk
    full = list[TapeFile]()

    def refuse(file: TapeFile, samples: np.ndarray) -> None:
        if file in full and file._frames:  # pyright: ignore[reportPrivateUsage]
            raise OSError(errno.ENOSPC, "No space left on device")
        put(file, samples)

    monkeypatch.setattr(TapeFile, "_put", refuse)
    store, part = Store(), round(PART * RATE)
    session = store.session("one")
    other = Tape(RATE, 1, lambda: session.spill(RATE, 1), phase=WHOLE)
    spilled = session.spill(RATE, 1, patient=True)
    full.append(spilled)
    gone, sound = Tape(RATE, 1, lambda: spilled, phase=WHOLE), noise(part)
    while not gone.untaken:
        session.keep_up()
        gone.append(sound)
    other.append(sound)
    assert gone.frames >= 2 * part
    for kept in np.split(gone.clip("take").samples(), gone.frames // part):
        np.testing.assert_array_equal(kept, sound[:, 0])
    said = [each.getMessage() for each in caplog.records]
    assert said == [
        "the disk is full; 'a recording' was not stored; what follows of it is not kept"
    ]
    assert other.untaken == 0 and other.clip("take").frames == other.frames
    store.close()


def test_a_loss_of_an_hour_is_bounded() -> None:
    """What a client says was lost is silence, and no more of it than a take may have."""
    tape = Tape(RATE, 1, most=10.0)
    tape.append(noise(100))
    tape.silence(10**9)
    assert (tape.frames, tape.untaken) == (10 * RATE, 10**9 - 10 * RATE + 100)
    assert not tape.clip("take").samples()[100:].any()


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, 900)), max_size=12),
    st.floats(0, 1),
    st.booleans(),
    st.integers(1, 6000),
)
def test_what_was_lost_is_zeros(
    script: list[tuple[bool, int]], phase: float, on_disk: bool, most: int
) -> None:
    """However long, and wherever it falls: the tape is as if they had been put on it."""
    store, rate = Store(), 100
    session = store.session("one")
    made = [
        Tape(rate, 2, (lambda: session.spill(rate, 2)) if on_disk else None, most / rate, phase)
        for _ in "12"
    ]
    for lost, frames in [*script, (False, 1)]:
        for tape, way in zip(made, (tape_of_silence, tape_of_zeros), strict=True):
            if lost:
                way(tape, frames)
            else:
                tape.append(noise(frames, 2))
    tape, other = made
    assert (tape.frames, tape.untaken) == (other.frames, other.untaken)
    np.testing.assert_array_equal(tape.read(0, tape.frames), other.read(0, other.frames))
    assert tape.clip("take").id == other.clip("take").id
    store.close()


def tape_of_silence(tape: Tape, frames: int) -> None:
    tape.silence(frames)


def tape_of_zeros(tape: Tape, frames: int) -> None:
    tape.append(np.zeros((frames, tape.channels), np.int16))


def test_a_minute_that_was_lost_takes_the_memory_of_a_part(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of its whole parts are one array: whoever says that much was lost has sent nothing."""
    parts, write = list[Int16](), TapeFile.write

    def noted(file: TapeFile, samples: Int16) -> bool:
        parts.append(samples)
        return write(file, samples)

    monkeypatch.setattr(TapeFile, "write", noted)
    store = Store()
    session = store.session("one")
    tape = Tape(RATE, 1, lambda: session.spill(RATE, 1), phase=WHOLE)
    tape.append(noise(100))
    tape.silence(60 * RATE)
    assert tape.frames == 60 * RATE + 100
    assert len({id(part) for part in parts}) == 2
    assert sum(map(len, parts)) == round(60 / PART) * round(PART * RATE)
    store.close()


@dataclass(frozen=True)
class Collecting(Limits):
    """Collects garbage wherever they are looked at, as the interpreter may."""

    def __getattribute__(self, name: str) -> Any:
        if name == "quota":
            gc.collect()
        return super().__getattribute__(name)


def test_a_take_that_is_garbage_in_a_circle_holds_up_nobody() -> None:
    """Garbage is collected in the middle of anything, of counting bytes under a lock, too."""
    store = Store(Collecting())
    lost: list[object] = [store.session("a").spill(RATE, 1)]
    lost.append(lost)
    gc.disable()
    try:
        del lost
        others = threading.Thread(
            target=lambda: store.session("a").spill(RATE, 1).write(noise(50)), daemon=True
        )
        others.start()
        others.join(10)
        assert not others.is_alive()
    finally:
        gc.enable()
    store.close()


def test_a_take_that_outlives_the_app_ends_in_words() -> None:
    """A function still running when the app has ended begins no thread, and waits for none."""
    store = Store()
    live, patient = (store.session("a").spill(RATE, 1, patient=each) for each in (False, True))
    before = threading.enumerate()
    store.close()
    assert (live.write(noise(9)), patient.write(noise(9))) == (False, False)
    assert set(threading.enumerate()) <= set(before)
    with pytest.raises(ClipError):
        patient.clip(noise(9), "take")
