"""Writes a clip as a file, block by block."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ...flow.audio import BLOCK, Clip, ClipError
from ...flow.samples import Samples, to_int16
from .refusals import disk_error
from .soundfiles import writing

ENCODERS = ("wav", "flac", "ogg", "mp3")

_MP3_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
_WAV_BYTES = 4_000_000_000  # what a 32-bit size field can say, less room for headers
_WAYS_OUT = "choose format='wav', which holds every clip, or resample first"


def encode(clip: Clip, path: Path, format: str) -> None:
    """Write the clip to `path` as wav, flac, ogg (Vorbis) or mp3, at the clip's rate and channels.

    wav and flac keep 16, 24 and 32 bit material as deep as it is; flac stores float at 24 bit.
    Nothing is resampled or mixed down. On an error no file is left. Raises ClipError.
    """
    check_format(format)
    _check_fit(clip, format)
    blocks = clip.blocks(BLOCK)  # OGG: one huge write crashes the process (libsndfile #1095)
    try:
        first = next(blocks)
        kind, subtype = _kind(clip, format, first)
        with writing(path, clip.rate, clip.channels, kind, subtype) as file:
            file.write(_prepared(first, subtype))
            for block in blocks:
                file.write(_prepared(block, subtype))
    except OSError as error:
        path.unlink(missing_ok=True)
        raise disk_error(error, clip.name) from error
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def check_format(format: str) -> None:
    """Raise ClipError unless there is an encoder for the format."""
    if format not in ENCODERS:
        raise ClipError(f"cannot write format {format!r}; choose one of {', '.join(ENCODERS)}")


def _check_fit(clip: Clip, format: str) -> None:
    what = f"{clip.name!r} has {clip.channels} channels at {clip.rate} Hz"
    if format == "mp3" and clip.channels > 2:
        raise ClipError(f"{what}, but mp3 holds at most 2 channels; {_WAYS_OUT}")
    if format == "mp3" and clip.rate not in _MP3_RATES:
        rates = ", ".join(str(rate) for rate in _MP3_RATES)
        raise ClipError(f"{what}, but mp3 knows only the rates {rates} Hz; {_WAYS_OUT}")
    if format == "flac" and clip.channels > 8:
        raise ClipError(f"{what}, but flac holds at most 8 channels; {_WAYS_OUT}")
    if format in ("flac", "ogg") and clip.rate > (655_350 if format == "flac" else 200_000):
        raise ClipError(f"{what}, which is too fast for {format}; {_WAYS_OUT}")


def _kind(clip: Clip, format: str, sample: Samples) -> tuple[str, str]:
    """libsndfile's names for the container and for what is in it."""
    if format == "mp3":
        return "MP3", "MPEG_LAYER_III"
    if format == "ogg":
        return "OGG", "VORBIS"
    deep = sample.dtype != np.int16
    if format == "flac":
        return "FLAC", "PCM_24" if deep else "PCM_16"
    size = clip.frames * clip.channels * sample.dtype.itemsize
    container = "WAV" if size < _WAV_BYTES else "RF64"
    if sample.dtype.kind == "f":
        return container, "FLOAT"
    return container, "PCM_32" if deep else "PCM_16"


def _prepared(block: Samples, subtype: str) -> Samples:
    """What libsndfile may be given: float within -1..1 for the lossy encoders, else as it is.

    Its mp3 encoder turns int16 stereo into noise (1.2.2), and overflows on louder float. The
    integer formats saturate by themselves.
    """
    if subtype in ("VORBIS", "MPEG_LAYER_III"):
        return to_int16(block).astype(np.float32) / np.float32(32768)
    return block
