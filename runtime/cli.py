"""The `ossicle` command: serve an app, or push sound through it without a browser."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..flow.errors import OssicleError
from .leaving import INTERRUPTED, TERMINATED, Terminated, leave, terminate
from .options import add_options, with_options

if TYPE_CHECKING:
    from .launching import Launched

WRONG: Final = 1
"""The exit code for what did not work; argparse's for what was not understood is 2."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; the exit code."""
    given = sys.argv[1:] if argv is None else argv
    args = _parser().parse_args(given)
    try:
        if args.command == "run" and args.reload:
            return _run_reloading(args, given)
        return {"run": _run, "render": _render, "graph": _graph}[args.command](args)
    except KeyboardInterrupt as interruption:
        _tell("interrupted")
        return leave(TERMINATED if isinstance(interruption, Terminated) else INTERRUPTED)
    except OssicleError as error:
        details = getattr(error, "details", "")
        if details:
            sys.stderr.write(details)
        _tell(str(error))
    except OSError as error:  # a port that is taken, an address that is not ours
        _tell(error.strerror or str(error))
    return leave(WRONG)


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
    run.add_argument("--reload", action="store_true", help="start again when a file is saved")
    run.add_argument(
        "--metrics", nargs="?", type=float, const=2.0, metavar="SECONDS",
        help="tell how live sound is doing, in one line, every so often (default: every 2 seconds)",
    )  # fmt: skip
    add_options(run)

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
    logging.basicConfig(format="%(levelname)s %(name)s: %(message)s", level=logging.WARNING)
    launched = _launched(args)
    # SIGTERM would end the process where it stands, with sounds left in the temp folder.
    signal.signal(signal.SIGTERM, terminate)
    launched.start()
    if args.metrics is not None:
        from .live_line import LiveLine

        with closing(LiveLine(launched.metrics, max(0.1, args.metrics))):
            launched.wait()
    else:
        launched.wait()
    return leave(0)


def _launched(args: argparse.Namespace) -> Launched:
    from .launching import Launched
    from .loading import load

    loaded = load(args.app)
    return Launched(loaded.app, with_options(loaded.launching, args))


def _run_reloading(args: argparse.Namespace, given: Sequence[str]) -> int:
    from .frontends.web.ports import free_port
    from .reloading import run_reloading

    file = Path(args.app.rpartition(":")[0] if ".py:" in args.app else args.app)
    if not file.is_file():
        raise OssicleError(f"{file} does not exist (looked in {Path.cwd()})")
    if "inbrowser" in args:
        raise OssicleError("--inbrowser with --reload would open the page at every save")
    # The same one for every child: the open page finds its server again.
    host, port = getattr(args, "server_name", "127.0.0.1"), getattr(args, "server_port", None)
    command = [sys.executable, "-m", "ossicle", *(each for each in given if each != "--reload")]
    command += ["--server-port", str(free_port(host, port))]  # the last one counts
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
    signal.signal(signal.SIGTERM, terminate)
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
    return leave(0)


# -- graph -------------------------------------------------------------------------------------


def _graph(args: argparse.Namespace) -> int:
    from .loading import load

    explained = load(args.app).app.explain()
    if args.svg:
        try:
            args.svg.write_text(explained.to_svg(), encoding="utf-8")
        except OSError as error:
            _tell(f"{args.svg} cannot be written: {error.strerror}")
            return leave(1)
        print(f"{args.svg} holds the graph")
    else:
        print(
            explained.to_mermaid() if args.mermaid else explained, end="" if args.mermaid else "\n"
        )
    return leave(0)


# -- small things ------------------------------------------------------------------------------


def _tell(text: str) -> None:
    print(f"ossicle: {text}", file=sys.stderr, flush=True)


def _setting(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form name=value")
    return name, value


def _version() -> str:
    from importlib.metadata import version

    return version("ossicle")
