"""What sound costs beside the library called directly: `python -m benchmarks.media`.

decode: the array that a function gets of a stored sound, beside soundfile (PyAV for m4a) making
the same 16-bit array. encode: the file that a page plays or saves, beside soundfile writing it.
take in: a new file copied, decoded to its end, hashed and drawn; what it costs over decoding alone.

CPU time, each pair in turns, the least of several; so that other work on the machine counts little.

With `--long 3600`, for a sound of so many seconds: how long after the last byte of its upload an
outline over its whole length is there, and how long until it is exact; in seconds on the wall, for
which the machine should be quiet, and as CPU time.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

import numpy as np
import soundfile

from ossicle.flow.audio import Clip
from ossicle.flow.samples import to_int16
from ossicle.runtime.media.encode import encode
from ossicle.runtime.media.store import Store

RATE = 44_100
BLOCK = 65_536
GOAL = 1.2
FORMATS = {
    "wav": ("WAV", "PCM_16"),
    "flac": ("FLAC", "PCM_16"),
    "ogg": ("OGG", "VORBIS"),
    "mp3": ("MP3", "MPEG_LAYER_III"),
}
LOSSY = ("ogg", "mp3")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.media", description=__doc__)
    parser.add_argument("--seconds", type=float, nargs="+", default=[10, 600])
    parser.add_argument("--long", type=float, help="seconds of a sound that is drawn as it comes")
    options = parser.parse_args()
    if options.long:
        print(
            f"load {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores; {options.long:g} s of sound\n"
        )
        print("| format | whole outline after | exact after | CPU |\n| --- | --- | --- | --- |")
        with tempfile.TemporaryDirectory() as folder:
            for format in FORMATS:
                row = _drawn(Path(folder) / f"sound.{format}", options.long)
                print(f"| {format} | {' | '.join(f'{each:.2f} s' for each in row)} |", flush=True)
        return
    print(f"load {os.getloadavg()[0]:.1f}; CPU in ms, ours (the library), ratio; goal {GOAL}\n")
    print("| length | format | decode | encode | take in |\n| --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        for seconds in options.seconds:
            for row in rows(Path(folder), seconds):
                print(f"| {' | '.join(row)} |", flush=True)


def rows(folder: Path, seconds: float) -> Iterator[tuple[str, ...]]:
    """A row for each format."""
    samples = _sound(seconds)
    for format in (*FORMATS, "m4a"):
        yield f"{seconds:g} s", format, *_row(folder, format, samples, 7 if seconds < 60 else 2)


def _row(
    folder: Path, format: str, samples: np.ndarray[Any, Any], rounds: int
) -> tuple[str, str, str]:
    path, out = folder / f"sound.{format}", folder / "out"
    clip = Clip.of(RATE, samples)
    encoded = "–"
    if format == "m4a":
        _write_m4a(path, samples)
    else:
        encoded = _pair(rounds, lambda: encode(clip, out, format), lambda: _write(path, samples))
    store = Store()
    held = store.session("a").open(path)
    decoded = _pair(rounds, held.int16, lambda: _read(path))
    store.close()
    return decoded, encoded, _pair(rounds, lambda: _anew(path), lambda: _read(path))


def _pair(rounds: int, ours: Callable[[], object], theirs: Callable[[], object]) -> str:
    own, their = list[float](), list[float]()
    for _ in range(rounds):
        their.append(_cpu(theirs))
        own.append(_cpu(ours))
    ratio = min(own) / min(their)
    return f"{min(own):.1f} ({min(their):.1f}), {ratio:.2f}"


def _cpu(call: Callable[[], object]) -> float:
    start = time.process_time()
    call()
    return 1e3 * (time.process_time() - start)


def _drawn(path: Path, seconds: float) -> tuple[float, float, float]:
    """Seconds until the outline is whole, until it is exact, and of CPU."""
    part = _sound(60)
    _write(path, np.tile(part, (max(1, round(seconds / 60)), 1)))
    data = path.read_bytes()
    store = Store()
    store.session("a")
    upload = store.receive("a", path.name)
    before = time.process_time()
    upload.expect(len(data))
    for at in range(0, len(data), 1 << 18):
        upload.write(data[at : at + (1 << 18)])
    start = time.perf_counter()
    whole = 0.0
    with ThreadPoolExecutor(1) as looking:
        due = looking.submit(upload.commit)
        while not due.done():
            seen = upload.sketch(2048)
            if seen is not None and seen.frames == seen.of and not whole:
                whole = time.perf_counter() - start
            time.sleep(0.02)  # the page asks every 0.3 s
        due.result()
    exact = time.perf_counter() - start
    spent = time.process_time() - before
    store.close()
    path.unlink()
    return whole or exact, exact, spent


def _anew(path: Path) -> None:
    store = Store()  # another one has never seen the file
    store.session("a").open(path)
    store.close()


def _read(path: Path) -> Any:
    if path.suffix == ".m4a":
        import av

        with av.open(str(path)) as media:
            planes = [frame.to_ndarray() for frame in media.decode(audio=0)]
        return to_int16(np.concatenate(planes, axis=1).T)
    if path.suffix[1:] in LOSSY:  # libsndfile's own int16 wraps where it is loud
        return to_int16(soundfile.read(path, dtype="float32")[0])
    return soundfile.read(path, dtype="int16")[0]


def _write(path: Path, samples: np.ndarray[Any, Any]) -> None:
    kind, subtype = FORMATS[path.suffix[1:]]
    lossy = path.suffix[1:] in LOSSY
    with soundfile.SoundFile(path, "w", RATE, 2, format=kind, subtype=subtype) as file:
        for at in range(0, len(samples), BLOCK):  # one huge write of ogg crashes libsndfile
            block = samples[at : at + BLOCK]
            file.write(block.astype(np.float32) / np.float32(32768) if lossy else block)


def _write_m4a(path: Path, samples: np.ndarray[Any, Any]) -> None:
    import av

    with cast(Any, av).open(str(path), "w") as media:  # its own types leave the stream unknown
        stream = media.add_stream("aac", rate=RATE, layout="stereo")
        planes = np.ascontiguousarray(samples.T.astype(np.float32) / np.float32(32768))
        frame = av.AudioFrame.from_ndarray(planes, format="fltp", layout="stereo")
        frame.sample_rate = RATE
        for packet in (*stream.encode(frame), *stream.encode(None)):
            media.mux(packet)


def _sound(seconds: float) -> np.ndarray[Any, Any]:
    """Stereo at 16 bit: a voice-like sweep in noise, which no codec finds easy."""
    frames = int(RATE * seconds)
    t = np.arange(frames) / RATE
    tone = 0.3 * np.sin(1382 * t * (1 + 0.1 * np.sin(t)))
    tone += 0.05 * np.random.default_rng(1).standard_normal(frames)
    return (np.stack([tone, tone[::-1]], 1) * 32767).astype(np.int16)


if __name__ == "__main__":
    main()
