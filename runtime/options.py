"""The options of `ossicle run`: those of `launch()`, by the same names."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from .launching import Launching

REPEATED: Final = ("allowed_hosts", "allowed_origins", "allowed_frames", "ice_servers")
"""They add to what the file says; every other option takes its place."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """All of them; what is not given is not in the namespace."""
    group = parser.add_argument_group("options of launch(), which take the place of the file's")

    def add(*names: str, help: str, **more: Any) -> None:
        group.add_argument(*names, default=argparse.SUPPRESS, help=help, **more)

    add("--server-name", "--host", metavar="ADDRESS", help="what to listen on; 0.0.0.0 is all")
    add("--server-port", "--port", metavar="PORT", type=_port, help="else the first from 7860 on")
    add(
        "--tls", nargs="?", const="self-signed", type=_tls, metavar="CERT,KEY",
        help="https, with these PEM files; alone, with a certificate of our own",
    )  # fmt: skip
    add("--root-path", metavar="PATH", help="a prefix to serve under, such as /tool")
    add("--inbrowser", action="store_true", help="open the page")
    add(
        "--show-error", action=argparse.BooleanOptionalAction,
        help="tell users the text of every exception",
    )  # fmt: skip
    add("--quiet", action="store_true", help="print no address")
    add("--max-threads", type=_count, metavar="N", help="functions that run at once")
    add("--max-file-size", metavar="SIZE", help='of one upload, such as "20 MB"')
    add("--max-session-size", metavar="SIZE", help='what one page may hold, such as "1 GB"')
    add(
        "--allow-private-urls", action="store_true",
        help="the app's own code may give URLs of its own network",
    )  # fmt: skip
    add("--max-connections", type=_count, metavar="N", help="of one other machine at once")
    add("--reconnect-window", type=float, metavar="S", help="a session outlives its page by this")
    for names, metavar, text in (
        (("--allowed-hosts", "--allowed-host"), "NAME", "a further name that it answers to"),
        (("--allowed-origins", "--allowed-origin"), "ORIGIN", "a further site that may use it"),
        (("--allowed-frames", "--allowed-frame"), "ORIGIN", "a site that may show it in a frame"),
        (("--ice-servers", "--ice-server"), "URL", "for WebRTC, such as stun:stun.example.org"),
    ):
        add(*names, action="append", metavar=metavar, help=f"{text} (repeatable)")


def with_options(asked: Launching, args: argparse.Namespace) -> Launching:
    """What the file asked for, with what the command line says. Raises DeclarationError."""
    given = {name: value for name, value in vars(args).items() if name in asked.__slots__}
    for name in REPEATED:
        if name in given:
            given[name] = (*getattr(asked, name), *given[name])
    # A page that opens because a server was started somewhere is for who asked for it just now.
    return replace(asked, **({"inbrowser": False} | given))


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port; give 0 to 65535")
    return int(text)


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 on")
    return int(text)


def _tls(text: str) -> str | Sequence[str]:
    certificate, comma, key = text.partition(",")
    return (certificate, key) if comma else text
