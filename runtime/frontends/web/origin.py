"""Who may talk to the server: the Host and Origin checks as pure functions.

Two attacks end here. *DNS rebinding*: a stranger's page points its own name at this machine and
reads the answers as its own; every request must therefore name a host this server knows.
*Cross-site requests*: a stranger's page posts to, or opens a socket on, this server with the
visitor's network position; a POST or WebSocket must therefore come from a page of this server.

Who sends no Origin? Browsers always send it with a POST and a WebSocket. Programs usually do not;
they show they are none by the session header, which a page of another origin cannot set (fetch asks
for permission first, which is never given; a WebSocket cannot have headers at all).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass

from ....flow.errors import DeclarationError

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
WILDCARDS = frozenset({"", "0.0.0.0", "::"})  # addresses that mean "every interface"
_PORTS = {"http": 80, "https": 443}
_AUTHORITY = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+))(?::([0-9]{1,5}))?")


def split_authority(authority: str) -> tuple[str, int | None] | None:
    """`name:port` as (lower-case name, port or None); None if it is not exactly that.

    A last dot is the same name ("localhost."), so it is dropped; brackets of IPv6 too.
    """
    match = _AUTHORITY.fullmatch(authority)
    if match is None:
        return None
    name = (match[1] or match[2]).lower().removesuffix(".")
    port = int(match[3]) if match[3] else None
    if not name or (port is not None and port > 65535):
        return None
    return name, port


def split_origin(origin: str) -> tuple[str, str, int] | None:
    """`scheme://name[:port]` as (scheme, name, port); None for "null" and other schemes."""
    scheme, separator, authority = origin.partition("://")
    scheme = scheme.lower()
    parts = split_authority(authority) if separator else None
    if parts is None or scheme not in _PORTS:
        return None
    return scheme, parts[0], parts[1] or _PORTS[scheme]


@dataclass(frozen=True)
class Gate:
    """The hosts and origins one server answers to."""

    hosts: frozenset[str]
    origins: frozenset[tuple[str, str, int]] = frozenset()
    any_host: bool = False
    any_address: bool = False
    """Numeric addresses pass: a rebinding attack needs a name, a number cannot be re-pointed."""
    secure: bool = False
    """We speak TLS ourselves, so our pages are https: an http page of our name is a forgery."""

    def knows_host(self, header: str | None) -> bool:
        """Does this Host header name us? The port is not asked: proxies change it."""
        parts = split_authority(header) if header else None
        if parts is None:
            return False
        name = parts[0]
        return self.any_host or name in self.hosts or (self.any_address and _is_address(name))

    def knows_origin(self, origin: str, host: str) -> bool:
        """Was the page that asks given out by us (same name and port as `host`), or allowed?"""
        asking = split_origin(origin)
        ours = split_authority(host)
        if asking is None or ours is None:
            return False
        scheme, name, port = asking
        # A proxy that ends TLS shows us http where the page says https: that way round it may be.
        own = (name, port) == (ours[0], ours[1] or _PORTS[scheme])
        return (own and (scheme == "https" or not self.secure)) or asking in self.origins


def make_gate(
    address: str = "127.0.0.1",
    *,
    allowed_hosts: Iterable[str] = (),
    allowed_origins: Iterable[str] = (),
    own_names: Iterable[str] = (),
    secure: bool = False,
) -> Gate:
    """The gate of a server bound to `address`.

    `allowed_hosts` adds names (without port; "*" switches the check off), `allowed_origins` adds
    whole origins ("https://my.site"). `own_names` are this machine's names, known only on a server
    that is bound to every interface. `secure`: the server itself speaks TLS. Raises DeclarationError
    naming the entry that cannot be meant.
    """
    every_interface = address in WILDCARDS
    hosts = set(LOOPBACK)
    if not every_interface:
        hosts.add(address.lower())
    else:
        hosts.update(name.lower() for name in own_names if name)
    given = list(allowed_hosts)
    for entry in given:
        if entry == "*":
            continue
        parts = split_authority(f"[{entry}]" if entry.count(":") > 1 else entry)
        if parts is None or parts[1] is not None:
            raise DeclarationError(
                f"allowed_hosts: {entry!r} is not a host name; write it without scheme, port"
                " and path, for example 'sound.example.org'"
            )
        hosts.add(parts[0])
    return Gate(
        frozenset(hosts),
        frozenset(checked_origin("allowed_origins", entry) for entry in allowed_origins),
        any_host="*" in given,
        any_address=every_interface,
        secure=secure,
    )


def checked_origin(option: str, entry: str) -> tuple[str, str, int]:
    """What an entry of an option says. Raises DeclarationError if it cannot be meant."""
    origin = split_origin(entry.removesuffix("/"))
    if origin is None:
        raise DeclarationError(
            f"{option}: {entry!r} is not an origin; write scheme, name and port only, for example"
            " 'https://sound.example.org'"
        )
    return origin


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
