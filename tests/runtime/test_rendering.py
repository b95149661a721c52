"""Blocks inside Blocks, and interfaces as tabs."""

from __future__ import annotations

from typing import Any

import pytest

import ossicle as oc
from ossicle.testing import Kind, Lab


def double(number: float) -> float:
    return 2 * number


def interface() -> oc.Interface:
    return oc.Interface(double, "number", "number", [3], title="Twice")


def test_tabs_of_interfaces_run_each_on_its_own() -> None:
    """Names of listeners stay unique, and nothing of one reaches the other."""
    both = interface(), interface()
    demo = oc.TabbedInterface(both, ["One", "Two"], title="Both")
    assert [n.label for n in demo.nodes if isinstance(n, oc.Tab)] == ["One", "Two"]
    assert [n.id for n in demo.nodes] == list(range(len(demo.nodes)))
    names = [each.name for each in demo.listeners]
    assert len(set(names)) == len(names) and {"double", "double_1"} <= set(names)
    with Lab(demo) as lab:
        for each, value in zip(both, (4, 5), strict=True):
            lab.input(each.input_components[0], value)
            lab.click(next(n for n in demo.nodes if button(n, each)))
        assert [lab.value(each.output_components[0]) for each in both] == [8, 10]
        pick = [n for n in demo.nodes if isinstance(n, oc.Examples)][1]
        lab.select(pick, 0)
        assert [lab.value(each.input_components[0]) for each in both] == [4, 3]


def button(node: Any, of: oc.Interface) -> bool:
    """Its Submit: the one whose listener takes its input."""
    submits = isinstance(node, oc.Button) and node.value == "Submit"
    return submits and any(node in map(target, d.sources) for d in listeners(of))


def target(source: Any) -> Any:
    return getattr(source, "node", None)


def listeners(of: oc.Interface) -> list[Any]:
    return [d for d in of.listeners if of.input_components[0] in d.inputs]


def test_load_and_chains_of_the_inner_app_go_on() -> None:
    """Its page events are the outer page's; what hangs on its listeners still does."""
    log = list[str]()
    with oc.Blocks() as inner:
        first = oc.Textbox(lambda: "first")
        loaded = inner.load(lambda: log.append("load"))
        loaded.then(lambda: log.append("then"))
    with oc.Blocks() as demo:
        oc.Markdown("above")
        with oc.Row() as row:
            inner.render()
        demo.load(lambda: log.append("outer"))
    (place,) = [p for p in demo.layout.children if p.node is row]
    assert [p.node for p in place.children] == [first]
    with Lab(demo) as lab:
        assert lab.value(first) == "first"
        assert sorted(log) == ["load", "outer", "then"]
        assert set(lab.ends()) == {Kind.SUCCEEDED}


def test_what_cannot_be_rendered_says_so() -> None:
    with oc.Blocks() as inner:
        box = oc.Textbox()
        seen = box.change(print, box)
    with pytest.raises(oc.DeclarationError, match="only inside"):
        inner.render()
    with oc.Blocks() as demo:
        with pytest.raises(oc.DeclarationError, match="being written"):
            demo.render()
        inner.render()
        with pytest.raises(oc.DeclarationError, match="stands elsewhere"):
            inner.render()
        box.input(print, box)
    with pytest.raises(oc.DeclarationError, match="rendered into another"):
        seen.then(print)
    with pytest.raises(oc.DeclarationError, match="2 tab_names for 1"):
        oc.TabbedInterface([interface()], ["a", "b"])
