"""Downloads a URL that app code named; never one from the page.

Size and time are bounded. Private, loopback and link-local addresses are refused at the moment of
connecting, on the address that is then used: a name that resolves to something else a second later,
or a redirect, comes to nothing.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any, cast
from urllib.parse import unquote, urlsplit

from ...flow.audio import ClipError
from .limits import Limits, bytes_text, seconds_text

_CHUNK = 65_536
_SILENCE = 10.0  # seconds without a byte


def is_url(text: str) -> bool:
    """Whether a string is meant as an http(s) URL, not as a path."""
    return text.lower().startswith(("http://", "https://"))


def url_name(url: str) -> str:
    """The last part of the path, as a file name for people."""
    return unquote(urlsplit(url).path).rsplit("/", 1)[-1] or "audio"


def fetch(url: str, *, limits: Limits, allow_private: bool) -> Iterator[bytes]:
    """The content in chunks, in the calling thread. Raises ClipError."""
    handlers: list[urllib.request.BaseHandler] = [_NoFTP()]
    if not allow_private:
        # No proxy either: it would resolve the name itself, behind our check.
        handlers += [urllib.request.ProxyHandler({}), _PublicHTTP(), _PublicHTTPS()]
    opener = urllib.request.build_opener(*handlers)
    deadline = time.monotonic() + limits.fetch_seconds
    total = 0
    try:
        with cast(http.client.HTTPResponse, opener.open(url, timeout=_SILENCE)) as response:
            while chunk := response.read1(_CHUNK):
                total += len(chunk)
                if total > limits.upload:
                    raise ClipError(f"{url} has more than {bytes_text(limits.upload)}")
                if time.monotonic() > deadline:
                    raise ClipError(
                        f"{url} took longer than {seconds_text(limits.fetch_seconds)}; "
                        "download it first and pass the path"
                    )
                yield chunk
            if response.length:  # what Content-Length promised and did not come
                raise ClipError(f"{url} ended {bytes_text(response.length)} too early; try again")
    except urllib.error.HTTPError as error:
        with error:
            raise ClipError(f"{url} answered {error.code} {error.reason}") from error
    except urllib.error.URLError as error:
        if isinstance(error.reason, ClipError):
            raise error.reason from error
        raise ClipError(f"{url} cannot be reached: {error.reason}") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        if isinstance(error, ClipError):
            raise
        raise ClipError(f"{url} cannot be read: {error or type(error).__name__}") from error


def _connect(host: str, port: int, timeout: float | None) -> socket.socket:
    """A connection to a public address of that host, and to no other."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [str(entry[4][0]) for entry in found]
    for address in addresses:
        ip = ipaddress.ip_address(address.split("%")[0])
        ip = getattr(ip, "ipv4_mapped", None) or ip
        if not ip.is_global or ip.is_multicast:
            raise ClipError(
                f"{host} is not a public address ({address}); launch(allow_private_urls=True) lets "
                "the app's own code read from its network"
            )
    return socket.create_connection((addresses[0], port), timeout)


class _Plain(http.client.HTTPConnection):
    def connect(self) -> None:
        self.sock = _connect(self.host, self.port, self.timeout)


class _Secure(http.client.HTTPSConnection):
    def connect(self) -> None:
        raw = _connect(self.host, self.port, self.timeout)
        self.sock = ssl.create_default_context().wrap_socket(raw, server_hostname=self.host)


class _PublicHTTP(urllib.request.HTTPHandler):
    def http_open(self, req: urllib.request.Request) -> Any:
        return self.do_open(_Plain, req)


class _PublicHTTPS(urllib.request.HTTPSHandler):
    def https_open(self, req: urllib.request.Request) -> Any:
        return self.do_open(_Secure, req)


class _NoFTP(urllib.request.FTPHandler):
    """urllib follows redirects to ftp, where none of these bounds hold."""

    def ftp_open(self, req: urllib.request.Request) -> Any:
        raise ClipError(f"{req.full_url} is not an http or https URL")
