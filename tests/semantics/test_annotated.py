"""Components as inputs: what a parameter annotated with one gets (rule I5)."""

from __future__ import annotations

import ossicle as oc
from ossicle.testing import Lab


def test_i5_an_annotated_component_has_the_value_of_the_event_and_the_properties_of_now() -> None:
    """I5 I1: a request that waited sees what a function made of the component meanwhile."""
    got = list[tuple[object, object]]()

    def note(text: oc.Textbox) -> None:
        got.append((text.value, text.label))

    def rename() -> oc.Textbox:
        return oc.Textbox(label="After")

    with oc.Blocks() as app:
        go, text = oc.Button(), oc.Textbox("then", label="Before")
        go.click(note, text, trigger_mode="multiple")
        go.click(rename, None, text)
    with Lab(app, takes={note: 1, rename: 0.5}) as lab:
        lab.click(go)
        lab.click(go)
        lab.type(text, "typed on")
        lab.run(3)
        assert got == [("then", "Before"), ("then", "After")]
        assert (text.label, lab.page.props[text.id]["label"]) == ("Before", "After")


def test_i5_the_copy_is_the_functions_own() -> None:
    """I5: what it changes and does not return changes nothing; what it returns, only that."""

    def spoil(text: oc.Textbox) -> None:
        text.label, text.value, text.lines = "Spoilt", "spoilt", 9

    def rename(text: oc.Textbox) -> oc.Textbox:
        text.label = "Renamed"
        return text

    with oc.Blocks() as app:
        bad, good, text = oc.Button(), oc.Button(), oc.Textbox("a", label="Name", lines=2)
        bad.click(spoil, text)
        good.click(rename, text, text)
    with Lab(app) as lab:
        lab.click(bad)
        lab.click(good)
        props = lab.page.props[text.id]
        assert (props["label"], props["lines"], lab.value(text)) == ("Renamed", 2, "a")


def test_i5_a_batch_gets_each_members_component() -> None:
    """I5 B2: a batch gets a list of them, each as its session has it."""
    got = list[object]()

    def note(texts: list[oc.Textbox]) -> None:
        got.extend(texts)

    with oc.Blocks() as app:
        go, text = oc.Button(), oc.Textbox("a", label="Name")
        go.click(note, text, batch=True)
    with Lab(app) as lab:
        lab.click(go)
        assert [type(each).__name__ for each in got] == ["Textbox"]
        assert [each.value for each in got if isinstance(each, oc.Textbox)] == ["a"]
