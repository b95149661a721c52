"""The `ossicle` command: serve an app, or push sound through it without a browser."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Final

from ..flow.errors import OssicleError

if TYPE_CHECKING:
    from .launching import Launched

WRONG: Final = 1
"""The exit code for what did not work; argparse's for what was not understood is 2."""
INTERRUPTED: Final = 130

_LEAVE_SECONDS = 1.0  # for functions that are still running when the command has ended


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; the exit code."""
    args = _parser().parse_args(argv)
    try:
        return {"run": _run, "render": _render, "graph": _graph}[args.command](args)
    except KeyboardInterrupt:
        _tell("interrupted")
        return _leave(INTERRUPTED)
    except OssicleError as error:
        details = getattr(error, "details", "")
        if details:
            sys.stderr.write(details)
        _tell(str(error))
    except OSError as error:  # a port that is taken, an address that is not ours
        _tell(error.strerror or str(error))
    return _leave(WRONG)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ossicle",
        description="Reactive audio graphs: serve an app, or push sound through it.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"ossicle {_version()}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="run | render | graph")

    run = commands.add_parser("run", help="serve an app and print its address", allow_abbrev=False)
    run.add_argument("app", help="the file that makes it: app.py, or app.py:name")
    run.add_argument("--port", type=_port, help="default: the first free one from 7860 on")
    run.add_argument("--host", help="the address to listen on (default: this machine only)")
    run.add_argument("--reload", action="store_true", help="start again when a file is saved")
    run.add_argument(
        "--allowed-host",
        action="append",
        default=[],
        metavar="NAME",
        help="a further name that the server answers to, as behind a proxy (repeatable)",
    )
    run.add_argument(
        "--allowed-origin",
        action="append",
        default=[],
        metavar="ORIGIN",
        help="a further site whose pages may use the server (repeatable)",
    )

    render = commands.add_parser(
        "render", help="push sound through an app without a browser", allow_abbrev=False
    )
    render.add_argument("app", help="the file that makes it: app.py, or app.py:name")
    for name, text in (("input", "a sound to take"), ("output", "where to write the sound")):
        render.add_argument(
            f"--{name}", action="append", default=[], type=Path, metavar="FILE",
            help=f"{text} (repeat it where there are several)",
        )  # fmt: skip
    render.add_argument(
        "--set", action="append", default=[], type=_setting, metavar="NAME=VALUE", dest="settings",
        help="a component's value, by its label or its function's parameter (repeatable)",
    )  # fmt: skip
    render.add_argument(
        "--listener", metavar="NAME", help="the function to run, where the app has several"
    )

    graph = commands.add_parser(
        "graph", help="tell what an app will do, as a table or a picture", allow_abbrev=False
    )
    graph.add_argument("app", help="the file that makes it: app.py, or app.py:name")
    form = graph.add_mutually_exclusive_group()
    form.add_argument("--mermaid", action="store_true", help="print a Mermaid flowchart")
    form.add_argument("--svg", type=Path, metavar="FILE", help="write the graph as an image")
    return parser


# -- run ---------------------------------------------------------------------------------------


def _run(args: argparse.Namespace) -> int:
    if args.reload:
        return _run_reloading(args)
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s", level=logging.WARNING)
    launched = _launched(args)
    # SIGTERM would end the process where it stands, with sounds left in the temp folder.
    signal.signal(signal.SIGTERM, _interrupt)
    launched.start()
    launched.wait()
    return _leave(0)


def _launched(args: argparse.Namespace) -> Launched:
    from .launching import Launched
    from .loading import load

    loaded = load(args.app)
    asked = loaded.launching
    return Launched(
        loaded.app,
        replace(
            asked,
            server_name=args.host or asked.server_name,
            server_port=asked.server_port if args.port is None else args.port,
            allowed_hosts=(*asked.allowed_hosts, *args.allowed_host),
            allowed_origins=(*asked.allowed_origins, *args.allowed_origin),
            inbrowser=False,
        ),
    )


def _run_reloading(args: argparse.Namespace) -> int:
    from .frontends.web.ports import free_port
    from .reloading import run_reloading

    file = Path(args.app.rpartition(":")[0] if ".py:" in args.app else args.app)
    if not file.is_file():
        raise OssicleError(f"{file} does not exist (looked in {Path.cwd()})")
    # The same one for every child: the open page finds its server again.
    port = free_port(args.host or "127.0.0.1", args.port)
    command = [sys.executable, "-m", "ossicle", "run", args.app, "--port", str(port)]
    if args.host:
        command += ["--host", args.host]
    for name in args.allowed_host:
        command += ["--allowed-host", name]
    for origin in args.allowed_origin:
        command += ["--allowed-origin", origin]
    return run_reloading(command, file.resolve().parent, _tell)


# -- render ------------------------------------------------------------------------------------


def _render(args: argparse.Namespace) -> int:
    import asyncio

    from .loading import load
    from .progressbar import ProgressBar
    from .render import Asked, render

    # The graph logs what fails; here the last line says it, and only tracebacks add to that.
    handler = logging.StreamHandler()
    handler.addFilter(lambda record: bool(record.exc_info))
    logging.basicConfig(handlers=[handler], format="%(message)s")
    signal.signal(signal.SIGTERM, _interrupt)
    loaded = load(args.app)
    asked = Asked(args.input, args.output, args.settings, args.listener)
    bar = ProgressBar(sys.stderr, time.monotonic())
    try:
        words = asyncio.run(
            render(loaded.app, asked, lambda done, text: bar.update(time.monotonic(), done, text))
        )
    finally:
        bar.close()
    for line in words:
        print(line)
    return _leave(0)


# -- graph -------------------------------------------------------------------------------------


def _graph(args: argparse.Namespace) -> int:
    from .loading import load

    explained = load(args.app).app.explain()
    if args.svg:
        args.svg.write_text(explained.to_svg(), encoding="utf-8")
        print(f"{args.svg} holds the graph")
    else:
        print(
            explained.to_mermaid() if args.mermaid else explained, end="" if args.mermaid else "\n"
        )
    return _leave(0)


# -- small things ------------------------------------------------------------------------------


def _leave(code: int) -> int:
    """The exit code; but not wait for functions that are still running: nobody asks for them.

    Python joins their threads at exit, so one that never ends would keep the command for ever.
    """
    until = time.monotonic() + _LEAVE_SECONDS
    left = [each for each in threading.enumerate() if each.name.startswith("ossicle")]
    for thread in left:
        thread.join(max(0.0, until - time.monotonic()))
    if any(thread.is_alive() for thread in left):
        _tell("a function was still running; it was left behind")
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    return code


def _interrupt(number: int, _: FrameType | None) -> None:
    raise KeyboardInterrupt


def _tell(text: str) -> None:
    print(f"ossicle: {text}", file=sys.stderr, flush=True)


def _port(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port; give 0 to 65535")
    return int(text)


def _setting(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form name=value")
    return name, value


def _version() -> str:
    from importlib.metadata import version

    return version("ossicle")
