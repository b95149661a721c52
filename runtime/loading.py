"""Loads an app's file and finds the app in it."""

from __future__ import annotations

import importlib.util
import re
import sys
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType, TracebackType
from typing import TYPE_CHECKING

from ..flow.errors import DeclarationError, OssicleError
from .launching import Launching, taking

if TYPE_CHECKING:
    from .app import Blocks

USUAL = ("demo", "app")
"""The variables that are looked at first."""


class LoadError(OssicleError):
    """No app could be had from the file. The text names the file and the way out.

    `details` is a traceback where the file's own code failed, for its author.
    """

    def __init__(self, message: str, details: str = "") -> None:
        super().__init__(message)
        self.details = details


@dataclass(frozen=True)
class Loaded:
    """An app, and what its own `launch()` asked for if the file called it."""

    app: Blocks
    launching: Launching
    path: Path


def load(given: str) -> Loaded:
    """The app of `folder/file.py`, or of `folder/file.py:name` where it has several.

    The file is run once, as a module, so what stands under `if __name__ == "__main__"` is not run.
    A `launch()` outside of it starts nothing: it says which app is meant, and with which options.
    Its folder becomes the first place to import from, as with `python file.py`. Raises LoadError.
    """
    path, name = _split(given)
    _check(path)
    launched: list[tuple[Blocks, Launching]] = []
    with taking(lambda app, launching: launched.append((app, launching))):
        module = _run(path)
    app = _pick(path, vars(module), name, [each for each, _ in launched])
    options = [launching for each, launching in launched if each is app]
    return Loaded(app, options[-1] if options else Launching(), path)


def _split(given: str) -> tuple[Path, str | None]:
    head, colon, name = given.rpartition(":")
    if colon and name.isidentifier() and head.endswith(".py"):
        return Path(head), name
    return Path(given), None


def _check(path: Path) -> None:
    if path.is_dir():
        raise LoadError(f"{path} is a folder; name the file in it that makes the app")
    if not path.exists():
        raise LoadError(f"{path} does not exist (looked in {Path.cwd()})")
    if path.suffix != ".py":
        raise LoadError(f"{path} is not a Python file; its name must end with .py")


def _run(path: Path) -> ModuleType:
    path = path.resolve()
    # By its own name, so that what is pickled to another process is found there; but an app called
    # queue.py must not become everybody's `queue`.
    name = path.stem
    if not name.isidentifier() or name in sys.modules or name in sys.stdlib_module_names:
        name = "ossicle_app_" + re.sub(r"\W", "_", path.stem)
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None, "a .py file always has a loader"
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    if sys.path[0] != str(path.parent):
        sys.path.insert(0, str(path.parent))
    argv, sys.argv = sys.argv, [str(path)]  # ours are not its
    try:
        spec.loader.exec_module(module)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # SystemExit too: a file that leaves gives no app
        del sys.modules[name]
        raise _failed(path, error) from error
    finally:
        sys.argv = argv
    return module


def _failed(path: Path, error: BaseException) -> LoadError:
    """One line that names file and line; a traceback, from the file on, where code is to blame."""
    shown = _shown(path)
    if isinstance(error, SyntaxError):
        where = Path(error.filename).name if error.filename else shown
        return LoadError(f"{where}, line {error.lineno}: {error.msg}", _lines(error, None))
    own = _from_file(error.__traceback__, path)
    line = f", line {own.tb_lineno}" if own is not None else ""
    if isinstance(error, SystemExit):
        return LoadError(f"{shown}{line}: it ended the program ({error.code}) instead of an app")
    if isinstance(error, DeclarationError):
        return LoadError(f"{shown}{line}: {error}")
    return LoadError(f"{shown}{line}: {type(error).__name__}: {error}", _lines(error, own))


def _lines(error: BaseException, tb: TracebackType | None) -> str:
    return "".join(traceback.format_exception(type(error), error, tb))


def _from_file(tb: TracebackType | None, path: Path) -> TracebackType | None:
    """Without what lies above the file: how we loaded it is no concern of its author."""
    while tb is not None and Path(tb.tb_frame.f_code.co_filename) != path:
        tb = tb.tb_next
    return tb


def _shown(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def _pick(
    path: Path, names: Mapping[str, object], wanted: str | None, launched: list[Blocks]
) -> Blocks:
    from .app import Blocks

    found = {name: value for name, value in names.items() if isinstance(value, Blocks)}
    if wanted is not None:
        if wanted in found:
            return found[wanted]
        known = f"; it has {_listing(found)}" if found else ""
        raise LoadError(f"{path} has no app called {wanted}{known}")
    if launched:
        return launched[-1]  # its author has said which one is meant
    for name in USUAL:
        if name in found:
            return found[name]
    different = {id(app): name for name, app in found.items()}
    if len(different) == 1:
        return next(iter(found.values()))
    if found:
        raise LoadError(
            f"{path} has several apps: {_listing(found)}; call one `demo`, or name it:"
            f" {path}:{next(iter(found))}"
        )
    raise LoadError(
        f"{path} makes no app; give it one at the top level, such as"
        " `demo = oc.Interface(fn, inputs, outputs)` or `with oc.Blocks() as demo:`"
    )


def _listing(found: Mapping[str, object]) -> str:
    return ", ".join(sorted(found))
