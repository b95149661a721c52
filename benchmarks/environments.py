"""The Python environments: those of others, each its own, and the one ossicle is installed in."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two programs compared: how it is called and where it is installed."""

    key: str
    module: str
    python: Path

    def version(self) -> str:
        code = f"import importlib.metadata as m; print(m.version({self.module!r}))"
        return run([str(self.python), "-c", code])


def peer(requirement: str = "gradio") -> Side:
    """The peer in an environment of its own, made once and kept.

    `requirement` may pin a version; a kept environment made from another one is made anew.
    """
    return Side("peer", "gradio", _kept(HERE / ".peer", requirement))


def fastrtc(requirement: str = "fastrtc") -> Side:
    """fastrtc in an environment of its own: it needs an older version of the peer."""
    return Side("fastrtc", "fastrtc", _kept(HERE / ".fastrtc", requirement))


def _kept(home: Path, requirement: str) -> Path:
    stamp = home / "requirement"
    python = home / "bin" / "python"
    if not (stamp.is_file() and stamp.read_text() == requirement):
        print(f"making {home.relative_to(ROOT)} with {requirement} (once)", file=sys.stderr)
        shutil.rmtree(home, ignore_errors=True)
        run([sys.executable, "-m", "venv", str(home)])
        run([str(python), "-m", "pip", "install", "--quiet", requirement])
        stamp.write_text(requirement)
    return python


def ours(fresh: bool = False) -> Side:
    """ossicle as this interpreter sees it; `fresh` installs the working tree into `.ours` first.

    A fresh environment holds what `pip install .` brings and nothing else; the working tree is
    copied, so it must be asked for again after every change.
    """
    if not fresh:
        return Side("ossicle", "ossicle", Path(sys.executable))
    home = HERE / ".ours"
    python = home / "bin" / "python"
    print(f"installing the working tree into {home.relative_to(ROOT)}", file=sys.stderr)
    shutil.rmtree(home, ignore_errors=True)
    run([sys.executable, "-m", "venv", str(home)])
    run([str(python), "-m", "pip", "install", "--quiet", str(ROOT)])
    return Side("ossicle", "ossicle", python)


def run(command: list[str]) -> str:
    """What the command prints, stripped; its complaint, if it fails, is the error's text."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=HERE)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout.strip()
