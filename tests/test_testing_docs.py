"""The documents about semantics and testing: what they show is what happens."""

import importlib.util
import logging
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

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
    """docs/semantics.md is what its script makes of runs now; `make docs` writes it anew."""
    path = ROOT / "docs" / "make_semantics.py"
    spec = importlib.util.spec_from_file_location("make_semantics", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with caplog.at_level(logging.CRITICAL, "ossicle"):
        made = module.generate().splitlines()
    assert made == (ROOT / "docs" / "semantics.md").read_text(encoding="utf-8").splitlines()
