"""What pyproject.toml promises about the folders, kept true."""

import ast
import functools
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import ossicle_node
import pytest

import ossicle as oc

ROOT = Path(__file__).parent.parent
CONFIG = tomllib.loads((ROOT / "pyproject.toml").read_text())
LAYERS = {"flow": set[str](), "components": {"flow"}, "runtime": {"flow", "components"}}
"""Import direction: a folder may import itself and these."""

STATIC = Path("runtime/frontends/web/static")


def files() -> list[Path]:
    """Every file of the project, relative to its root: what git has or would take."""
    git = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(git, cwd=ROOT, check=True, capture_output=True).stdout
    names = map(os.fsdecode, filter(None, listed.split(b"\0")))
    return [Path(name) for name in names if (ROOT / name).is_file()]


def code(*folders: str) -> Iterator[Path]:
    """The Python files below these folders of the root, the typings' links left out."""
    return (p for p in files() if p.suffix == ".py" and p.parts[0] in folders)


# What is installed


def test_every_folder_with_code_is_a_package() -> None:
    """Without an `__init__.py`, setup.py would leave it out."""
    assert [p for p in code(*LAYERS) if not (ROOT / p.parent / "__init__.py").is_file()] == []


def installed(path: Path) -> str:
    """Where a source file stands once installed."""
    return path.as_posix() if path.parts[0] == "ossicle" else f"ossicle/{path.as_posix()}"


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project as a stranger would clone it, with a page already built."""
    copy = tmp_path_factory.mktemp("clone")
    for path in files():
        (copy / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / path, copy / path)
    for name in ("index.html", "BUNDLE", "assets/index-4f.js", "assets/index-4f.js.gz"):
        (copy / STATIC / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / STATIC / name).write_text("page")
    return copy


def build(tree: Path, hook: str) -> Path:
    """Call one hook of the build backend as pip does; returns the distribution's path."""
    script = f"import sys, ossicle_build; print('made', ossicle_build.{hook}(sys.argv[1]))"
    env = dict(os.environ, PYTHONPATH=str(tree / "_build"), OSSICLE_PAGE="skip")
    done = subprocess.run(
        [sys.executable, "-c", script, tree / "dist"],
        cwd=tree,
        env=env,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return tree / "dist" / done.stdout.split()[-1]


@pytest.fixture(scope="module")
def built(tree: Path) -> Path:
    """Its wheel."""
    return build(tree, "build_wheel")


def test_the_wheel_holds_all_code_and_the_page(tree: Path, built: Path) -> None:
    """Whatever stands in the package folders is in the wheel, under `ossicle`, and nothing else."""
    with zipfile.ZipFile(built) as wheel:
        inside = {n for n in wheel.namelist() if ".dist-info/" not in n}
        licences = [n for n in wheel.namelist() if n.endswith("licenses/LICENSE")]
    page = {p.relative_to(tree) for p in (tree / STATIC).rglob("*") if p.is_file()}
    sources = {p for p in files() if p.parts[0] in {*LAYERS, "ossicle"}}
    assert inside == {installed(p) for p in sources | page}
    assert len(licences) == 1


@pytest.mark.usefixtures("built")
def test_a_second_wheel_forgets_what_was_deleted(tree: Path) -> None:
    """The hashed assets of an older page do not linger in setuptools' build folder."""
    old = tree / STATIC / "assets" / "index-4f.js"
    old.rename(old.with_name("index-5a.js"))
    with zipfile.ZipFile(build(tree, "build_wheel")) as wheel:
        scripts = [n for n in wheel.namelist() if n.endswith(".js")]
    old.with_name("index-5a.js").rename(old)
    assert scripts == [f"ossicle/{STATIC.as_posix()}/assets/index-5a.js"]


def test_importing_is_light() -> None:
    """`import ossicle` loads nothing heavy: that comes with the first use."""
    heavy = {"aiohttp", "av", "numpy", "pydub", "ray", "scipy", "soundfile", "textual"}
    script = "import sys, ossicle; print(*{m.split('.')[0] for m in sys.modules})"
    run = [sys.executable, "-c", script]
    loaded = subprocess.run(run, check=True, capture_output=True, text=True).stdout.split()
    assert heavy & set(loaded) == set()


def test_the_page_is_there_before_numpy() -> None:
    """An app that takes and gives sound serves its page without what only sound needs."""
    script = """
import sys, urllib.request
import ossicle as oc
with oc.Blocks() as app:
    sound = oc.Audio(sources=["upload", "microphone"])
    oc.Button("Back").click(lambda s: s, sound, oc.Audio())
launched = app.launch(server_port=0, prevent_thread_lock=True, quiet=True)
assert b"<html" in urllib.request.urlopen(launched.url).read()
print(*{m.split(".")[0] for m in sys.modules})
launched.close()
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert {"av", "numpy", "pydub", "scipy", "soundfile"} & set(done.stdout.split()) == set()


def test_one_version() -> None:
    """What the package says of itself is what pip installed."""
    assert oc.__version__ == CONFIG["project"]["version"]


# What may import what


@functools.cache
def imports(path: Path) -> list[ast.Import | ast.ImportFrom]:
    """The import statements of a file, at whatever depth."""
    found = ast.walk(ast.parse((ROOT / path).read_text("utf-8")))
    return [node for node in found if isinstance(node, ast.Import | ast.ImportFrom)]


def relative_targets(path: Path) -> Iterator[tuple[int, str]]:
    """Line and name of each top folder that a file reaches by a relative import."""
    depth = len(path.parts)
    for node in imports(path):
        if isinstance(node, ast.ImportFrom) and node.level >= depth:
            if node.module:
                yield node.lineno, node.module.split(".")[0]
            else:
                yield from ((node.lineno, alias.name) for alias in node.names)


def imported(path: Path) -> set[str]:
    """Top-level names that a file imports absolutely."""
    names: set[str] = set()
    for node in imports(path):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif node.module and not node.level:
            names.add(node.module.split(".")[0])
    return names


def offenders(paths: Iterable[Path], forbidden: set[str]) -> dict[str, set[str]]:
    """Which of these files import a forbidden name, and which."""
    return {str(p): bad for p in paths if (bad := imported(p) & forbidden)}


def test_imports_point_inwards() -> None:
    """flow <- components <- runtime, by relative imports, and none of them knows the facade."""
    wrong = [
        f"{path}:{line} imports {target}"
        for layer, allowed in LAYERS.items()
        for path in code(layer)
        for line, target in relative_targets(path)
        if target not in allowed | {layer}
    ]
    assert wrong == []
    assert offenders(code(*LAYERS), {"ossicle"}) == {}


def test_flow_is_pure() -> None:
    """No clock, no I/O and no event loop inside flow/."""
    world = {"asyncio", "time", "threading", "aiohttp", "soundfile", "pydub", "socket", "selectors"}
    assert offenders(code("flow"), world) == {}


def test_one_identity() -> None:
    """Nobody imports the folders as top-level packages: each class would exist twice."""
    places = {"ossicle", *LAYERS, "tests", "examples", "benchmarks"}
    assert offenders(code(*places), set(LAYERS)) == {}


# What must not be in the repository

# Bracketed, so that this file does not find itself.
ELSEWHERE = re.compile(
    rb"p[y]pi\.org|p[y]thonhosted|n[p]mjs\.|y[a]rnpkg|d[e]b\.debian"
    rb"|(?<![\w.])/(w[o]rk|f[a]rm|r[o]ot|h[o]me/\w+|U[s]ers/\w+|t[m]p/plan)/"
)


def test_no_registry_and_no_machine_is_named() -> None:
    """Where packages come from and where the tree stands is the machine's business."""
    found = [
        f"{path}:{number}: {line[:100]!r}"
        for path in files()
        for number, line in enumerate((ROOT / path).read_bytes().split(b"\n"), 1)
        if ELSEWHERE.search(line)
    ]
    assert found == []


def test_the_lock_file_works_with_any_registry() -> None:
    """No `resolved` address, a hash for each package, and none that would run a script."""
    lock = json.loads((ROOT / "web" / "package-lock.json").read_text())
    packages = {name: p for name, p in lock["packages"].items() if name}
    assert len(packages) > 50
    assert [n for n, p in packages.items() if "resolved" in p or "integrity" not in p] == []
    assert [n for n, p in packages.items() if p.get("hasInstallScript")] == []
    npmrc = (ROOT / "web" / ".npmrc").read_text()
    assert "omit-lockfile-registry-resolved=true" in npmrc.splitlines()


def test_one_node_for_the_page_and_its_checks() -> None:
    """The Node that builds is the Node that tests."""
    assert ossicle_node.REQUIREMENT in CONFIG["project"]["optional-dependencies"]["dev"]


def test_type_checkers_see_the_installed_layout() -> None:
    """The links under typings/ show the folders as one package, also in a clone without links."""
    face = {p.name for p in code("ossicle")} - {"__main__.py"}
    for name in (*LAYERS, *face):
        link = ROOT / "typings" / "ossicle" / name
        target = os.readlink(link) if link.is_symlink() else link.read_text().strip()
        source = ROOT / name if name in LAYERS else ROOT / "ossicle" / name
        assert (link.parent / target).resolve() == source
