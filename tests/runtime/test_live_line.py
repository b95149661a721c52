"""The line that a terminal shows of live sound."""

from __future__ import annotations

import io
from typing import Any

from ossicle.runtime.live_line import LiveLine, live_line
from ossicle.runtime.streams.metrics import Metrics


class Terminal(io.StringIO):
    """Keeps what is written."""

    def __init__(self, tty: bool) -> None:
        super().__init__()
        self.tty = tty

    def isatty(self) -> bool:
        return self.tty


def snapshots(seconds: list[float]) -> list[dict[str, Any]]:
    """One session whose sound is later and later."""
    made: list[dict[str, Any]] = []
    for late in seconds:
        metrics = Metrics()
        session = metrics.open()
        source = session.source(1, 48_000, 1)
        source.received, source.busy, source.lost = 48_000, 0.25, 960
        sink = session.sink(2, 48_000, 1, True)
        sink.late_by(late, late + 9)
        made.append(metrics.snapshot())
    return made


def test_a_line_has_what_matters() -> None:
    """How many, how late, how loaded, what was lost; without live sound it says so."""
    (one,) = snapshots([31.4])
    assert live_line(one) == (
        "live 1 in 1 out, 1 open · late 31 ms, most 40 · load 25.0 % · lost 960 dropped 0 dry 0 · "
        "loop p99 0.0 ms, 0 stalls"
    )
    assert live_line(Metrics().snapshot()).startswith("live 0 in 0 out, 0 open · late – · load 0.0")


def shown(tty: bool) -> str:
    terminal = Terminal(tty)
    looks = iter([*snapshots([120.0, 120.0, 20.0])])
    line = LiveLine(lambda: next(looks, None) or stop(), 0.001, terminal)
    line.join()
    return terminal.getvalue()


def stop() -> dict[str, Any]:
    raise RuntimeError("the app has ended")


def test_in_a_log_only_what_is_new_is_a_line() -> None:
    """Two lines for three looks, of which two saw the same."""
    lines = shown(tty=False).splitlines()
    late = [each.split(" · ")[1] for each in lines]
    assert late == ["late 120 ms, most 129", "late 20 ms, most 29"]


def test_on_a_terminal_a_line_takes_the_place_of_the_one_before() -> None:
    """Shorter ones cover what is left of longer ones."""
    first, second = shown(tty=True).removeprefix("\r").rstrip("\n").split("\r")
    assert len(second) == len(first)
    assert second.rstrip() != first.rstrip()
