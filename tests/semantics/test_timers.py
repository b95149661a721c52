"""Timers: what repeats, when, and until when (rules M1-M3)."""

from __future__ import annotations

import pytest

import ossicle as oc
from ossicle.flow.errors import DeclarationError
from ossicle.flow.model import Cause, Event

from .lab import Lab


def f(*_: object) -> None: ...


def stop() -> None: ...


def test_m1_every_runs_at_its_trigger_and_at_each_multiple() -> None:
    """M1: fixed rate on the clock, whatever the function takes."""
    with oc.Blocks() as app:
        button = oc.Button()
        button.click(f, every=0.5)
    lab = Lab(app, 0.2)
    lab.at(0.1, lambda: lab.click(button))
    lab.run(1.9)
    assert lab.marbles("f") == "-s-|--s-|--s-|--s-|"


def test_m1_a_new_trigger_begins_anew() -> None:
    """M1: the multiples count from the last trigger."""
    with oc.Blocks() as app:
        button = oc.Button()
        button.click(f, every=0.5)
    lab = Lab(app)
    lab.play("c-------c----------", c=lambda: lab.click(button))
    assert lab.marbles("f") == "(s|)----(s|)--(s|)----(s|)----(s|)"


def test_m1_a_dropped_trigger_leaves_the_timer_as_it_was() -> None:
    """M1 T1: what never runs moves nothing; the ticks stay at the multiples of the taken one."""
    with oc.Blocks() as app:
        button = oc.Button()
        button.click(f, every=0.5)
    lab = Lab(app, 0.2)
    lab.play("c-----c-----------", c=lambda: lab.click(button))
    assert lab.marbles("f") == "s-|--sx|--s-|--s-|"


def test_m1_a_rejected_trigger_starts_no_timer() -> None:
    """M1 Q4: who was told to try again later does not run meanwhile."""
    with oc.Blocks() as app:
        button, busy = oc.Button(), oc.Button()
        busy.click(stop, concurrency_id="one", trigger_mode="multiple")
        button.click(f, every=0.5, concurrency_id="one")
    app.queue(max_size=1)
    lab = Lab(app, {"stop": 0.3})
    lab.play("(bb)c-----------", b=lambda: lab.click(busy), c=lambda: lab.click(button))
    assert lab.marbles("f") == "-r"
    assert not lab.program.sessions["a"].tickers


def test_m1_a_trigger_that_waits_for_its_turn_counts_from_when_it_came() -> None:
    """M1 T3: the newest takes over when it is let in, and its multiples count from its event."""
    with oc.Blocks() as app:
        button = oc.Button()
        button.click(f, every=1.0, trigger_mode="always_last")
    lab = Lab(app, 0.4)
    lab.play("c-c-----------------------", c=lambda: lab.click(button))
    assert lab.marbles("f") == "s---(|s)---|---s---|-----s---|"


def test_m1_who_cancels_at_the_same_event_wins() -> None:
    """M1 C1 H2: a timer that begins and is cancelled by one act never ticks."""
    with oc.Blocks() as app:
        button = oc.Button()
        dep = button.click(f, every=0.5)
        button.click(stop, cancels=[dep])
    lab = Lab(app, {"f": 0.3})
    lab.play("c-----------", c=lambda: lab.click(button))
    assert lab.marbles("f") == "(s^)"
    assert not lab.program.sessions["a"].tickers


def test_m1_cancels_end_it() -> None:
    """M1 C1: `cancels` ends the run that pends and all that would follow."""
    with oc.Blocks() as app:
        button, end = oc.Button(), oc.Button()
        dep = button.click(f, every=0.5)
        end.click(stop, cancels=[dep])
    lab = Lab(app, {"f": 0.3})
    lab.play("c-----x-------------", c=lambda: lab.click(button), x=lambda: lab.click(end))
    assert lab.marbles("f") == "s--|-s^"
    assert not lab.program.sessions["a"].tickers


def test_m1_a_callable_value_is_made_at_load_and_then() -> None:
    """M1: on load, for each session, and then at each multiple."""
    made = iter("abcdef")
    with oc.Blocks() as app:
        text = oc.Textbox(lambda: next(made), every=1.0)
    lab = Lab(app, sessions=("s",))
    seen = [lab.value(text)]
    for second in (1, 2, 3):
        lab.run(second)
        seen.append(lab.value(text))
    assert seen == ["a", "b", "c", "d"]


def test_m1_load_event_is_what_a_cancel_names() -> None:
    """M1 C1: the value stays as it was when it was stopped."""
    made = iter("abcdef")
    with oc.Blocks() as app:
        text = oc.Textbox(lambda: next(made), every=1.0)
        end = oc.Button()
        assert text.load_event is not None
        end.click(None, cancels=[text.load_event])
    lab = Lab(app)
    lab.run(1.5)
    lab.click(end)
    lab.run(9.0)
    assert lab.value(text) == "b"


def test_m1_only_while_connected() -> None:
    """M1: a session without its page does not tick; when it is back, the rate is the same."""
    with oc.Blocks() as app:
        oc.Timer(0.5).tick(f)
    lab = Lab(app)
    lab.at(0.7, lab.disconnect)
    lab.at(1.7, lab.reconnect)
    lab.run(2.4)
    assert lab.marbles("f") == "-----(s|)--------------(s|)"


def test_m1_who_is_away_has_nothing_due() -> None:
    """M1 Q7: a thousand closed laptops cost nothing; after the return the multiples are the same,
    also of what began meanwhile."""
    with oc.Blocks() as app:
        timer = oc.Timer(0.5)
        timer.tick(f)
        later = oc.Button()
        later.click(lambda: oc.update(value=0.4), None, timer, on_disconnect="finish")
    lab = Lab(app, {"lambda": 1.0})
    lab.click(later)
    lab.run(0.7)
    lab.disconnect()
    assert lab.clock.due == 2  # the end of its run and of the reconnect window
    lab.run(2.1)
    assert lab.clock.due == 1
    lab.reconnect()
    lab.run(2.7)
    assert lab.marbles("f") == "-----(s|)" + 16 * "-" + "(s|)---(s|)"


def test_m1_unqueued_every_is_refused() -> None:
    """M1 T6: `every` stands in the queue."""
    with oc.Blocks(), pytest.raises(DeclarationError, match="every=1"):
        oc.Button().click(f, every=1, queue=False)


def test_m2_a_tick_that_comes_too_early_is_skipped_and_counted() -> None:
    """M2: ticks neither pile up nor shift the ones after them."""
    with oc.Blocks() as app:
        oc.Timer(0.2).tick(f, trigger_mode="multiple")
    lab = Lab(app, 0.5)
    lab.run(1.55)
    assert lab.marbles("f") == "--s-x-x|s-x-x|s-"[:15].rstrip("-")
    assert lab.program.dropped == 4


def test_m2_no_drift_in_a_day() -> None:
    """M2: the last tick of a day is on its multiple to the microsecond."""
    with oc.Blocks() as app:
        oc.Timer(7.3).tick(f)
    lab = Lab(app)
    lab.run(86_400.0)
    at, _ = [(at, e) for at, e in lab.seen(Event) if e.cause is Cause.TIMER][-1]
    assert at == pytest.approx(7.3 * (86_400 // 7.3), abs=1e-6)


def test_m2_other_events_are_not_skipped_for_a_tick() -> None:
    """M2: the mode decides about what is no tick."""
    with oc.Blocks() as app:
        button, timer = oc.Button(), oc.Timer(0.5)
        oc.on([timer.tick, button.click], f, trigger_mode="multiple", concurrency_limit=None)
    lab = Lab(app, 0.4)
    lab.at(0.6, lambda: lab.click(button))
    lab.run(0.95)
    assert lab.marbles("f") == "-----ss--|"


def test_m1_a_timer_is_stopped_and_started_by_its_properties() -> None:
    """M1: returning Timer(active=...) stops it, and starts it anew."""
    with oc.Blocks() as app:
        off, on, timer = oc.Button(), oc.Button(), oc.Timer(0.5)
        timer.tick(f)
        off.click(lambda: oc.Timer(active=False, render=False), None, timer)
        on.click(lambda: oc.update(active=True), None, timer)
    lab = Lab(app)
    lab.at(0.7, lambda: lab.click(off))
    lab.at(1.2, lambda: lab.click(on))
    lab.run(1.9)
    assert lab.marbles("f") == "-----(s|)-----------(s|)"


def test_m1_another_value_is_another_period() -> None:
    """M1: from then on, and only for this session; 0 seconds is refused."""
    with oc.Blocks() as app:
        go, no, timer = oc.Button(), oc.Button(), oc.Timer(0.5)
        timer.tick(f)
        go.click(lambda: 0.2, None, timer)
        no.click(lambda: 0, None, timer, api_name="no")
    lab = Lab(app, sessions=("a", "b"))
    lab.at(0.6, lambda: lab.click(go))
    lab.at(0.9, lambda: lab.click(no))
    lab.run(1.1)
    assert lab.marbles("f", session="a") == "-----(s|)--(s|)-(s|)"
    assert lab.marbles("f", session="b") == "-----(s|)----(s|)"
    assert "above 0 seconds" in lab.error("no")


def test_m3_no_timer_outlives_its_session() -> None:
    """M3: when a session is gone, nothing of it is on the clock."""
    with oc.Blocks() as app:
        button = oc.Button()
        oc.Timer(0.5).tick(f)
        button.click(f, every=0.3)
        oc.Textbox(lambda: "x", every=0.2)
    lab = Lab(app, reconnect_window=1.0)
    lab.click(button)
    lab.run(1.0)
    lab.disconnect()
    lab.run(2.5)
    assert lab.program.sessions == {}
    assert lab.clock.due == 0


def test_m3_with_the_session_its_timers_leave_the_clock_at_once() -> None:
    """M3: not only at the next time that they would have ticked."""
    with oc.Blocks() as app:
        button = oc.Button()
        oc.Timer(0.5).tick(f)
        button.click(f, every=0.3)
        oc.Textbox(lambda: "x", every=0.2)
    lab = Lab(app)
    lab.click(button)
    lab.run(1.05)
    assert lab.clock.due == 3
    lab.close()
    assert lab.clock.due == 0


def test_m3_a_session_that_never_opens_has_none() -> None:
    """M3: an app without people has nothing due."""
    with oc.Blocks() as app:
        oc.Timer(0.5).tick(f)
        oc.Textbox(lambda: "x", every=0.2)
    lab = Lab(app, sessions=())
    assert lab.clock.due == 0
