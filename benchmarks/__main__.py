"""`python -m benchmarks`: ossicle beside its peer, in turns, with ratios."""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path

from . import answer, environments, measure, page
from .environments import ROOT, Side
from .measure import Figures, Load
from .report import Report, load_average, machine


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=4, help="turns of each side (default 4)")
    parser.add_argument("--calls", type=int, default=200, help="sequential calls a turn")
    parser.add_argument("--crowd-seconds", type=float, default=2.0, help="length of the crowd")
    parser.add_argument("--only", choices=("peer", "ossicle"), help="one side alone")
    parser.add_argument("--peer", default="gradio", metavar="REQUIREMENT", help="e.g. gradio==6.31")
    parser.add_argument(
        "--fresh", action="store_true", help="install the working tree into benchmarks/.ours first"
    )
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--markdown", type=Path, metavar="FILE")
    options = parser.parse_args()
    if not sys.platform.startswith("linux"):
        parser.error("the figures come from /proc: Linux only")
    sides: list[Side] = []
    if options.only != "ossicle":
        sides.append(environments.peer(options.peer))
    if options.only != "peer":
        sides.append(environments.ours(options.fresh))
    load = Load(calls=options.calls, crowd_seconds=options.crowd_seconds)
    report = asyncio.run(compare(sides, options.rounds, load))
    print(report.text())
    if options.json:
        options.json.write_text(report.json())
    if options.markdown:
        options.markdown.write_text(report.markdown())


async def compare(sides: list[Side], rounds: int, load: Load) -> Report:
    """Each round gives every side one turn, so that the machine's moods meet all of them."""
    series: dict[str, dict[str, list[float]]] = {s.key: defaultdict(list) for s in sides}

    def keep(side: Side, figures: Figures) -> None:
        for key, value in figures.items():
            series[side.key][key].append(value)

    facts = machine()
    for side in sides:
        facts[side.module] = side.version() + (_commit() if side.key == "ossicle" else "")
    facts["load"] = (
        f"{rounds} rounds, {load.calls} calls after {load.warm_up} to warm up, crowd of "
        f"{measure.AT_ONCE} for {load.crowd_seconds:g} s"
    )
    facts["page weight"] = page.how()
    before, start = load_average(), time.perf_counter()
    for side in sides:
        measure.warm_up(side)
    for _ in range(2):  # Bytes and requests do not vary; the second visit says so.
        for side in sides:
            print(f"opening the page of {side.key}", file=sys.stderr)
            keep(side, await page.visit(side))
            keep(side, await answer.hear(side))
    for n in range(rounds):
        for side in sides:
            print(f"round {n + 1} of {rounds}: {side.key}", file=sys.stderr)
            keep(side, await measure.one_round(side, load))
    facts["load average"] = f"{before} before, {load_average()} after"
    facts["took"] = f"{time.perf_counter() - start:.0f} s"
    empty: dict[str, list[float]] = {}
    return Report(
        series.get("peer", empty),
        series.get("ossicle", empty),
        measure.MEASURES + page.MEASURES + answer.MEASURES,
        facts,
    )


def _commit() -> str:
    """The commit measured, where the tree is a checkout."""
    if not (ROOT / ".git").exists():
        return ""
    commit = environments.run(["git", "rev-parse", "--short", "HEAD"])
    changed = subprocess.run(["git", "diff", "--quiet", "HEAD"], cwd=ROOT, check=False).returncode
    return f" at {commit}{' with changes' if changed else ''}"


if __name__ == "__main__":
    main()
