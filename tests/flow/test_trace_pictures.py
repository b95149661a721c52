"""Traces as marbles, in text and in pictures."""

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from itertools import pairwise

import pytest

import ossicle as oc
from ossicle.flow.marbles import MarbleError, parse
from ossicle.flow.trace_picture import BADGE
from ossicle.testing import Lab, TraceError

from .traced import App, apology, steps, waited


def test_marbles_show_ports_and_listeners() -> None:
    """X1: Letters for events; q s y | # ^ x r for requests; a row by itself can be read."""
    with oc.Blocks() as demo:
        go, out = oc.Button("Go", label="Go"), oc.Number()
        go.click(steps, None, out, trigger_mode="always_last")
        out.change(len_of, out)
    with Lab(demo, takes={steps: [0.2, 0.1]}) as lab:
        acts: dict[str, Callable[[], object]] = {"a": lambda: lab.click(go)}
        lab.perform("-aa-(aa)-", acts)
        lab.run(1.5)
    picture = lab.trace.to_marbles("Button", "steps", steps=False)
    assert picture.splitlines() == [
        "Button 'Go'.click  -ab-(cd)---   ------",
        "steps              -s--(xx)--(|s)-----|",
    ]
    for line in lab.trace.to_marbles(steps=False).splitlines():
        parse(line.split("  ", 1)[1])


def len_of(number: int) -> int:
    return number


def test_a_row_that_cannot_be_is_told_with_those_there_are(told: tuple[App, Lab]) -> None:
    """X1: in text and in SVG; an empty picture would look as if nothing had happened."""
    _, lab = told
    for draw in (lab.trace.to_marbles, lab.trace.to_svg):
        with pytest.raises(
            TraceError, match=r"no row 'stesp'; there are\n  s1 Textbox 'Name'\.sub"
        ):
            draw("steps", "stesp")
        with pytest.raises(TraceError, match="named by a text, .* not by <Button 'Go'>"):
            draw(told[0].go)  # type: ignore[arg-type]  # as a user may try
    with pytest.raises(MarbleError, match=r"frame=-1 must be the seconds of one character"):
        lab.trace.to_marbles(frame=-1)


def test_a_row_that_was_asked_for_is_there_though_nothing_happened() -> None:
    """X1: that a listener never ran can be read, not only looked for in vain."""
    with oc.Blocks() as demo:
        go, stop = oc.Button("Go"), oc.Button("Stop")
        go.click(len_of, oc.Number(0))
        stop.click(waited)
    with Lab(demo) as lab:
        lab.perform("-a-", {"a": lambda: lab.click(go)})
    assert lab.trace.to_marbles("Go", "waited", until=0.4).splitlines() == [
        "Button 'Go'.click  -a--",
        "waited             ----",
    ]


def test_every_is_no_event_of_its_trigger() -> None:
    """M1 X1: the page opened once, though what hangs on that ran again and again."""
    with oc.Blocks() as demo:
        demo.load(waited, every=0.2)
        oc.Timer(0.3).tick(apology)
    with Lab(demo) as lab:
        lab.run(0.5)
    picture = lab.trace.to_marbles("load", "tick", "waited", steps=False, until=0.6)
    assert picture.splitlines() == [
        "Blocks.load   a   --   --   -",
        "Timer 1.tick  -   --   a-   -",
        "waited        (s|)-(s|)-(s|)-",
    ]


def test_what_stands_in_a_part_has_its_name() -> None:
    """X1 P1: in pictures its ports stand above all listeners, and why() tells of no number."""
    with oc.Blocks() as demo:
        count = oc.Number(1, label="Count")

        @oc.render(inputs=count)
        def part(_: int) -> None:
            oc.Button("Inner").click(waited, api_name="inner")
            oc.Button("Unheard")

    with Lab(demo) as lab:
        lab.click(lab.find("Inner"))
        lab.input(count, 2)
        lab.perform("-a-", {"a": lambda: lab.click(lab.find("Inner"))})
    assert lab.trace.to_marbles("inner", "Inner", "part", steps=False, until=0.3).splitlines() == [
        "Button 'Inner'.click  a     b   -",
        "part                  (s|s|)-   -",
        "inner                 (s|)  (s|)-",
    ]
    assert "asked for by Button 'Inner'.click at 0.1 s" in lab.trace.why(lab.outcomes[-1])
    assert lab.trace.to_svg("inner").count("<rect") == 4, "two runs, each with a bar"
    with pytest.raises(TraceError, match=r"no row 'Unheard'; [^|]*\n  Button 'Inner'\.click\n"):
        lab.trace.to_marbles("Unheard")


def test_svg_is_an_image_in_the_pages_colour(told: tuple[App, Lab]) -> None:
    """Well-formed, a row for each name, no colour of its own."""
    _, lab = told
    text = lab.trace.to_svg()
    root = ElementTree.fromstring(text)
    labels = [each.text for each in root.iter("{http://www.w3.org/2000/svg}text")]
    assert "s1 steps" in labels
    assert "s1 Button 'Go'.click" in labels
    assert "currentColor" in text
    assert re.search(r'(fill|stroke)="#', text) is None


def test_svg_marks_stand_beside_each_other() -> None:
    """However close two instants are: the picture grows, and no line runs through a letter."""
    with oc.Blocks() as app:
        go = oc.Button("Go")
        go.click(ignored, trigger_mode="multiple")
    with Lab(app) as lab:
        for at in (0.0, 0.1, 0.2, 5.0):
            lab.run_until(at)
            lab.click(go)
        root = ElementTree.fromstring(lab.trace.to_svg())
    space = "{http://www.w3.org/2000/svg}"
    rows = dict[str, list[tuple[float, float]]]()
    for each in root.iter(f"{space}rect"):
        x, width = float(each.attrib["x"]), float(each.attrib["width"])
        if each.attrib.get("fill") == "none":
            rows.setdefault(each.attrib["y"], []).append((x, x + width))
    assert [len(badges) for badges in rows.values()] == [4, 4]
    lines = [each.attrib for each in root.iter(f"{space}line")]
    for top, badges in rows.items():
        for (_, end), (begin, _) in pairwise(badges):
            assert end < begin
        middle = float(top) + BADGE
        mine = [(float(a["x1"]), float(a["x2"])) for a in lines if a["y1"] == f"{middle:g}"]
        assert len(mine) == 3
        assert not [b for b in badges for a in mine if a[0] < b[1] - 0.01 and b[0] + 0.01 < a[1]]


def ignored() -> None: ...
