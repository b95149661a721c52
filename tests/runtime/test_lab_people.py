"""The lab's users: many at once, who come, leave, and know nothing of each other."""

import asyncio
from collections.abc import AsyncIterator

import pytest

import ossicle as oc
from ossicle.testing import Kind, Lab, LabError, Toast

from .labs import hello


def test_users_are_apart() -> None:
    """Each session has its own values, toasts and outcomes; the lab sees all outcomes."""
    with oc.Blocks() as demo:
        text, out = oc.Textbox(), oc.Textbox()

        def shout(said: str) -> str:
            if not said:
                raise oc.Error("say something", title="Empty")
            oc.Info(f"heard {said}")
            return said.upper()

        text.submit(shout, text, out)
    with Lab(demo) as lab:
        other = lab.session()
        lab.submit(text, "a")
        other.submit(text)
        assert (lab.value(out), other.value(out)) == ("A", "")
        assert lab.toasts == [Toast("info", "heard a", "Info", 10)]
        assert other.toasts == [Toast("error", "say something", "Empty", 10)]
        assert other.ends() == [Kind.FAILED]
        assert len(lab.outcomes) > len(other.outcomes) > 0


def test_a_request_tells_who_asks() -> None:
    """A session may come with headers and a user name, as functions see them."""
    with oc.Blocks() as demo:
        go, out = oc.Button(), oc.Textbox()

        def who(request: oc.Request) -> str:
            return f"{request.username} {request.headers['x']}"

        go.click(who, None, out)
    with Lab(demo, connect=False) as lab:
        user = lab.session(oc.Request(username="ada", headers={"x": "y"}))
        user.click(go)
        assert user.value(out) == "ada y"


def test_lines_are_lost_and_found() -> None:
    """Within the reconnect window all that was missed comes; beyond it the session is gone (C5)."""
    with oc.Blocks() as demo:
        go, out = oc.Button(), oc.Number()

        async def count() -> AsyncIterator[int]:
            for n in range(100):
                await asyncio.sleep(1)
                yield n

        go.click(count, None, out)
    with Lab(demo, reconnect_window=20) as lab:
        lab.click(go)
        lab.run(2.5)
        lab.disconnect()
        lab.run(10)
        assert lab.props(out)["value"] == 1
        lab.reconnect()
        assert lab.props(out)["value"] == lab.value(out) == 11
        lab.disconnect()
        lab.run(30)
        assert lab.ends() == [Kind.CANCELLED]
        lab.reconnect()
        assert lab.page.gone
        assert not lab.connected
        with pytest.raises(LabError, match="session is over"):
            lab.value(out)


def test_js_has_a_stand_in() -> None:
    """A lab has no JavaScript: Python stands for it, and its lack is an error with the way out."""
    with oc.Blocks() as demo:
        text, out, go = oc.Textbox("a"), oc.Textbox("b"), oc.Button()
        given = go.click(hello, text, out, js="(x, y) => x + y")

    def together(x: str, y: str) -> list[str]:
        return [x + y]

    with Lab(demo, js={given: together}) as lab:
        lab.click(go)
        assert lab.value(out) == "hello ab"
    with Lab(demo) as lab:
        lab.click(go)
        assert lab.ends() == [Kind.FAILED]
        assert "say what it does" in str(lab.toasts[0].message)
