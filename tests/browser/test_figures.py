"""The badge of live sound: what operators and functions do, and a budget that breaks."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Locator, expect

import ossicle as oc
from ossicle import sound
from ossicle.flow.blocks import Block
from ossicle.flow.operators import BudgetError

from .conftest import Listen
from .listening import click, recorded, until

Sound = tuple[int, object]


async def rows(badge: Locator) -> dict[str, str]:
    """What stands below a badge that is open."""
    live = badge.locator("..")
    names = await live.locator("dt").all_inner_texts()
    return dict(zip(names, await live.locator("dd").all_inner_texts(), strict=True))


async def test_a_budget_that_breaks_turns_the_badge_red(
    listen: Listen, caplog: pytest.LogCaptureFixture
) -> None:
    """Known beforehand it is an error where it is written; measured: red, told and counted."""
    with oc.Blocks() as app:
        mic = oc.Audio(label="Microphone", streaming=True)
        out = oc.Audio(label="Echo", streaming=True, interactive=False)
        chain = mic.stream.pipe(sound.gain(-3.0), sound.limiter(ahead="1 ms"))
        with pytest.raises(BudgetError, match="late by 21 ms .*its budget is 20 ms"):
            chain.to(out, budget="20 ms")
        chain.to(out, budget="22 ms")  # no player is that quick
    tab = await listen(app)
    await click(tab.page, "Record")
    badge = tab.page.locator(".badge").nth(1)
    await expect(badge).to_have_class(re.compile(r"\bbad\b"))
    await badge.click()
    await expect(tab.page.get_by_text("Operator limiter")).to_be_visible()
    await recorded(tab.page, 1)
    await until(lambda: any("its budget is 22 ms" in each.getMessage() for each in caplog.records))
    shown = await rows(badge)
    assert shown["At most wanted"] == "22 ms"
    assert re.fullmatch(r"\d\.\d % of real time · holds 1 ms", shown["Operator limiter"])
    assert shown["Operator gain"].endswith("holds 0 ms")
    (session,) = tab.site.host.metrics.snapshot()["sessions"]
    (sink,), (chained,) = session["sinks"], session["chains"]
    assert sink["over_budget"] >= 1
    assert sink["p50_ms"] > 22 and sink["p99_ms"] >= sink["p50_ms"]
    assert sink["target_ms"] > 0 and session["link"]["trip_ms"] > 0
    assert [each["operator"] for each in chained["operators"]] == ["gain", "limiter"]
    assert 0 < chained["load"] < 1
    await click(tab.page, "Stop")
    await expect(tab.page.locator(".wave.drawn")).to_have_count(2)


async def test_what_is_left_out_because_of_an_error_is_told_on_the_page(listen: Listen) -> None:
    """A toast once, and a count below the badge; a function's figures stand there, too."""
    from reactivex import operators as ops

    def spoil(block: Block) -> Block:
        return block.with_samples(block.samples * float("nan")) if block.index % 9600 else block

    def hear(chunk: Sound) -> None:
        """It is here to be counted."""

    with oc.Blocks() as app:
        mic = oc.Audio(label="Microphone", streaming=True)
        out = oc.Audio(label="Echo", streaming=True, interactive=False)
        mic.stream.pipe(ops.map(spoil)).to(out)
        mic.stream(hear, mic, None, stream_every=0.1)
    tab = await listen(app)
    await click(tab.page, "Record")
    await expect(tab.page.locator(".toast.error")).to_have_count(1)
    badge = tab.page.locator(".badge").nth(0)
    await badge.click()
    await expect(tab.page.get_by_text("Left out by errors")).to_be_visible()
    await recorded(tab.page, 1)
    shown = await rows(badge)
    assert re.fullmatch(r"\d+ blocks", shown["Left out by errors"])
    assert "Operator map(spoil)" in shown
    assert re.search(r"% · \d waiting · 0 dropped", shown["Function hear"])
    await expect(tab.page.locator(".toast.error")).to_have_count(1)
    await click(tab.page, "Stop")
    await expect(tab.page.locator(".wave.drawn").first).to_be_visible()
