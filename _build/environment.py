"""The virtual environment that make works in: made when missing, filled when pyproject.toml moved.

`python3 _build/environment.py` installs what running needs, `... dev` what the tests need too.
Runs on a bare Python: only the standard library may be imported here.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
STAMP = VENV / "ossicle-installed"
OLDEST = (3, 11)

TOO_OLD = """ossicle needs Python {need} or newer; {python} is {have}.
  Name another one: make PYTHON=/path/to/python3"""
NO_VENV = """ossicle: {python} cannot make virtual environments ({module} is missing).
  On Debian and Ubuntu: apt install python3-venv
  or name another Python: make PYTHON=/path/to/python3"""


def usable() -> bool:
    """Is there an environment that starts, has pip and is new enough?"""
    check = f"import sys, pip; raise SystemExit(sys.version_info < {OLDEST})"
    try:
        return subprocess.run([PYTHON, "-c", check], capture_output=True).returncode == 0
    except OSError:
        return False


def create() -> None:
    """Make the environment anew with the Python that runs this, or say what it lacks."""
    if sys.version_info < OLDEST:
        need, have = (".".join(map(str, v[:2])) for v in (OLDEST, sys.version_info))
        raise SystemExit(TOO_OLD.format(need=need, have=have, python=sys.executable))
    for module in ("venv", "ensurepip"):  # Debian packages both apart from Python
        if importlib.util.find_spec(module) is None:
            raise SystemExit(NO_VENV.format(python=sys.executable, module=module))
    print(f"making {VENV.name}", flush=True)
    subprocess.run([sys.executable, "-m", "venv", "--clear", VENV], check=True)


def install(extra: str) -> None:
    """Install the project editable, once for every state of pyproject.toml."""
    state = hashlib.sha256((ROOT / "pyproject.toml").read_bytes() + bytes(ROOT)).hexdigest()
    installed = STAMP.read_text().splitlines() if STAMP.is_file() else []
    # "dev" holds everything that "run" does.
    if f"dev {state}" in installed or f"{extra} {state}" in installed:
        return
    print("installing ossicle and what it needs (the first time takes a minute)", flush=True)
    target = f"{ROOT}[dev]" if extra == "dev" else str(ROOT)
    pip = [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    done = subprocess.run([*pip, "--editable", target])
    if done.returncode:
        raise SystemExit(done.returncode)
    STAMP.write_text(f"{extra} {state}\n")


if __name__ == "__main__":
    if not usable():
        create()
    install("dev" if "dev" in sys.argv[1:] else "run")
