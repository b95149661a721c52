"""GET files/...: sounds, their waveforms and other files, by handle and never by path.

A handle is a secret of 128 bits or more that the store drew for one session: an <audio> element can
send no header, so knowing the handle is the permission, and it ends with the session.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import AsyncGenerator, Callable, Coroutine
from http import HTTPStatus
from pathlib import Path
from typing import Any, BinaryIO

from aiohttp import web

from ....flow.errors import OssicleError
from .answers import refusal
from .disposition import content_disposition
from .needs import Host, Stored
from .ranges import Unsatisfiable, still_valid, wanted
from .threads import Threads

log = logging.getLogger(__name__)

TYPES = {
    "wav": "audio/wav",
    "mp3": "audio/mpeg",
    "flac": "audio/flac",
    "ogg": "audio/ogg",
    "opus": "audio/ogg",
    "m4a": "audio/mp4",
    "mp4": "audio/mp4",
    "aac": "audio/aac",
    "webm": "audio/webm",
    "png": "image/png",
    "jpeg": "image/jpeg",
    "gif": "image/gif",
    "webp": "image/webp",
}
"""What browsers play or show, by format, which content decides. Nothing else is ever sent to be
shown, only to be saved."""

DRAWN = {"svg": "image/svg+xml"}
"""What an <img> element shows, but no page of its own: a drawing could hold scripts."""

MAX_WIDTH = 16_384  # points of a waveform: two wide screens at twice the pixels
_DIGITS = 15  # of a frame number: 40 years at the highest rate
PIECE = 256 << 10  # bytes read and written at once; the page's buffer, not the file, sets memory
PATIENCE = 60.0
"""Seconds for a piece to be taken, once the session is over; until then a player may pause for ever.
What is open stays on disk, counted by nobody: who asks for files and takes none must not fill it."""
_MAX_AGE = "private, max-age=3600"  # a handle's content never changes; private: it is one user's


class Files:
    """Hands out the sounds of one host's store."""

    def __init__(self, host: Host, threads: Threads) -> None:
        self._host = host
        self._threads = threads

    async def sound(self, request: web.Request) -> web.StreamResponse:
        """GET files/<handle>/<name>[?download]: the sound or other file, whole or in part.

        A sound that a browser cannot play is sent as WAV, except for a download, which is the
        format the app chose. The name in the address is for people; it is not looked at.
        """
        sound = self._find(request)
        if sound is None:
            return _nothing()
        download = "download" in request.query
        format = sound.format if download else sound.plays
        try:
            path = await self._threads.run(sound.file, format)
        except OssicleError as error:  # no room for it, or gone: texts made to be shown
            return refusal(HTTPStatus.SERVICE_UNAVAILABLE, str(error))
        content_type = TYPES.get(format)
        headers = {
            "Content-Type": content_type or DRAWN.get(format, "application/octet-stream"),
            "Content-Disposition": content_disposition(
                sound.file_name(format), attachment=download or content_type is None
            ),
            "Cache-Control": _MAX_AGE,
        }
        etag = _etag(request.match_info["handle"], format)
        return await _send(
            request, path, etag, headers, self._threads, lambda: self._find(request) is None
        )

    async def peaks(self, request: web.Request) -> web.StreamResponse:
        """GET files/<handle>/peaks?width=1200&start=0&end=480000: the waveform of those frames.

        int16 little-endian, by channel, width times (min, max, RMS); without start and end of the
        whole. The width in the answer may be less: there are no more parts than frames.
        """
        sound = self._find(request)
        if sound is None or not sound.frames:
            return _nothing()
        width = _number(request, "width", 1200)
        if width is None or not 1 <= width <= MAX_WIDTH:
            return refusal(400, f"width must be a whole number, 1 to {MAX_WIDTH}")
        start, end = _number(request, "start", 0), _number(request, "end", sound.frames)
        if start is None or end is None or not start < end <= sound.frames:
            return refusal(
                400, f"start and end must be frames with 0 <= start < end <= {sound.frames}"
            )
        try:
            peaks = await self._threads.run(sound.peaks, width, start, end)
        except OssicleError as error:
            return refusal(HTTPStatus.SERVICE_UNAVAILABLE, str(error))
        if peaks is None:
            return _nothing()
        channels, width, body = peaks
        return web.Response(
            body=body,
            content_type="application/octet-stream",
            headers={
                "X-Ossicle-Channels": str(channels),
                "X-Ossicle-Width": str(width),
                "X-Ossicle-Values": "3",
                "Cache-Control": _MAX_AGE,
            },
        )

    def _find(self, request: web.Request) -> Stored | None:
        try:
            return self._host.sound(request.match_info["handle"])
        except KeyError:
            return None


def _number(request: web.Request, name: str, otherwise: int) -> int | None:
    """A whole number of the query, 0 or more; None for what is none."""
    text = request.query.get(name)
    if text is None:
        return otherwise
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _DIGITS else None


def _nothing() -> web.Response:
    # One answer for "never was", "is over" and "another's": the difference would be information
    return refusal(404, "there is no such sound, or its session is over")


def _etag(handle: str, format: str) -> str:
    # not the handle itself: an ETag may end up in logs that must not hold a secret
    return f'"{hashlib.sha256(f"{handle}/{format}".encode()).hexdigest()[:24]}"'


async def _send(
    request: web.Request,
    path: Path,
    etag: str,
    headers: dict[str, str],
    threads: Threads,
    over: Callable[[], bool],
) -> web.StreamResponse:
    headers |= {"ETag": etag, "Accept-Ranges": "bytes"}
    if etag in request.headers.get("If-None-Match", ""):
        return web.Response(status=HTTPStatus.NOT_MODIFIED, headers=headers)
    try:
        file = await threads.run(path.open, "rb")
    except FileNotFoundError:
        return _nothing()  # released between the look-up and here
    try:
        size = await threads.run(_size, file)
        try:
            part = wanted(request.headers.get("Range"), size)
        except Unsatisfiable:
            answer = refusal(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, "that range is not there")
            answer.headers["Content-Range"] = f"bytes */{size}"
            return answer
        if part is not None and not still_valid(request.headers.get("If-Range"), etag):
            part = None
        start, stop = part or (0, size)
        status = HTTPStatus.OK if part is None else HTTPStatus.PARTIAL_CONTENT
        response = web.StreamResponse(status=status, headers=headers)
        if part is not None:
            response.headers["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
        response.content_length = stop - start
        try:
            await response.prepare(request)
            if request.method != "HEAD":
                async for data in _pieces(file, start, stop, threads):
                    await _taken(response.write(data), request, over)
            await response.write_eof()
        except ConnectionError:
            # A player that seeks or a page that goes drops the line; there is nobody to answer.
            log.debug("the client left before the end of a file")
        except BaseException:
            # Its head is out: any other answer would be taken for the rest of the file.
            if request.transport is not None:
                request.transport.abort()
            raise
        return response
    finally:
        file.close()


async def _pieces(
    file: BinaryIO, start: int, stop: int, threads: Threads
) -> AsyncGenerator[bytes]:
    """The bytes [start, stop)."""
    file.seek(start)
    while start < stop:
        data = await threads.run(file.read, min(PIECE, stop - start))
        if not data:
            raise OSError("a file of the store became shorter while it was sent")
        start += len(data)
        yield data


async def _taken(
    write: Coroutine[Any, Any, None], request: web.Request, over: Callable[[], bool]
) -> None:
    """Write at the client's pace; the line of one that stands still is cut when its session is over."""
    writing = asyncio.ensure_future(write)
    try:
        while not (await asyncio.wait([writing], timeout=PATIENCE))[0]:
            if over() and request.transport is not None:
                request.transport.abort()
    except BaseException:
        writing.cancel()
        raise
    writing.result()


def _size(file: BinaryIO) -> int:
    return file.seek(0, 2)
