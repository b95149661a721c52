"""Which port to listen on, and what to say when there is none."""

from __future__ import annotations

import errno
import socket
from typing import Final

PORT: Final = 7860  # where users of the seeds look for such an app
TRIES: Final = 100  # ports after it that are tried when the user named none


class PortTaken(OSError):
    """Nothing free to listen on; the text names what was tried and the way out."""


def candidates(port: int | None) -> range:
    """The ports to try, in order: the one that was asked for, or the usual one and those after."""
    return range(PORT, PORT + TRIES + 1) if port is None else range(port, port + 1)


def taken(address: str, port: int | None) -> PortTaken:
    """The error when all candidates are taken."""
    if port is None:
        text = f"ports {PORT} to {PORT + TRIES} on {address} are all taken; name another"
    else:
        text = (
            f"port {port} on {address} is taken by another program; choose another, or none: then"
            " the next free one is used"
        )
    return PortTaken(errno.EADDRINUSE, text)


def unusable(address: str, port: int, error: OSError) -> OSError:
    """The error when an address cannot be listened on at all."""
    why = error.strerror or str(error)
    return OSError(error.errno, f"cannot listen on {address}:{port}: {why}")


def free_port(address: str, port: int | None) -> int:
    """A port that is free now. Raises OSError; somebody may still take it before it is used."""
    for number in candidates(port):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((address, number))
                probe.listen(1)
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise unusable(address, number, error) from None
            else:
                return int(probe.getsockname()[1])
    raise taken(address, port)
