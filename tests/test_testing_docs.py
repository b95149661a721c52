"""The documents about semantics and testing: what they show is what happens."""

import inspect
import logging
import os
import re
import subprocess
import sys
from pathlib import Path

import outcome_rows
import pytest
from act_rows import gaps, rows
from make_semantics import generate

import ossicle as oc
from ossicle.flow.graph import Node

ROOT = Path(__file__).parent.parent
PLUGIN = "ossicle.runtime.testing.plugin"
ALONE = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
"""Only what the command names: an installed ossicle brings the plugin by itself."""


def test_the_examples_run(tmp_path: Path) -> None:
    """Every Python block of docs/testing.md is a test file of its own, and passes."""
    text = (ROOT / "docs" / "testing.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    tests = 0
    for number, block in enumerate(blocks):
        (tmp_path / f"test_{number}.py").write_text(block, encoding="utf-8")
        tests += len(re.findall(r"^def test_", block, re.MULTILINE))
    assert tests >= len(blocks) > 8
    options = ["-q", "-p", PLUGIN, "-p", "no:cacheprovider"]
    command = [sys.executable, "-m", "pytest", *options, "."]
    done = subprocess.run(command, cwd=tmp_path, env=ALONE, capture_output=True, text=True)
    assert f"{tests} passed" in done.stdout, done.stdout + done.stderr
    assert done.returncode == 0


def test_the_pictures_are_what_happens(caplog: pytest.LogCaptureFixture) -> None:
    """docs/semantics.md and the tables in tests/semantics are what their script makes of runs now;
    `make docs` writes them anew."""
    with caplog.at_level(logging.CRITICAL, "ossicle"):
        for file, made in generate().items():
            assert made.splitlines() == file.read_text(encoding="utf-8").splitlines()


def test_the_outcomes_are_what_the_rules_say() -> None:
    """T1 T2 T3 T4 C2 C4 C5 R3: of every mode, kind of function and fate the requests end as the
    truth table says; every generator that began is closed once, and only success shows a value."""
    made = outcome_rows.rows()
    assert len(made) == 4 * 5 * 6
    for row in made:
        end = outcome_rows.FATES[row.fate]
        assert row.ends == tuple(each.format(end=end) for each in outcome_rows.TRUTH[row.mode]), row
        assert row.opened == row.closed
        assert (row.value == "done") == (row.fate == "it succeeds")


def test_every_act_and_every_event_of_every_component_is_in_the_table() -> None:
    """E3 E4 E5 E6 E7: who adds a component, an event or an act adds a row to docs/act_cases.py."""
    public = [getattr(oc, name) for name in oc.__all__]
    classes = {each for each in public if inspect.isclass(each) and issubclass(each, Node)}
    assert len(classes) > 25
    assert gaps(rows(), classes) == []


def test_a_gap_in_the_table_is_found() -> None:
    """The check above names an event that no row shows, and an act that no row sends."""
    without = [row for row in rows() if row.component != "Slider"]
    assert gaps(without, {oc.Slider}) == [
        "Slider: no row shows change",
        "Slider: no row shows input",
        "Slider: no row shows release",
        "Slider: no row sends input",
        "Slider: no row sends release",
    ]
