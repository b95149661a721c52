"""Bytes of one mp3 file, cut anywhere, streamed as one sound without a seam."""

from __future__ import annotations

import io
from collections.abc import Iterator

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

import ossicle as oc
from ossicle.flow.audio import Clip
from ossicle.testing import Lab

RATE = 44_100


def tone() -> NDArray[np.float32]:
    time = np.arange(3 * RATE) / RATE
    return (0.3 * np.sin(2 * np.pi * 220 * time)).astype(np.float32)


def mp3() -> bytes:
    file = io.BytesIO()
    soundfile.write(file, tone(), RATE, format="MP3")
    return file.getvalue()


def streamed(pieces: list[bytes]) -> Lab:
    def speak() -> Iterator[bytes]:
        yield from pieces

    with oc.Blocks() as demo:
        out = oc.Audio(label="Out", streaming=True, interactive=False)
        demo.load(speak, None, out)
    lab = Lab(demo, show_error=True)
    lab.run(10)
    return lab


@pytest.mark.parametrize("size", [1500, 5000, 20_000])
def test_an_mp3_in_pieces_is_one_sound(size: int) -> None:
    """Steps are never steeper than the tone's own: no seam; the length is the file's."""
    data = mp3()
    with streamed([data[at : at + size] for at in range(0, len(data), size)]) as lab:
        assert lab.toasts == []
        value = lab.stored(lab.find("Out"))
        assert isinstance(value, Clip)
        heard = value.int16().astype(float) / 32768  # its file goes with the session
    assert 0 <= len(heard) - 3 * RATE < 0.1 * RATE, "what the encoder puts around it is left"
    steepest = 0.3 * 2 * np.pi * 220 / RATE
    assert float(np.abs(np.diff(heard[4000 : 3 * RATE - 2000])).max()) < 1.2 * steepest


def test_whole_files_in_a_row_are_taken_as_such() -> None:
    """Each chunk a file of its own: each at its own length, as before."""
    with streamed([mp3(), mp3()]) as lab:
        value = lab.stored(lab.find("Out"))
    assert isinstance(value, Clip)
    assert value.frames == 6 * RATE


def test_bytes_that_are_no_sound_are_refused() -> None:
    with streamed([b"this is no sound at all"]) as lab:
        (toast,) = lab.toasts
    assert "speak(): output Audio 'Out'" in str(toast.message)
