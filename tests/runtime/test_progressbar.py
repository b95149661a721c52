"""The progress bar: one line on a terminal, silence elsewhere."""

from __future__ import annotations

import io

from ossicle.runtime.progressbar import ProgressBar, line


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_lines() -> None:
    """Bar, share, time and words; without a share only time and words."""
    assert line(12, 0.5, "mixing") == "[" + "#" * 15 + "-" * 15 + "]  50%  0:12  mixing"
    assert line(75, None, "working") == "1:15  working"
    assert line(0, 7.0, "") == "[" + "#" * 30 + "] 100%  0:00"


def test_short_work_draws_nothing() -> None:
    """A bar that would only flash is not shown."""
    terminal = Terminal()
    bar = ProgressBar(terminal, 0.0)
    bar.update(0.4, 0.5, "x")
    bar.close()
    assert terminal.getvalue() == ""


def test_long_work() -> None:
    """Drawn over itself, not more often than eyes can follow, and gone at the end."""
    terminal = Terminal()
    bar = ProgressBar(terminal, 0.0)
    for step in range(100):
        bar.update(1 + step / 1000, step / 100, "working")
    bar.close()
    drawn = terminal.getvalue().split("\r")
    assert len([text for text in drawn if "working" in text]) == 1
    assert drawn[-1] == "" and drawn[-2].strip() == ""


def test_no_terminal() -> None:
    """A log file gets no bar."""
    stream = io.StringIO()
    bar = ProgressBar(stream, 0.0)
    bar.update(99.0, 0.5, "x")
    bar.close()
    assert stream.getvalue() == ""
