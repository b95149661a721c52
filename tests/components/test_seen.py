"""A component as a function sees it that asks for more than the value."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import ossicle as oc
from ossicle.flow.errors import DeclarationError, InputError
from ossicle.testing import Lab

SOUND = (8000, np.arange(16_000, dtype=np.int16))


def test_a_parameter_annotated_with_the_class_gets_the_component() -> None:
    """I5: with the session's own properties, and the value that it would else have got."""
    got: list[Any] = []

    def note(sound: oc.Audio | None, text: str, volume: oc.Slider) -> None:
        got.append((sound, text, volume))

    with oc.Blocks() as app:
        sound, text = oc.Audio(SOUND, label="Sound", loop=True), oc.Textbox("a")
        volume, button = oc.Slider(0, 10, value=3), oc.Button()
        button.click(note, [sound, text, volume])
        button.click(lambda: oc.Slider(label="Loud"), None, volume)
    with Lab(app) as lab:
        lab.click(button)
        lab.click(button)
    first, second = got
    assert (first[0].label, first[0].loop, first[0].value[0]) == ("Sound", True, 8000)
    assert np.array_equal(first[0].value[1], SOUND[1])
    assert (first[1], first[2].value, first[2].label) == ("a", 3, None)
    assert second[2].label == "Loud"  # as this session has it by now


def test_what_a_function_changes_of_it_and_returns_is_changed() -> None:
    """I5: and nothing else: neither the value nor what the user did meanwhile."""

    def rename(box: oc.Textbox) -> oc.Textbox:
        box.label = f"{box.value}!"
        return box

    with oc.Blocks() as app:
        box, button = oc.Textbox("first", label="Old", lines=3), oc.Button()
        button.click(rename, box, box)
    with Lab(app) as lab:
        lab.input(box, "typed")
        lab.click(button)
        assert lab.value(box) == "typed"
        assert lab.page.props[box.id]["label"] == "typed!"
        assert lab.page.props[box.id]["lines"] == 3


def test_where_the_play_head_is() -> None:
    """play, pause and stop carry it, and whoever asks for the component reads it afterwards."""
    told: list[tuple[str, float]] = []

    def note(name: str):
        def noted(event: oc.EventData) -> None:
            told.append((name, event.playback_position))

        return noted

    def read(sound: oc.Audio) -> None:
        told.append(("read", sound.playback_position))

    with oc.Blocks() as app:
        sound, button = oc.Audio(SOUND, interactive=True), oc.Button()
        sound.play(note("play"))
        sound.pause(note("pause"))
        sound.stop(note("stop"))
        button.click(read, sound)
    with Lab(app) as lab:
        lab.play(sound)
        lab.run(0.75)
        lab.pause(sound)
        lab.click(button)
        lab.play(sound)
        lab.run(5)
        lab.click(button)
        lab.clear(sound)
        lab.click(button)
        other = lab.session()
        other.click(button)
    assert told == [
        ("play", 0),
        ("pause", 0.75),
        ("read", 0.75),
        ("play", 0.75),
        ("pause", 2),
        ("stop", 2),
        ("read", 2),
        ("read", 0),  # cleared
        ("read", 0),  # somebody else's
    ]


def test_a_moved_play_head_survives_a_change_of_another_property() -> None:
    """And a function that places it is obeyed, wherever the user had it."""
    seen: list[float] = []

    def read(sound: oc.Audio) -> None:
        seen.append(sound.playback_position)

    with oc.Blocks() as app:
        sound = oc.Audio(SOUND, label="Sound", playback_position=1)
        rename, place, button = oc.Button("a"), oc.Button("b"), oc.Button("c")
        rename.click(lambda: oc.Audio(label="New"), None, sound)
        place.click(lambda: oc.Audio(playback_position=0.25), None, sound)
        button.click(read, sound)
    with Lab(app) as lab:
        lab.click(button)
        lab.act(sound, "moved", data={"playback_position": 1.5})
        lab.click(rename)
        lab.click(button)
        lab.click(place)
        lab.click(button)
        assert lab.page.props[sound.id]["playback_position"] == 0.25
    assert seen == [1, 1.5, 0.25]


@pytest.mark.parametrize("position", [-1, "1", None, True, 1e400])
def test_positions_that_cannot_be(position: object) -> None:
    """A page that says so is refused in words."""
    with oc.Blocks() as app:
        sound = oc.Audio(SOUND, label="Sound")
    with Lab(app) as lab, pytest.raises(InputError, match=r"Audio 'Sound': playback_position"):
        lab.act(sound, "moved", data={"playback_position": position})


def test_buttons_of_the_app_stand_in_the_sound() -> None:
    """Made inside the list, before it or unplaced: their one place is below the sound."""
    clicks: list[str] = []
    with oc.Blocks() as app:
        before, unplaced = oc.Button("Before"), oc.Button("Unplaced", render=False)
        sound = oc.Audio(SOUND, buttons=["download", before, unplaced, oc.Button("Inline")])
        after = oc.Button("After")
        before.click(lambda: clicks.append("before"))
        unplaced.click(lambda: clicks.append("unplaced"))
    with Lab(app) as lab:
        lab.click(before)
        lab.click(unplaced)
        assert lab.page.props[sound.id]["buttons"] == ["download"]
    assert clicks == ["before", "unplaced"]
    page = app.layout
    assert [each.node for each in page.children] == [sound, after]
    inside = [each.node for each in page.children[0].children]
    assert [each.value for each in inside if isinstance(each, oc.Button)] == [
        *("Before", "Unplaced", "Inline")
    ]


def test_buttons_that_cannot_be() -> None:
    """Unknown names when it is written; new ones in a function, where nobody listens to them."""
    with pytest.raises(DeclarationError, match="has 'print'; choose download, share or a Button"):
        oc.Audio(buttons=["print"])  # pyright: ignore[reportArgumentType]  # what is tested
    with pytest.raises(DeclarationError, match="buttons='share' must be a list"):
        oc.Audio(buttons="share")  # pyright: ignore[reportArgumentType]  # what is tested
    with oc.Blocks() as app:
        sound, button = oc.Audio(SOUND, label="Sound"), oc.Button()
        button.click(lambda: oc.Audio(buttons=[oc.Button("New")]), None, sound)
    with Lab(app) as lab:
        lab.click(button)
        assert "nobody could listen to" in str(lab.outcomes[-1].outcome.value)
