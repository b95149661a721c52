"""What live sound is doing, as one line for a terminal."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Mapping
from statistics import median
from typing import Any, TextIO

from ..flow.units import Seconds


def live_line(metrics: Mapping[str, Any]) -> str:
    """One line of `launched.metrics()`: how many, how late, how loaded, and what was lost.

    "late" is from microphone to speaker, the middle of those heard now, where pages tell it. Frames
    that were lost (on the way in) and dropped (because a function or a listener was too slow) are
    counted since the start, and so is how often players ran dry and how often a budget was passed.
    Where operators or functions cost or fail, the costliest operator, what waits for functions,
    what they dropped and what was left out stand behind.
    """
    sessions = metrics["sessions"]
    sources = [each for session in sessions for each in session["sources"] if not each["over"]]
    sinks = [each for session in sessions for each in session["sinks"] if not each["over"]]
    late = [each["latency_ms"] for each in sinks if each["latency_ms"]]
    into, out, loop = metrics["totals"]["in"], metrics["totals"]["out"], metrics["loop"]
    dropped = into["dropped"] + out["dropped"]
    beyond = sum(each["over_budget"] for session in sessions for each in session["sinks"])
    words = [
        f"live {len(sources)} in {len(sinks)} out, {metrics['open']} open",
        f"late {median(late):.0f} ms, most {max(each['worst_ms'] for each in sinks):.0f}"
        if late
        else "late –",
        f"load {100 * sum(each['load'] for each in sources):.1f} %",
        f"lost {into['lost']:.0f} dropped {dropped:.0f} dry {out['underruns']:.0f}",
        f"loop p99 {loop['p99_ms']:.1f} ms, {loop['stalls']} stalls",
    ]
    if beyond:
        words.append(f"over budget {beyond}×")
    return " · ".join([*words, *_nodes(metrics)])


def _nodes(metrics: Mapping[str, Any]) -> list[str]:
    sessions, words = metrics["sessions"], list[str]()
    chains = [each for session in sessions for each in session["chains"]]
    operators = [each for chain in chains for each in chain["operators"]]
    if operators:
        most = max(operators, key=lambda each: each["load"])
        if most["load"]:
            words.append(f"most {most['operator']} {100 * most['load']:.1f} %")
    if calls := [each for session in sessions for each in session["calls"]]:
        called = metrics["totals"]["functions"]
        words.append(f"functions {sum(each['waiting'] for each in calls)} waiting")
        words.append(f"{called['dropped']:.0f} dropped {called['failed']:.0f} failed")
    made = metrics["totals"]["operators"]
    if late := made["late"]:
        words.append(f"too late to mix {late:.0f}")
    if clipped := metrics["totals"]["out"]["clipped"]:
        words.append(f"clipped {clipped:.0f}")
    if faults := made["faults"]:
        words.append(f"faults {faults:.0f}")
    return words


class LiveLine:
    """Prints the line every so often, from a thread of its own, until it is closed.

    On a terminal each takes the place of the one before; elsewhere a line that says nothing new is
    left out.
    """

    def __init__(
        self, look: Callable[[], Mapping[str, Any]], every: Seconds, stream: TextIO | None = None
    ) -> None:
        self._look, self._every = look, every
        self._stream = stream or sys.stderr
        self._over = threading.Event()
        self._shown = ""
        self._thread = threading.Thread(target=self._run, name="ossicle line", daemon=True)
        self._thread.start()

    def join(self) -> None:
        """Wait until the app has ended."""
        self._thread.join()

    def close(self) -> None:
        self._over.set()
        self.join()

    def _run(self) -> None:
        while not self._over.wait(self._every):
            try:
                line = live_line(self._look())
            except RuntimeError:  # the app has ended
                break
            self._show(line)
        if self._shown and self._stream.isatty():
            self._stream.write("\n")

    def _show(self, line: str) -> None:
        if line == self._shown:
            return
        end = " " * max(0, len(self._shown) - len(line))
        self._stream.write(f"\r{line}{end}" if self._stream.isatty() else f"{line}\n")
        self._stream.flush()
        self._shown = line
