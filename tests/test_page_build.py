"""When the web page is built again, asked of the real script in a small tree of its own."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

BUILD = Path(__file__).parent.parent / "_build"
STATIC = Path("runtime/frontends/web/static")


class Project:
    """A project folder with the build scripts and a small web/ whose page counts as built."""

    def __init__(self, root: Path) -> None:
        self.root = root
        shutil.copytree(BUILD, root / "_build", ignore=shutil.ignore_patterns("__pycache__"))
        self.lock({"node_modules/a": {"version": "1.0.0", "integrity": "sha512-a"}})
        self.write("web/src/main.ts", "start()")
        self.write(STATIC / "index.html", "<html>")
        self.write(STATIC / "BUNDLE", self.ask("digest"))

    def write(self, path: str | Path, text: str) -> None:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text)

    def lock(self, packages: dict[str, Any], folder: str = "web/package-lock.json") -> None:
        self.write(folder, json.dumps({"packages": {"": {"name": "web"}, **packages}}))

    def ask(self, function: str) -> str:
        """What a function of the script returns, printed."""
        script = f"import ossicle_page; print(ossicle_page.{function}())"
        run = [sys.executable, "-c", script]
        return subprocess.run(
            run, cwd=self.root / "_build", check=True, capture_output=True, text=True
        ).stdout.strip()


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_a_built_page_is_left_alone(project: Project) -> None:
    """Nothing moved, nothing is built: neither Node nor a registry is asked for."""
    assert project.ask("stale") == "False"


@pytest.mark.parametrize("name", ["src/main.ts", "src/new.svelte", "index.html", "package.json"])
def test_an_edit_makes_it_stale(project: Project, name: str) -> None:
    project.write(f"web/{name}", "other")
    assert project.ask("stale") == "True"


@pytest.mark.parametrize("name", ["node_modules/a/x.js", "tests/page.ts", "src/time.test.ts"])
def test_what_does_not_reach_the_page_does_not(project: Project, name: str) -> None:
    project.write(f"web/{name}", "other")
    assert project.ask("stale") == "False"


@pytest.mark.parametrize("name", ["index.html", "BUNDLE"])
def test_a_missing_page_is_stale(project: Project, name: str) -> None:
    (project.root / STATIC / name).unlink()
    assert project.ask("stale") == "True"


def test_a_tree_without_sources_builds_nothing(project: Project) -> None:
    """There is nothing to build from: an install must not fail over it."""
    shutil.rmtree(project.root / STATIC)
    shutil.rmtree(project.root / "web")
    assert project.ask("stale") == "False"


def test_modules_are_kept_while_they_are_as_locked(project: Project) -> None:
    """Only what is locked, at that hash, counts; a package of another system may be missing."""
    a = {"version": "1.0.0", "integrity": "sha512-a"}
    b = {"version": "1.0.0", "integrity": "sha512-b"}
    inside = "web/node_modules/.package-lock.json"
    assert project.ask("modules_current") == "False"
    project.lock({"node_modules/a": a}, inside)
    assert project.ask("modules_current") == "True"
    project.lock({"node_modules/a": b})
    assert project.ask("modules_current") == "False"
    project.lock({"node_modules/a": a, "node_modules/b": b})
    assert project.ask("modules_current") == "False"
    project.lock({"node_modules/a": a, "node_modules/b": {**b, "optional": True}})
    assert project.ask("modules_current") == "True"
