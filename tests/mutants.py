"""Deliberate faults in flow/: does the suite notice each of them?

    python tests/mutants.py --count 60 --seed 1

Each mutant is one small change (a comparison turned round, a condition negated, a number off by
one, a statement left out) in a copy of the tree; the semantics, conformance and flow tests run
there and should fail. Prints the survivors with their place, and the score.
"""

from __future__ import annotations

import argparse
import ast
import copy
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
FILES = (
    "flow/queue.py",
    "flow/scheduler.py",
    "flow/program.py",
    "flow/events.py",
    "flow/session.py",
    "flow/recording.py",
    "flow/sounding.py",
    "flow/piping.py",
    "flow/ticking.py",
    "flow/parts.py",
    "flow/plan.py",
    "flow/calls.py",
    "flow/results.py",
    "flow/timers.py",
    "flow/chunks.py",
    "flow/eta.py",
    *(f"flow/triggers/{name}.py" for name in ("once", "multiple", "always_last", "restart")),
)
NEEDED = (
    "flow",
    "components",
    "runtime",
    "ossicle",
    "typings",
    "tests",
    "_build",
    "examples",
    "docs",
)
TESTS = (
    "tests/semantics",
    "tests/flow/test_live.py",
    "tests/flow/test_render.py",
    "tests/conformance/test_machine.py",
)
LEFT_OUT = "hundred_thousand"
"""The long random run takes longer than all others together."""

TURNED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.GtE,
    ast.GtE: ast.Lt,
    ast.Gt: ast.LtE,
    ast.LtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}


def mutants(tree: ast.Module) -> Iterator[tuple[str, int, ast.Module]]:
    """Each tree with one fault: what was done, in which line, and the tree."""
    for place, node in enumerate(ast.walk(tree)):
        for what in faults(node):
            changed = copy.deepcopy(tree)
            target = next(n for i, n in enumerate(ast.walk(changed)) if i == place)
            apply(target, what)
            yield what, getattr(node, "lineno", 0), ast.fix_missing_locations(changed)


def faults(node: ast.AST) -> list[str]:
    """What can be done wrong at this node."""
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        return ["turn the comparison round"]
    if isinstance(node, ast.BoolOp):
        return ["and <-> or"]
    if isinstance(node, ast.If | ast.While) and not isinstance(node.test, ast.Compare | ast.BoolOp):
        return ["negate the condition"]
    if isinstance(node, ast.Constant) and isinstance(node.value, int):
        return ["flip" if isinstance(node.value, bool) else "one more"]
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        return ["leave the call out"]
    if isinstance(node, ast.AugAssign):
        return ["leave the change out"]
    return []


def apply(node: ast.AST, what: str) -> None:
    match node:
        case ast.Compare():
            node.ops = [TURNED[type(node.ops[0])]()]
        case ast.BoolOp():
            node.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        case ast.If() | ast.While():
            node.test = ast.UnaryOp(ast.Not(), node.test)
        case ast.Constant():
            node.value = not node.value if what == "flip" else int(str(node.value)) + 1
        case ast.Expr():
            node.value = ast.Constant(None)
        case ast.AugAssign():
            node.value = ast.Constant(0)
        case _:
            raise TypeError(f"{node!r} has no fault {what!r}")


def noticed(tree: Path) -> bool:
    """Whether the suite fails in this copy."""
    done = subprocess.run(
        # -P: `ossicle/` in the working folder is not the whole package, the links' is
        [sys.executable, "-P", "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *TESTS]
        + ["-k", f"not {LEFT_OUT}", "--hypothesis-seed=0"],
        cwd=tree,
        # the links under typings/ make the copy importable, before any installed ossicle
        env={**os.environ, "PYTHONPATH": str(tree / "typings"), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        timeout=600,
    )
    if done.returncode not in (0, 1, 2):
        raise RuntimeError(done.stdout.decode()[-2000:] + done.stderr.decode()[-2000:])
    return done.returncode != 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--count", type=int, default=60, help="how many mutants, drawn by chance")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", nargs="+", default=FILES, metavar="FILE", help="of these files")
    options = parser.parse_args()
    all_of_them = [
        (name, what, line, made)
        for name in options.only
        for what, line, made in mutants(ast.parse((ROOT / name).read_text()))
    ]
    drawn = random.Random(options.seed).sample(all_of_them, min(options.count, len(all_of_them)))
    survivors = list[str]()
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder)
        for name in NEEDED:
            skip = shutil.ignore_patterns("__pycache__", "static", "shots")
            shutil.copytree(ROOT / name, tree / name, symlinks=True, ignore=skip)
        shutil.copy(ROOT / "pyproject.toml", tree)
        if noticed(tree):
            print("the suite fails without any fault", file=sys.stderr)
            return 2
        for done, (name, what, line, made) in enumerate(drawn, 1):
            original = (tree / name).read_text()
            (tree / name).write_text(ast.unparse(made))
            try:
                seen = noticed(tree)
            except subprocess.TimeoutExpired:
                seen = True  # a fault that makes it run for ever is noticed, too
            (tree / name).write_text(original)
            if not seen:
                survivors.append(f"{name}:{line}: {what}")
                print(survivors[-1], flush=True)
            print(f"{done}/{len(drawn)}, {len(survivors)} survived", end="\r", file=sys.stderr)
    killed = len(drawn) - len(survivors)
    print(f"{killed} of {len(drawn)} noticed ({killed / len(drawn):.0%}); {len(all_of_them)} exist")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
