"""Requests that stepped aside because their State was being written (rules I2, Q1, C2)."""

from __future__ import annotations

import ossicle as oc
from ossicle.flow.model import Kind
from ossicle.testing import Lab


def write(count: int) -> int:
    return count + 1


def more(count: int) -> int:
    return count + 10


def test_c2_who_waits_behind_one_that_is_cancelled_comes_back_to_its_place() -> None:
    """I2 C2: the first that stepped aside is first again while the line is full; it is cancelled,
    and the next takes its place as soon as there is room."""
    with oc.Blocks() as app:
        other, go, count = oc.Button(), oc.Button(), oc.State(0)
        other.click(write, count, count)
        run = go.click(more, count, count, trigger_mode="multiple")
    with Lab(app, takes={write: 1, more: 3}) as lab:
        guest = lab.session()
        lab.click(other)
        lab.click(go)
        lab.click(go)
        guest.click(go)
        lab.run(1.5)
        mine = {
            each.request_id
            for each in lab.outcomes
            if each.listener == run.name and each.outcome.request.session == lab.token
        }
        first, second = sorted(mine)
        lab.cancel(first)
        lab.run_until(7)
        ends = {each.request_id: (each.kind, each.at) for each in lab.outcomes}
        assert ends[first] == (Kind.CANCELLED, 1.5)
        assert ends[second] == (Kind.SUCCEEDED, 6.0), "after the guest's, and not later"
        assert lab.value(count) == 11
        assert lab.host.program.idle
