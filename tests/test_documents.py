"""What the README and its neighbours say is there, is there."""

import re
from pathlib import Path

import pytest

import ossicle as oc

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted(
    p.relative_to(ROOT).as_posix() for p in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]
)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_lead_somewhere(name: str) -> None:
    """Every relative link names a file."""
    path = ROOT / name
    links = re.findall(r"\]\((?!\w+:|#)([^)#]+)", path.read_text())
    assert [link for link in links if not (path.parent / link).exists()] == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_files_that_are_named_exist(name: str) -> None:
    """What stands between backticks and looks like a file or folder of ours is one."""
    named = re.findall(r"`((?:[\w.-]+/)+[\w.-]*)`", (ROOT / name).read_text(encoding="utf-8"))
    ours = [each for each in named if (ROOT / each.split("/")[0]).is_dir()]
    assert [each for each in ours if not (ROOT / each).exists()] == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_commands_exist(name: str) -> None:
    """Every `make x` of a document is a target."""
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:`|^ {4})make (\w+)", (ROOT / name).read_text(), re.MULTILINE))
    assert named <= targets


def test_the_example_of_the_readme_builds() -> None:
    """It runs as it stands and makes an app with one listener."""
    (example,) = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    names: dict[str, object] = {}
    exec(compile(example, "README.md", "exec"), names)
    assert isinstance(names["app"], oc.Blocks)
