"""The addresses under which other machines reach this one."""

from __future__ import annotations

import contextlib
import ipaddress
import socket

# One of each private range, the internet at large (an address of documentation), and the same for
# IPv6: the routes to them leave by the interfaces that other people are behind.
_TARGETS = (
    (socket.AF_INET, "192.0.2.1"),
    (socket.AF_INET, "10.255.255.254"),
    (socket.AF_INET, "172.31.255.254"),
    (socket.AF_INET, "192.168.255.254"),
    (socket.AF_INET6, "2001:db8::1"),
    (socket.AF_INET6, "fd00::1"),
)


def lan_addresses() -> list[str]:
    """Where this machine is reached from others, IPv4 first; [] for one without a network.

    Asks the routing table and sends nothing. Not the resolver: where a machine's own name is not
    known it waits for seconds, and elsewhere it says 127.0.1.1.
    """
    found = list[str]()
    for family, target in _TARGETS:
        with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((target, 9))  # a datagram socket: this only looks up the route
            address = str(probe.getsockname()[0])
            if address not in found and _reachable(address):
                found.append(address)
    return found


def own_names() -> list[str]:
    """This machine's names, as other machines of its network write them."""
    name = socket.gethostname()
    return [name, f"{name}.local"] if "." not in name else [name]


def is_loopback(address: str) -> bool:
    """Is only this machine meant? An address that is no number is a name: localhost, or not."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address.lower() == "localhost"


def _reachable(address: str) -> bool:
    number = ipaddress.ip_address(address)
    return not (number.is_loopback or number.is_link_local or number.is_unspecified)
