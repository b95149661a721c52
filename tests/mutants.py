"""Deliberate faults in flow/: does the suite notice each of them?

    python tests/mutants.py --count 60 --seed 1 > survivors.txt
    python tests/mutants.py --these survivors.txt

Each mutant is one small change (a comparison turned round, a condition negated, a number off by
one, a statement left out) in the body of one function; the semantics, conformance and flow tests
run with it and should fail. Prints the survivors with their place, and the score.

Tests are collected once. Each mutant is then a fork in which one function has other code, so that
one costs what the tests cost up to the first that fails.
"""

from __future__ import annotations

import argparse
import ast
import os
import random
import signal
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, reduce
from importlib import import_module
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
FILES = (
    "flow/queue.py",
    "flow/lines.py",
    "flow/locks.py",
    "flow/scheduler.py",
    "flow/program.py",
    "flow/alone.py",
    "flow/events.py",
    "flow/session.py",
    "flow/recording.py",
    "flow/sounding.py",
    "flow/coalesce.py",
    "flow/streams.py",
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
TESTS = (
    "tests/semantics",
    "tests/flow/test_live_in.py",
    "tests/flow/test_live_out.py",
    "tests/flow/test_live_through.py",
    "tests/flow/test_render.py",
    "tests/conformance/test_machine.py",
)
LEFT_OUT = "hundred_thousand"
"""The long random run takes longer than all others together."""
TOO_LONG = 60
"""Seconds of processor time for the tests; a fault may make them run for ever."""
PATIENCE = 900
"""Seconds on the wall; or wait for ever."""

NOT_MADE = 99

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
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Mutant:
    """One fault: in which file and function, at which line, and at which node of the function."""

    file: str
    function: str
    line: int
    what: str
    node: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.what} (in {self.function}, {self.node})"

    def apply(self) -> None:
        """Give the living function the code with the fault; whoever holds it has the fault."""
        tree = ast.parse(source(self.file))
        found = dict(functions(tree))[self.function]
        change(list(ast.walk(found))[self.node], self.what)
        code = compile(ast.fix_missing_locations(tree), str(ROOT / self.file), "exec")
        for name in self.function.split("."):
            code = next(c for c in code.co_consts if isinstance(c, CodeType) and c.co_name == name)
        living(self.file, self.function).__code__ = code


@cache
def source(file: str) -> str:
    """As it was when the run began: it may take an hour, and somebody edits meanwhile."""
    return (ROOT / file).read_text()


def functions(tree: ast.Module) -> Iterator[tuple[str, Function]]:
    """Functions of a file and methods of its classes, by qualified name."""
    for each in tree.body:
        if isinstance(each, Function):
            yield each.name, each
        elif isinstance(each, ast.ClassDef):
            for inner in each.body:
                if isinstance(inner, Function):
                    yield f"{each.name}.{inner.name}", inner


def living(file: str, function: str) -> FunctionType:
    """The function that the tests run."""
    module = import_module("ossicle." + file.removesuffix(".py").replace("/", "."))
    found: Any = reduce(member, function.split("."), module)
    inner: Any = getattr(found, "fget", None) or getattr(found, "__func__", found)
    while hasattr(inner, "__wrapped__"):
        inner = inner.__wrapped__
    assert isinstance(inner, FunctionType), function
    return inner


def member(holder: object, name: str) -> Any:
    """As it stands in a class: not bound, and a property itself."""
    return vars(holder)[name]


def mutants(file: str) -> Iterator[Mutant]:
    """All faults that the functions of a file can have."""
    for name, function in functions(ast.parse(source(file))):
        within = {each for stmt in function.body for each in ast.walk(stmt)}
        for place, node in enumerate(ast.walk(function)):
            if node in within:
                for what in faults(node):
                    yield Mutant(file, name, getattr(node, "lineno", 0), what, place)


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


def change(node: ast.AST, what: str) -> None:
    """Do it."""
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


class Trying:
    """In the place of pytest's own loop over the tests: the loop once for each mutant."""

    def __init__(self, drawn: list[Mutant]) -> None:
        self.drawn = drawn
        self.survivors = list[Mutant]()

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        terminal = os.dup(1)
        if fails(session, None):
            raise pytest.UsageError("the suite fails without any fault")
        for done, mutant in enumerate(self.drawn, 1):
            if not fails(session, mutant):
                self.survivors.append(mutant)
                os.write(terminal, f"{mutant}\n".encode())
            told = f"{done}/{len(self.drawn)}, {len(self.survivors)} survived"
            print(told, end="\r", file=sys.__stderr__, flush=True)
        return True


def fails(session: pytest.Session, mutant: Mutant | None) -> bool:
    """Whether a test fails with that fault. Tests that go on for ever fail, too."""
    child = os.fork()
    if not child:
        signal.setitimer(signal.ITIMER_PROF, TOO_LONG)
        signal.alarm(PATIENCE)
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), 1)
            os.dup2(nowhere.fileno(), 2)
        try:
            if mutant:
                mutant.apply()
        except BaseException:
            os._exit(NOT_MADE)
        try:
            for item, following in zip(session.items, [*session.items[1:], None], strict=True):
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
                if session.testsfailed:
                    break
        except BaseException:
            os._exit(1)
        os._exit(1 if session.testsfailed else 0)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code == NOT_MADE:
        raise RuntimeError(f"{mutant} cannot be made")
    return code != 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--count", type=int, default=60, help="how many mutants, drawn by chance")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", nargs="+", default=FILES, metavar="FILE", help="of these files")
    parser.add_argument("--these", type=Path, help="those that this file names, and no others")
    parser.add_argument("--tests", nargs="+", default=TESTS, metavar="FILE", help="by these tests")
    options = parser.parse_args()
    everything = [each for file in options.only for each in mutants(file)]
    if options.these:
        named = set(options.these.read_text().splitlines())
        drawn = [each for each in everything if str(each) in named]
    else:
        drawn = random.Random(options.seed).sample(everything, min(options.count, len(everything)))
    trying = Trying(drawn)
    os.environ["OSSICLE_EXAMPLES"] = "60"
    with tempfile.TemporaryDirectory() as folder:
        os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = folder
        plain = ["-x", "-q", "-s", "--no-header", "-p", "no:cacheprovider", "--hypothesis-seed=0"]
        tests = [str(ROOT / each) for each in options.tests]
        code = pytest.main([*plain, "-k", f"not {LEFT_OUT}", *tests], plugins=[trying])
    if code not in (0, 1):
        return code
    killed = len(drawn) - len(trying.survivors)
    print(f"{killed} of {len(drawn)} noticed ({killed / len(drawn):.0%}); {len(everything)} exist")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
