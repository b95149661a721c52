"""From figures to text: medians, spread, ratios; with versions, machine and date."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from .measure import Measure

Series = Mapping[str, Sequence[float]]
"""A measure's key to one value a round."""


@dataclass(frozen=True, slots=True)
class Report:
    """One run of the benchmark."""

    peer: Series
    ours: Series
    measures: Sequence[Measure]
    facts: Mapping[str, str]
    """What the figures depend on: versions, machine, date, load."""

    def table(self) -> list[tuple[str, str, str, str, str]]:
        """Rows of (measure, peer, ossicle, times better, goal)."""
        rows = [("", "gradio", "ossicle", "times better", "goal")]
        for m in self.measures:
            theirs, own = self.peer.get(m.key, ()), self.ours.get(m.key, ())
            if theirs or own:
                title = f"{m.title} [{m.unit}]" if m.unit else m.title
                ratio = _ratio(m, theirs, own)
                shown = "" if ratio is None else f"{ratio:.3g}"
                rows.append((title, _spread(theirs), _spread(own), shown, _goal(m, own, ratio)))
        return rows

    def text(self) -> str:
        rows = self.table()
        widths = [max(len(row[i]) for row in rows) for i in range(5)]
        lines = [f"{name}: {value}" for name, value in self.facts.items()] + [""]
        for row in rows:
            first, *rest = (cell.ljust(w) for cell, w in zip(row, widths, strict=True))
            lines.append("  ".join([first, *rest]).rstrip())
        return "\n".join([*lines, "", "median (least to greatest round)"])

    def markdown(self) -> str:
        head, *rows = self.table()
        lines = [f"- {name}: {value}" for name, value in self.facts.items()]
        lines += ["", _bar(head), _bar(("---", "---:", "---:", "---:", "---"))]
        lines += map(_bar, rows)
        return "\n".join([*lines, "", "Median (least to greatest round).", ""])

    def json(self) -> str:
        document = {
            "facts": dict(self.facts),
            "measures": {
                m.key: {
                    "title": m.title,
                    "unit": m.unit,
                    "higher_is_better": m.higher_is_better,
                    "peer": list(self.peer.get(m.key, ())),
                    "ossicle": list(self.ours.get(m.key, ())),
                    "times_better": _ratio(m, self.peer.get(m.key, ()), self.ours.get(m.key, ())),
                }
                for m in self.measures
            },
        }
        return json.dumps(document, indent=2) + "\n"


def machine() -> dict[str, str]:
    """The facts every figure depends on, whatever was measured."""
    model = platform.processor() or platform.machine()
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "machine": f"{model}, {os.cpu_count()} cores, {platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


def load_average() -> str:
    return f"{os.getloadavg()[0]:.2f}"


def _ratio(m: Measure, theirs: Sequence[float], own: Sequence[float]) -> float | None:
    if not theirs or not own or not median(theirs) or not median(own):
        return None
    ratio = median(theirs) / median(own)
    return 1 / ratio if m.higher_is_better else ratio


def _goal(m: Measure, own: Sequence[float], ratio: float | None) -> str:
    if m.goal_ratio is not None and ratio is not None:
        return f"{m.goal_ratio:g} times better: {_met(ratio >= m.goal_ratio)}"
    if m.goal is not None and own:
        met = median(own) >= m.goal if m.higher_is_better else median(own) <= m.goal
        return f"{'≥' if m.higher_is_better else '≤'} {m.goal:g}: {_met(met)}"
    return ""


def _met(met: bool) -> str:
    return "met" if met else "missed"


def _spread(values: Sequence[float]) -> str:
    if not values:
        return "–"
    if min(values) == max(values):
        return _number(values[0])
    return f"{_number(median(values))} ({_number(min(values))} to {_number(max(values))})"


def _number(value: float) -> str:
    """Three digits that count, never in powers of ten."""
    if value == 0 or value == int(value) and abs(value) < 1e6:
        return f"{value:.0f}"
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _bar(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
