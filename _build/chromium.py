"""A Chromium for the browser tests: prints the path of one, installed first where there is none.

In this order: $OSSICLE_CHROMIUM, the machine's own, one that Playwright fetched before, Debian's
package (as root, with apt), Playwright's download. All but the path goes to stderr.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator

VARIABLE = "OSSICLE_CHROMIUM"
NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
NONE = f"""ossicle: no Chromium found, and none could be installed.
  Install one, or name one: {VARIABLE}=/path/to/chromium make test"""


def starts(path: str) -> bool:
    """Does it run? Ubuntu's `chromium-browser` may be a script that only advertises a snap."""
    try:
        asked = subprocess.run([path, "--version"], capture_output=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return asked.returncode == 0


def candidates() -> Iterator[str]:
    """Paths where a Chromium may be; the search goes on only as far as it must."""
    yield from filter(None, map(shutil.which, NAMES))
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        yield playwright.chromium.executable_path


def find() -> str | None:
    return next(filter(starts, candidates()), None)


def say(*command: str) -> bool:
    """Run a command, its output on stderr; was it done?"""
    print("$", *command, file=sys.stderr, flush=True)
    return subprocess.run(command, stdout=sys.stderr).returncode == 0


def install_package() -> bool:
    """Debian's package, which brings its libraries and the proprietary codecs along."""
    if not shutil.which("apt-get") or os.geteuid() != 0:
        return False
    os.environ.setdefault("DEBIAN_FRONTEND", "noninteractive")
    return say("apt-get", "update", "-q") and say(
        "apt-get", "install", "-q", "-y", "--no-install-recommends", "chromium"
    )


def install_download() -> bool:
    return say(sys.executable, "-m", "playwright", "install", "chromium")


def main() -> int:
    named = os.environ.get(VARIABLE)
    if named:
        if not starts(named):
            raise SystemExit(f"ossicle: {VARIABLE}={named} does not start")
        print(named)
        return 0
    path = find()
    for install in (install_package, install_download):
        if path is None and install():
            path = find()
    if path is None:
        raise SystemExit(NONE)
    print(path)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
