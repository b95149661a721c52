"""What components make of values: from functions, from the page, and when they are cleared."""

from __future__ import annotations

import sys
from typing import Any, cast

import numpy as np
import pytest

import ossicle as oc
from ossicle.components.base import Component
from ossicle.components.shortcuts import SHORTCUTS, component
from ossicle.flow.audio import Media

NO_MEDIA = cast(Media, None)
"""None of these components touches sound."""


def page_form(node: Component, value: Any) -> Any:
    """What the page shows of what a function returned."""
    return node.to_wire(node.postprocess(value, NO_MEDIA), NO_MEDIA)


def function_form(node: Component, payload: Any) -> Any:
    """What a function gets of what the page sent."""
    return node.preprocess(node.from_wire(payload, NO_MEDIA), NO_MEDIA)


CHOICES = ["C", ("D flat", "Db"), 3]

SHOWN: list[tuple[Component, Any, Any]] = [
    (oc.Textbox(), None, ""),
    (oc.Textbox(), 3.5, "3.5"),
    (oc.Number(), np.float32(0.5), 0.5),
    (oc.Number(precision=0), 2.7, 3),
    (oc.Number(), None, None),
    (oc.Slider(0, 10), 11, 10),
    (oc.Slider(2, 10), None, 2),
    (oc.Dropdown(CHOICES), "Db", "Db"),
    (oc.Dropdown(CHOICES, multiselect=True), None, []),
    (oc.Dropdown(CHOICES, multiselect=True), "C", ["C"]),
    (oc.Radio(CHOICES), 3, 3),
    (oc.CheckboxGroup(CHOICES), ("C", 3), ["C", 3]),
    (oc.Checkbox(), 1, True),
    (oc.Label(), "dog", {"label": "dog", "confidences": None}),
    (oc.Label(), {}, None),
    (
        oc.Label(num_top_classes=1),
        {"cat": 0.25, "dog": 0.75},
        {"label": "dog", "confidences": [{"label": "dog", "confidence": 0.75}]},
    ),
    (oc.Markdown(), "  # A\n  b", "# A\nb"),
    (oc.HTML(), None, ""),
    (oc.JSON(), '{"a": [1, null]}', {"a": [1, None]}),
    (oc.JSON(), {1: (np.int64(2), float("nan"))}, {"1": [2, None]}),
    (oc.Dataframe(headers=["a"]), [[1, 2]], {"headers": ["a", "2"], "data": [[1, 2]]}),
    (oc.Dataframe(), np.eye(1), {"headers": ["1"], "data": [[1.0]]}),
]


@pytest.mark.parametrize(("node", "returned", "shown"), SHOWN)
def test_what_a_function_returns_is_shown(node: Component, returned: Any, shown: Any) -> None:
    assert page_form(node, returned) == shown


SENT: list[tuple[Component, Any, Any]] = [
    (oc.Textbox(), "é", "é"),
    (oc.Number(precision=0), 2.4, 2),
    (oc.Number(), None, None),
    (oc.Slider(0, 1), 0.25, 0.25),
    (oc.Dropdown(CHOICES, type="index"), "Db", 1),
    (oc.Dropdown(CHOICES, type="index", multiselect=True), [3, "C"], [2, 0]),
    (oc.Dropdown(CHOICES, allow_custom_value=True), "mine", "mine"),
    (oc.Radio(CHOICES, type="index"), None, None),
    (oc.CheckboxGroup(CHOICES), ["Db"], ["Db"]),
    (oc.Checkbox(), True, True),
]


@pytest.mark.parametrize(("node", "sent", "got"), SENT)
def test_what_the_page_sends_reaches_a_function(node: Component, sent: Any, got: Any) -> None:
    assert function_form(node, sent) == got


REFUSED: list[tuple[Component, Any]] = [
    (oc.Textbox(label="Name"), 3),
    (oc.Textbox(label="Name", max_length=2), "abc"),
    (oc.Number(label="N"), "3"),
    (oc.Number(label="N"), True),
    (oc.Number(label="N"), float("nan")),
    (oc.Number(label="N", minimum=1), 0),
    (oc.Number(label="N", maximum=1), 2),
    (oc.Slider(0, 1, label="S"), 2),
    (oc.Slider(0, 1, label="S"), None),
    (oc.Dropdown(CHOICES, label="D"), "E"),
    (oc.Dropdown(CHOICES, label="D", multiselect=True), "C"),
    (oc.Dropdown(CHOICES, label="D", multiselect=True, max_choices=1), ["C", 3]),
    (oc.Radio(CHOICES, label="R"), "E"),
    (oc.Checkbox(label="B"), 1),
]


@pytest.mark.parametrize(("node", "sent"), REFUSED)
def test_what_cannot_be_a_value_is_refused_by_name(node: Component, sent: Any) -> None:
    """The error names the component, so that its user knows where to look."""
    with pytest.raises(ValueError, match=type(node).__name__) as caught:
        node.from_wire(sent, NO_MEDIA)
    assert str(node.label) in str(caught.value)


@pytest.mark.parametrize(
    "make",
    [
        lambda: oc.Textbox(lines=0),
        lambda: oc.Textbox(lines=3, max_lines=2),
        lambda: oc.Textbox(type=cast(Any, "secret")),
        lambda: oc.Number(minimum=2, maximum=1),
        lambda: oc.Slider(1, 1),
        lambda: oc.Slider(step=0),
        lambda: oc.Dropdown(["a"], "b"),
        lambda: oc.Dropdown(["a"], type=cast(Any, "name")),
        lambda: oc.Button(variant=cast(Any, "huge")),
        lambda: oc.Label(num_top_classes=0),
        lambda: oc.Timer(0),
        lambda: oc.Textbox(visible=cast(Any, "shy")),
    ],
)
def test_arguments_that_cannot_work_are_refused_when_written(make: Any) -> None:
    with pytest.raises(oc.DeclarationError):
        make()


@pytest.mark.parametrize("name", SHORTCUTS)
def test_each_shortcut_makes_its_component(name: str) -> None:
    wanted = {"text": "textbox", "microphone": "audio", "files": "file"}.get(name, name)
    assert component(name).type == component({"name": name, "render": False}).type == wanted


def test_an_unknown_shortcut_lists_the_known_ones() -> None:
    with pytest.raises(oc.DeclarationError, match="microphone"):
        component("mic")


EDITABLE = [n for n in SHORTCUTS if "input" in component(n).ports and not component(n).heavy]


@pytest.mark.parametrize("name", EDITABLE)
def test_the_cleared_value_is_one_that_a_user_could_have_entered(name: str) -> None:
    """What stands there after a clear can be sent back by the page as it is."""
    node = component(name)
    assert node.from_wire(node.to_wire(node.cleared, NO_MEDIA), NO_MEDIA) == node.cleared


@pytest.mark.parametrize("name", SHORTCUTS)
def test_an_act_that_a_component_has_not_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="no act"):
        component(name).receive("explode", None, None, None, NO_MEDIA)


def test_a_state_must_be_copyable_or_a_factory() -> None:
    """Rule I4: each session gets its own."""
    with pytest.raises(oc.DeclarationError, match="give a function"):
        oc.State(n for n in range(3))
    assert oc.State(list[int]).initial() == []
    first: list[int] = []
    assert oc.State(first).initial() is not first


def test_changed_properties_are_checked_like_written_ones() -> None:
    node = oc.Slider(0, 10, 5, label="Level")
    changed = node.with_props({"maximum": 20})
    assert (changed.minimum, changed.maximum, changed.label) == (0, 20, "Level")
    with pytest.raises(ValueError, match="loudness"):
        node.with_props({"loudness": 1})
    with pytest.raises(oc.DeclarationError):
        node.with_props({"maximum": -1})


def test_a_node_stands_in_one_place() -> None:
    with oc.Blocks() as demo:
        box = oc.Textbox()
        with pytest.raises(oc.DeclarationError, match="placed already"):
            box.render()
    with oc.Blocks(), pytest.raises(oc.DeclarationError, match="another Blocks"):
        box.change(print, box, None)
    assert demo.nodes[1] is box


def test_a_table_as_functions_ask_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows, an array, or by default what it shows."""
    table = {"headers": ["a", "b"], "data": [[1, 2], [3, 4]]}
    assert function_form(oc.Dataframe(), table) == table
    assert function_form(oc.Dataframe(type="array"), table) == [[1, 2], [3, 4]]
    assert function_form(oc.Dataframe(type="numpy"), table).shape == (2, 2)
    monkeypatch.setitem(sys.modules, "polars", None)
    with pytest.raises(oc.OssicleError, match="type='polars' needs polars"):
        function_form(oc.Dataframe(type="polars"), table)
