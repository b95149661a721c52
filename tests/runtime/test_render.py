"""Parts of the page that depend on values, as their users have them."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

import ossicle as oc
from ossicle.flow.errors import DeclarationError
from ossicle.testing import Kind, Lab, LabError, User

KEYED = True


def tracks(*, keyed: bool = False) -> tuple[oc.Blocks, oc.Slider, oc.Textbox]:
    """A slider that makes so many text fields, each with a listener of its own."""
    with oc.Blocks() as demo:
        count = oc.Slider(0, 9, value=2, step=1)
        heard = oc.Textbox()

        @oc.render(inputs=count)
        def _(n: int) -> None:
            for i in range(n):
                name = oc.Textbox(f"t{i}", label=f"Track {i}", key=i if keyed else None)
                name.change(str.upper, name, heard)

    return demo, count, heard


def rate_of(sound: tuple[int, Any]) -> int:
    return sound[0]


def labels(user: User) -> list[Any]:
    """What stands on the page now, from the tree that the page was told."""
    found, todo = list[Any](), [user.page.app["layout"]]
    while todo:
        here = todo.pop(0)
        todo = [*here.get("children", []), *todo]
        if here["id"] in user.page.props:
            found.append(user.page.props[here["id"]].get("label"))
    return [each for each in found if each and each.startswith("Track")]


def test_a_slider_makes_fields_and_they_work() -> None:
    """The part is made when the page loads, again when its input changes; its listeners run."""
    demo, count, heard = tracks()
    with Lab(demo) as lab:
        assert labels(lab) == ["Track 0", "Track 1"]
        lab.type(lab.find("Track 1"), "bass")
        assert lab.value(heard) == "BASS"
        lab.input(count, 3)
        assert labels(lab) == ["Track 0", "Track 1", "Track 2"]
        assert lab.value(lab.find("Track 1")) == "t1"
        lab.type(lab.find("Track 2"), "drums")
        assert lab.value(heard) == lab.props(heard)["value"] == "DRUMS"
        lab.input(count, 0)
        assert labels(lab) == []


@pytest.mark.parametrize(("keyed", "stays"), [(True, "bass"), (False, "t1")])
def test_what_has_a_key_stays(keyed: bool, stays: str) -> None:
    """A component with a key has the same value and id when its part is made again."""
    demo, count, heard = tracks(keyed=keyed)
    with Lab(demo) as lab:
        old = lab.find("Track 1")
        lab.type(old, "bass")
        lab.input(count, 5)
        new = lab.find("Track 1")
        assert (new.id == old.id) is keyed
        assert lab.value(new) == lab.props(new)["value"] == stays
        lab.type(new, "bass!")
        assert lab.value(heard) == "BASS!"
        with pytest.raises(LabError, match="made anew"):
            lab.value(old)


def test_a_key_does_not_carry_a_value_to_another_kind() -> None:
    """The same key on another type of component is another component."""
    with oc.Blocks() as demo:
        number = oc.Checkbox(False)

        @oc.render(inputs=number)
        def _(on: bool) -> None:
            if on:
                oc.Number(7, key="k", label="Field")
            else:
                oc.Textbox("seven", key="k", label="Field")

    with Lab(demo) as lab:
        first = lab.find("Field")
        lab.input(number, True)
        assert lab.value(lab.find("Field")) == 7
        assert lab.find("Field").id != first.id


def test_what_runs_for_the_old_part_is_cancelled() -> None:
    """Its requests end as cancelled when the part is made anew, and nothing more comes of them."""
    with oc.Blocks() as demo:
        again = oc.Number(0)
        heard = oc.Textbox("nothing")

        @oc.render(inputs=again)
        def part(n: int) -> None:
            async def slow() -> str:
                await asyncio.sleep(1)
                return f"of {n}"

            oc.Button("Go", key="go").click(slow, None, heard)
            oc.Textbox(label=f"Made {n}")

    def go() -> oc.Button:
        session = lab.host.program.sessions[lab.token]
        return next(n for n in session.nodes.values() if isinstance(n, oc.Button))

    with Lab(demo) as lab:
        lab.click(go())
        lab.run(0.5)
        lab.input(again, 1)
        slow = [each.kind for each in lab.outcomes if each.listener == "slow"]
        assert slow == ["started", "cancelled"]
        lab.run(2)
        assert lab.value(heard) == "nothing"
        lab.click(go())
        lab.run(1)
        assert lab.value(heard) == "of 1"
        assert lab.host.program.idle
        assert lab.ends(part) == [Kind.SUCCEEDED] * 2


def test_a_request_that_waits_behind_the_build_is_cancelled() -> None:
    """One act makes a part anew and asks a listener of the old one: that one never runs."""
    ran = list[int]()
    with oc.Blocks() as demo:
        count = oc.Number(0)

        @oc.render(inputs=count)
        def part(n: int) -> None:
            inner = oc.Textbox(label="Inner")
            count.change(lambda: ran.append(n), None, None)
            count.change(lambda: f"from {n}", None, inner)

    with Lab(demo) as lab:
        lab.input(count, 1)
        assert lab.value(lab.find("Inner")) == ""
        assert ran == []
        ends = [each.kind for each in lab.outcomes if each.listener.startswith("lambda")]
        assert sorted(ends) == ["cancelled"] * 2 + ["started"] * 2
        assert lab.host.program.idle


def test_sessions_are_independent() -> None:
    """Each session has parts of its own, under the same ids."""
    demo, count, heard = tracks()
    with Lab(demo) as ada:
        ben = ada.session()
        ada.input(count, 4)
        assert labels(ada) == [f"Track {i}" for i in range(4)]
        assert labels(ben) == ["Track 0", "Track 1"]
        ada.type(ada.find("Track 0"), "a")
        ben.type(ben.find("Track 0"), "b")
        assert (ada.value(heard), ben.value(heard)) == ("A", "B")
        with pytest.raises(LabError, match="another user's"):
            ben.value(ada.find("Track 3"))


def test_one_users_slow_listener_does_not_hold_up_another() -> None:
    """Lines of listeners in a part are their session's."""
    with oc.Blocks() as demo:

        @oc.render()
        def _() -> None:
            async def slow(text: str) -> str:
                await asyncio.sleep(1)
                return text + "!"

            box, seen = oc.Textbox(label="Box"), oc.Textbox(label="Seen")
            box.submit(slow, box, seen)

    with Lab(demo) as ada:
        ben = ada.session()
        for user in (ada, ben):
            user.submit(user.find("Box"), "hi")
        ada.run(1)
        assert [user.value(user.find("Seen")) for user in (ada, ben)] == ["hi!", "hi!"]


def test_a_page_that_comes_back_sees_its_parts() -> None:
    """What was missed is told; one that missed too much gets the page with the parts in it."""
    demo, count, heard = tracks(keyed=KEYED)
    with Lab(demo) as lab:
        lab.disconnect()
        lab.reconnect()
        assert labels(lab) == ["Track 0", "Track 1"]
        lab.input(count, 3)
        lab.type(lab.find("Track 2"), "drums")
        lab.disconnect()
        lab.host.lines[lab.token].seq += 1000  # as if so many messages had been lost
        lab.page.app = {}
        lab.page.props = {}
        lab.reconnect()
        assert labels(lab) == ["Track 0", "Track 1", "Track 2"]
        assert lab.props(lab.find("Track 2"))["value"] == "drums"
        lab.type(lab.find("Track 0"), "bass")
        assert lab.value(heard) == "BASS"


def test_the_page_learns_what_a_part_does_to_its_surroundings() -> None:
    """Ports that a part listens to, and what it reads and writes, are told with it."""
    with oc.Blocks() as demo:
        outer = oc.Textbox("a first value")
        on = oc.Checkbox(True)

        @oc.render(inputs=on)
        def _(yes: bool) -> None:
            if yes:
                outer.focus(str.upper, outer, oc.Textbox(label="Inner"))

    with Lab(demo) as lab:
        assert lab.props(outer)["interactive"] is True
        lab.focus(outer)
        assert lab.value(lab.find("Inner")) == "A FIRST VALUE"
        lab.input(on, False)
        assert lab.props(outer)["interactive"] is False
        lab.focus(outer)
        assert lab.host.program.idle


def test_an_error_leaves_the_part_as_it_is(caplog: pytest.LogCaptureFixture) -> None:
    """A function that fails tells its user and its author; what stood before stands on."""
    with oc.Blocks() as demo:
        count = oc.Number(1)

        @oc.render(inputs=count)
        def part(n: int) -> None:
            if n == 2:
                raise oc.Error("not two")
            for _ in range(n - 1):
                oc.Textbox(key="same")
            oc.Textbox("x", label="Track")

    with Lab(demo, show_error=True) as lab:
        lab.input(count, 2)
        lab.input(count, 3)
        assert labels(lab) == ["Track"]
        assert lab.ends(part) == [Kind.SUCCEEDED, Kind.FAILED, Kind.FAILED]
        assert lab.toasts[0].message == "not two"
        assert "key='same' is" in str(lab.toasts[1].message)
    assert "key='same' is" in caplog.text


def test_parts_stand_in_parts() -> None:
    """A part inside of a part has its own inputs, and goes with the one around it."""
    with oc.Blocks() as demo:
        count = oc.Number(1)

        @oc.render(inputs=count)
        def _(n: int) -> None:
            inner = oc.Number(n, label="Inner", key="inner")

            @oc.render(inputs=inner, key="below")
            def _(m: int) -> None:
                for i in range(m):
                    oc.Textbox(label=f"Track {i}", key=i)

    with Lab(demo) as lab:
        assert labels(lab) == ["Track 0"]
        lab.input(lab.find("Inner"), 2)
        assert labels(lab) == ["Track 0", "Track 1"]
        lab.type(lab.find("Track 1"), "kept")
        lab.input(count, 5)
        assert labels(lab) == ["Track 0", "Track 1"]
        assert lab.value(lab.find("Track 1")) == "kept"
        session = lab.host.program.sessions[lab.token]
        assert session.values.keys() == {*lab.page.props.keys()} - {0, 2, _part_of(lab)}


def test_a_part_that_is_not_made_again_takes_what_stood_deep_inside_of_it() -> None:
    """P2 M3: nothing of a session is kept for what has a key and is gone with all around it."""
    with oc.Blocks() as demo:
        count = oc.Number(1)

        @oc.render(inputs=count)
        def _(n: int) -> None:
            @oc.render(inputs=[], key="below")
            def _() -> None:
                if n == 1:

                    @oc.render(inputs=[], key="deeper")
                    def _() -> None:
                        oc.Textbox(label="Deep", key="field")

    with Lab(demo) as lab:
        lab.type(lab.find("Deep"), "typed")
        lab.input(count, 2)
        session = lab.host.program.sessions[lab.token]
        assert session.values == {count.id: 2}
        assert session.overlay is not None
        assert not any(session.overlay.keyed.values())


def _part_of(lab: Lab) -> int:
    """The placeholder inside of the part, which holds no value."""
    return next(id for id in lab.page.props if id > 2 and "value" not in lab.page.props[id])


def test_an_async_function_makes_a_part_and_a_newer_one_replaces_it() -> None:
    """Only the newest values are made a part of; a part that was overtaken never shows."""
    with oc.Blocks() as demo:
        count = oc.Number(0)

        @oc.render(inputs=count, triggers=count.change)
        async def part(n: int) -> None:
            await asyncio.sleep(1)
            oc.Textbox(label=f"Track {n}")

    with Lab(demo) as lab:
        assert lab.outcomes == []
        lab.input(count, 1)
        lab.run(0.5)
        lab.input(count, 2)
        lab.run(0.9)
        assert labels(lab) == []
        lab.run(0.2)
        assert labels(lab) == ["Track 2"]
        assert lab.ends(part) == [Kind.CANCELLED, Kind.SUCCEEDED]


def test_sound_in_a_part() -> None:
    """Heavy values are stored before the part shows, and users can put sounds into it."""
    import numpy as np

    with oc.Blocks() as demo:

        @oc.render()
        def _() -> None:
            oc.Audio((8000, np.ones(800, np.int16)), label="Given")
            own = oc.Audio(label="Own")
            own.change(rate_of, own, oc.Number(label="Rate"))

    with Lab(demo) as lab:
        assert lab.props(lab.find("Given"))["value"]["frames"] == 800
        lab.upload(lab.find("Own"), (16_000, np.ones(400, np.int16)))
        assert lab.value(lab.find("Rate")) == 16_000


def test_what_cannot_be_is_refused(caplog: pytest.LogCaptureFixture) -> None:
    """The message names the way out."""

    def generator() -> Any:
        yield

    with oc.Blocks() as demo:
        outer = oc.Textbox(render=False)
        outer.render()
        with pytest.raises(DeclarationError, match="generator"):
            oc.render()(generator)
        with pytest.raises(DeclarationError, match="at least one trigger"):
            oc.render(triggers=[])(lambda: None)

        @oc.render()
        def _() -> None:
            outer.render()

    with pytest.raises(DeclarationError, match="works only inside"):
        oc.render()(lambda: None)
    with caplog.at_level(logging.ERROR), Lab(demo):
        assert "stands outside of this part" in caplog.text


def test_why_and_marbles_tell_of_parts() -> None:
    """A trace names what stands in a part."""
    demo, _, _ = tracks()
    with Lab(demo) as lab:
        lab.type(lab.find("Track 1"), "bass")
        last = lab.outcomes[-1].outcome
        assert "upper" in lab.trace.why(last)
        assert "upper" in lab.trace.to_marbles()
