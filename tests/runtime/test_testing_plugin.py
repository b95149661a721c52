"""The pytest plugin, as a stranger's test suite meets it."""

import os
import subprocess
import sys
import textwrap
import tomllib
from importlib import import_module
from pathlib import Path

PLUGIN = "ossicle.runtime.testing.plugin"
ALONE = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
"""Only what the command names: an installed ossicle brings the plugin by itself."""


def run(folder: Path, test: str) -> subprocess.CompletedProcess[str]:
    """Run a test file by pytest in a process of its own, with this plugin and no other."""
    (folder / "test_it.py").write_text(textwrap.dedent(test))
    options = ["-q", "-p", PLUGIN, "-p", "no:cacheprovider"]
    command = [sys.executable, "-m", "pytest", *options, "test_it.py"]
    return subprocess.run(command, cwd=folder, env=ALONE, capture_output=True, text=True)


def test_the_fixtures_work(tmp_path: Path) -> None:
    """`lab`, `clock` and `marbles` come with the package."""
    done = run(
        tmp_path,
        """
        import ossicle as oc
        import reactivex.operators as ops

        def test_an_app(lab):
            with oc.Blocks() as demo:
                text, out = oc.Textbox(), oc.Textbox()
                text.submit(str.upper, text, out)
            user = lab(demo)
            user.submit(text, "hello")
            assert user.value(out) == "HELLO"
            other = lab(demo, reconnect_window=5)
            assert other.value(out) == ""

        def test_a_clock(clock):
            seen = []
            clock.at(5.0, lambda: seen.append(clock.seconds))
            clock.run_until(10.0)
            assert seen == [5.0]

        def test_marbles(marbles, clock):
            assert marbles.through(ops.debounce(0.2), "-ab--c-|") == "----b--(c|)"
            assert marbles.clock is clock
        """,
    )
    assert "3 passed" in done.stdout, done.stdout + done.stderr


def test_a_broken_app_fails_the_test_that_made_it(tmp_path: Path) -> None:
    """What breaks while a lab is closed belongs to its test."""
    done = run(
        tmp_path,
        """
        import ossicle as oc

        def test_it(lab):
            with oc.Blocks() as demo:
                oc.Button()
            user = lab(demo)
            user.loop.call_soon(lambda: 1 / 0)
        """,
    )
    assert "ZeroDivisionError" in done.stdout, done.stdout + done.stderr


def test_loading_the_plugin_loads_nothing_else(tmp_path: Path) -> None:
    """Every pytest run of somebody who has ossicle installed loads the plugin: it must be light."""
    script = f"import sys, {PLUGIN}; print(*{{m.split('.')[0] for m in sys.modules}})"
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True)
    loaded = set(done.stdout.split())
    assert loaded & {"asyncio", "numpy", "reactivex", "aiohttp", "soundfile"} == set()


def test_the_package_brings_the_plugin() -> None:
    """An installed ossicle needs no option: its entry point leads here."""
    config = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    assert config["project"]["entry-points"]["pytest11"] == {"ossicle": PLUGIN}
    assert import_module(PLUGIN).lab is not None
