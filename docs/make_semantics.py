"""Writes docs/semantics.md and tests/semantics/acts.txt: all in them is a run in virtual time.

`python docs/make_semantics.py` writes it, `--check` says whether it is what the code does.
"""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import outcome_rows
from act_rows import Row, digest, rows, text
from pressing import batch, endless, fail, picture, plain, pressing, steps, table, work

import ossicle as oc
from ossicle.flow.places import HEAD, REFRESH, SWEPT
from ossicle.flow.plan import default_mode
from ossicle.flow.sources import Port
from ossicle.runtime.page_code import PATIENCE
from ossicle.testing import Lab

FILE = Path(__file__).parent / "semantics.md"
ACTS = Path(__file__).parent.parent / "tests" / "semantics" / "acts.txt"
ENDS = ACTS.with_name("outcomes.txt")
MODES = ("once", "multiple", "always_last", "restart")


def legend() -> str:
    drawn, _ = pressing("-a-b-----", steps, 0.2, until=0.9)
    return f"""# What happens when

Which events fire, which of them call a function, when it runs and how it ends. All pictures and tables here are runs of
apps in virtual time: `docs/make_semantics.py` writes this page, and a test fails when it is not what the code does. Ids
such as T1 name a rule; the tests in `tests/semantics/` carry them.

## How to read the pictures

Time goes to the right; a character is 0.1 s. What stands in parentheses happens at one instant, in this order; spaces
mean nothing, they align. A row with a port's name shows its events as letters. A row with a function's name shows what
became of the requests for it:

| sign | the request |
|---|---|
| `s` | starts: its function is called |
| `y` | has a result, or one of a generator's |
| `\\|` | succeeded |
| `#` | failed: an exception |
| `^` | was cancelled |
| `x` | was dropped: its trigger mode takes no further one |
| `r` | was rejected: the queue is full |
| `m` | was merged: its chunk of a stream went along with an earlier one's |
| `q` | waits in line |

Here a generator yields three times, each step taking 0.2 s, and the second press is dropped:

{picture(drawn)}
Each request ends in exactly one of `|`, `#`, `^`, `x`, `r`, `m` (C4).
"""


def modes() -> str:
    parts = [
        """## Trigger modes

Whether an event becomes a request is decided at the event, per session and listener, by what is *pending*: requests that
have not ended (T5). A generator is pending until it is exhausted or closed.

- `once`, the default: while one is pending, new ones are dropped (T1).
- `multiple`, the default of `stream`: every event becomes a request (T2).
- `always_last`, the default of `change`: while one is pending at most one more waits, the newest (T3).
- `restart`: the newest cancels what is pending and takes its place (T4).

Three presses while a function takes 0.5 s:
"""
    ]
    for mode in MODES:
        drawn, _ = pressing("-a-b-c-", work, 0.5, trigger_mode=mode)
        parts.append(f"\n`{mode}`\n\n{picture(drawn)}")
    ended = dict[tuple[str, str], set[tuple[str, ...]]]()
    for row in outcome_rows.rows():
        ended.setdefault((row.mode, row.fate), set()).add(row.ends)
    lines = [(f"`{mode}`", fate, *one) for (mode, fate), (one,) in ended.items()]
    parts.append(
        "\nHow three presses end while the first one pends, the same for functions, coroutines,"
        " generators, async generators\nand batches. When they end is in"
        " [tests/semantics/outcomes.txt](../tests/semantics/outcomes.txt).\n\n"
    )
    parts.append(table(("mode", "what happens to them", "a", "b", "c"), lines))
    parts.append(
        "\nA restarted function that cannot be interrupted still holds its slot to its end (Q3),"
        " so the new one\nstarts when it is over; an async one with `interrupt=True`, or a"
        " generator at its next step, ends before.\n"
    )
    return "".join(parts)


def defaults() -> str:
    with oc.Blocks() as demo:
        text, audio, slider = oc.Textbox(), oc.Audio(), oc.Slider()
        nodes = (text, audio, slider, oc.Button(), oc.Timer())
    rows = [
        (f"`{type(node).__name__}.{port}`", f"`{default_mode([Port(node, port)])}`")
        for node in nodes
        for port in dict.fromkeys(node.ports)
    ]
    by_mode = dict[str, list[str]]()
    for name, mode in rows:
        by_mode.setdefault(mode, []).append(name)
    chosen = [(mode, ", ".join(names)) for mode, names in by_mode.items()]
    assert demo.nodes
    return "The mode where none is named:\n\n" + table(("mode", "ports"), chosen)


def acts(rows: list[Row]) -> str:
    heads = ("what happens", "events there, in order", "at")
    return f"""## Acts and events

One law of order: the specific event, then `input`, then `change`; all of them see the new value (E4). `change` fires once
whenever the content moves, whatever moved it, and not when an equal value is written (E1). `input` fires if and only if
what a user did moved the value (E3). What a function writes fires `change` alone.

{table(heads, digest(rows))}
`pause` comes whenever playback stops, `stop` after it when the end was reached (E6). The same by component is in
[tests/semantics/acts.txt](../tests/semantics/acts.txt).
"""


def following(fn: Callable[..., Any], script: str) -> list[str]:
    """Which followers of a function fire."""
    fired = list[str]()

    def note(name: str) -> Callable[[], None]:
        return lambda: fired.append(f"`{name}`")

    with oc.Blocks() as demo:
        go, halt = oc.Button(label="Go"), oc.Button(label="Stop")
        run = go.click(fn, None, oc.Textbox())
        halt.click(None, cancels=[run])
        for name in ("then", "success", "failure", "cancelled"):
            getattr(run, name)(note(name))
    with Lab(demo, takes={fn: 0.5}) as lab:
        lab.perform(script, {"a": lambda: lab.click(go), "s": lambda: lab.click(halt)})
        lab.run(2)
    return fired


def inputs() -> str:
    """What a function gets, shown by a request that waits while its user types on."""
    got = list[object]()

    def note(text: oc.Textbox, count: int) -> int:
        got.append((text.value, text.label, count))
        return count + 1

    with oc.Blocks() as demo:
        go, count = oc.Button(), oc.State(0)
        text = oc.Textbox("as it was", label="Before")
        go.click(note, [text, count], count, trigger_mode="multiple")
        go.click(lambda: oc.Textbox(label="After"), None, text)
    with Lab(demo, takes={note: 1.0}) as lab:
        lab.click(go)
        lab.click(go)
        lab.type(text, "typed on")
        lab.run(3)
    assert got == [("as it was", "Before", 0), ("as it was", "After", 1)], got
    return """## What a function gets

- **I1** The values of its inputs as of the event; what the user does while the request waits comes too late for it. State is
  read when the function starts, and written with each result.
- **I2** Two functions of one session that read and write the same State never overlap.
- **I3** `inputs` as a list: one argument each, in order. As a set: one dict, keyed by component.
- **I4** State begins as a copy of its own for each session, and no page ever sees it.
- **I5** A parameter annotated with a component's class, like `sound: oc.Audio`, gets a copy of the component: its `value` is what
  the argument would have been (I1), its properties are those that this session has when the function starts. What the
  function changes of the copy it may return for an output, and only that is changed there.

`Request`, `EventData` and `Progress` parameters are filled by their annotation or default, and count as no input.
"""


def page_code() -> str:
    with oc.Blocks() as demo:
        go, text, out, sound = oc.Button(), oc.Textbox(), oc.Textbox(), oc.Audio()
        js = "(text) => text.trim()"
        kinds = {
            "a click, `submit`, `focus`, `blur`, `play`, any act": go.click(None, text, out, js=js),
            "`input`, if the user moved the value": text.input(None, text, out, js=js),
            "`change`": text.change(None, text, out, js=js),
            "a page that opens, a tick": demo.load(None, text, out, js=js),
            "`then` and its kind": go.click(work).then(None, text, out, js=js),
            "with a listener that follows it": (led := go.click(None, text, out, js=js)),
            "with `cancels` or `every`": go.click(None, text, out, js=js, every=1),
            "with an output that is a sound, a file or State": go.click(None, text, sound, js=js),
        }
        led.then(work)
    plan = demo.plan()
    rows = [
        (
            what,
            "in the page, at once"
            if each.declared.id in plan.alone
            else "the server asks the page",
        )
        for what, each in kinds.items()
    ]
    return f"""## Code of the page

`js` is a JavaScript function that runs in the page with the values of inputs and outputs (J1). Before a function it gives
what that gets as inputs, while the request holds its slot: {PATIENCE:g} s at most, for a question that a person answers,
or a page that is away. Who else stands in that line waits meanwhile. Where nobody must, let a listener with `queue=False`
ask the page, and hang the work on its `.success`. Pages of a batch are asked side by side, and one that fails, or never
answers, fails for itself alone (B3).

Without a function (`fn=None`) it sets the outputs:

{table(("started by", "runs"), rows)}
What runs in the page at once asks nothing of the server: no request, no slot, no trigger mode, and it works while the line
is down, in parts of the page (below) too. The server learns the values like all that a page sets: they are a `change`, and
the next function gets them. A front end without JavaScript says at its start which listeners it leaves out.
"""


def ends() -> str:
    rows: list[Sequence[str]] = [
        ("succeeds", " ".join(following(work, "a---"))),
        ("fails", " ".join(following(fail, "a---"))),
        ("is cancelled", " ".join(following(work, "a-s-"))),
    ]
    _, dropped = pressing("-ab-", work, 0.5)
    assert dropped == ["succeeded", "dropped"]
    rows.append(("is dropped", "nothing: it never ran"))
    return f"""## Ends and what follows

`dep.then(...)`, `.success`, `.failure` and `.cancelled` run on the server, in the order of their declaration, whether or
not a browser looks; exactly one of the last three fires, and `then` always (H1). A failure is the end of that request and
of nothing else (R3).

{table(("the function", "fires"), rows)}"""


def queue() -> str:
    one, _ = pressing("-abc-", work, 0.5, trigger_mode="multiple")
    two, _ = pressing("-abc-", work, 0.5, trigger_mode="multiple", concurrency_limit=2)
    none, _ = pressing("-abc-", work, 0.5, trigger_mode="multiple", queue=False)
    with oc.Blocks() as demo:
        go = oc.Button(label="Go")
        go.click(work, None, oc.Textbox(), trigger_mode="multiple")
    demo.queue(max_size=1)
    with Lab(demo, takes={work: 0.5}) as lab:
        press: dict[str, Callable[[], object]] = dict.fromkeys("abc", lambda: lab.click(go))
        lab.perform("-abc-", press)
        lab.run_until(2.0)
        full = plain(lab.trace.to_marbles("click", "work", until=2.0))
    return f"""## Queue

Each listener has a line of its own, first come first served; `concurrency_id="x"` puts several into one line, whose limit
is the lowest that any of them sets (Q1, Q2). One runs at a time unless `concurrency_limit` says otherwise:

{picture(one)}
`concurrency_limit=2`

{picture(two)}
`queue=False` skips the waiting and the limit, nothing else (Q5):

{picture(none)}
`demo.queue(max_size=1)`: beyond so many waiting requests, over all lines, a request is rejected with an error that says so
(Q4); here the waiting is drawn too:

{picture(full)}
A slot is free when the work has really stopped: a function that was cancelled holds its slot to its end (Q3).

Who waits is told the place in line, how many wait there and, once a call has succeeded, how long it will take (Q6): at once,
and anew when the place has changed. What a page shows is right when it comes, and never older than {REFRESH} s and one
second more for each {SWEPT} that wait in all lines together: 0.3 s where few wait, 3 s where 300 do, 40 s where 5,000 do. The
first {HEAD} of a line that moves are told before the others.
"""


def batches() -> str:
    def drawn(**options: Any) -> str:
        with oc.Blocks() as demo:
            text, out, go = oc.Textbox("a"), oc.Textbox(), oc.Button(label="Go")
            given = {"batch": True, "trigger_mode": "multiple", **options}
            go.click(batch, text, out, **given)
        with Lab(demo, takes={batch: 0.4}) as lab:
            press: dict[str, Callable[[], object]] = dict.fromkeys("abcde", lambda: lab.click(go))
            lab.perform("-ab-cde-", press)
            lab.run_until(2.0)
            return plain(lab.trace.to_marbles("click", "batch", waits=False, until=2.0))

    return f"""## Batches

A job takes up to `max_batch_size` waiting requests of its listener, in order, from all sessions; it does not wait to be
full (B1). The function gets a list per input and returns a tuple of lists, one per output (B2). An element that is an
exception fails its member alone (B3).

{picture(drawn())}
`batch_window=0.3` lets it wait so long for others:

{picture(drawn(batch_window=0.3))}"""


def cancels() -> str:
    function, _ = pressing("-a-sb---", work, 0.5, stop=True)
    generator, _ = pressing("-a--s-b-", steps, 0.2, stop=True)
    waiting, _ = pressing("-ab-s--", work, 0.5, stop=True, trigger_mode="multiple")
    async_one, _ = pressing("-a---------s-b---", endless, None, stop=True, until=2.6)
    return f"""## Cancels

`cancels=[dep]` acts at the trigger, before the listener's own function, on this session's requests (C1, C2). A function
that runs is allowed to finish; its result is discarded, and what comes next waits for its slot:

{picture(function)}
A generator is closed at its present step, and its `finally` runs once:

{picture(generator)}
A request that waits never runs:

{picture(waiting)}
The same for an async generator, here with a step of 0.5 s:

{picture(async_one)}
`interrupt=True` stops a running async function at its next await (C3).
"""


def timers() -> str:
    def drawn(takes: float) -> str:
        with oc.Blocks() as demo:
            timer = oc.Timer(0.5)
            timer.tick(work, None, oc.Textbox())
        with Lab(demo, takes={work: takes}) as lab:
            lab.run_until(2.1)
            lab.disconnect()
            lab.run_until(3.1)
            lab.reconnect()
            lab.run_until(4.1)
            text = lab.trace.to_marbles("tick", "work", waits=False, steps=False, until=4.1)
            return plain(text.replace(f"Timer {timer.id}", "Timer"))

    return f"""## Timers

`Timer(0.5)` ticks at every multiple of half a second after the session opened, and `every=0.5` on a listener at every
multiple after its trigger: a fixed rate, without drift (M1). Another trigger begins anew once its request is taken; one
that is dropped or rejected leaves the timer as it was. While a session is not connected its timers are silent; here the
line is lost from 2.1 s to 3.1 s:

{picture(drawn(0.1))}
A tick that comes while the last run is pending is skipped, so that nothing piles up (M2); here a run takes 0.7 s:

{picture(drawn(0.7))}"""


def leaving() -> str:
    with oc.Blocks() as demo:
        go, other, out = oc.Button(label="Go"), oc.Button(label="Other"), oc.Textbox()
        go.click(endless, None, out)
        other.click(endless, None, oc.Textbox(), on_disconnect="finish")
    with Lab(demo, reconnect_window=2) as lab:
        lab.click(go)
        lab.click(other)
        lab.run(1.2)
        lab.disconnect()
        lab.run_until(5)
        cancelled = [str(each.kind) for each in lab.outcomes if each.listener == "endless"][-1]
        gone = next(each.at for each in lab.outcomes if each.kind == "cancelled")
        goes_on = [each.at for each in lab.outcomes if each.listener == "endless_1"][-1]
    assert cancelled == "cancelled" and gone == 3.2 and goes_on > gone
    return """## Leaving and coming back

A session whose line is lost lives on for `reconnect_window` seconds (60 by default): all that was shown meanwhile comes
with the reconnection. After that it counts as a cancel of everything it has, sync and async alike; a listener with
`on_disconnect="finish"` runs on (C5), and of what follows its end only what says the same is asked (H1).
"""


def anew() -> str:
    def follow(n: int) -> None:
        oc.Button(label="Go").click(steps, None, oc.Number())

    with oc.Blocks() as demo:
        count = oc.Number(1, label="Count")
        oc.render(inputs=count)(follow)
    with Lab(demo, takes={steps: 0.3}) as lab:
        lab.click(lab.find("Go"))
        lab.perform("-----a---", {"a": lambda: lab.input(count, 2)})
        drawn = plain(lab.trace.to_marbles("change", "follow", "steps", waits=False, until=0.9))
        ends = [str(each.kind) for each in lab.outcomes if each.listener == "steps"]
    assert ends[-1] == "cancelled"
    return f"""## Parts of a page

What `@oc.render(inputs=...)` decorates makes a part of the page, for each session by itself.

- **P1** It runs at load and whenever an input changes; a newer change takes the place of a run that is not done (T4).
  When it ends, what it made takes the place of the old part at once. If it fails, or made what cannot work, the old part
  stands.
- **P2** A component with a `key` that is made again, of the same kind, keeps its value and stays the one that users see;
  all others begin anew.
- **P3** What still runs or waits for listeners of the old part is cancelled, and what it still yields goes nowhere. A
  recorder that goes ends its recording: no chunk of it comes any more, and sound that went out of it ends. One with a key
  goes on recording.
- **P4** Timers and `every` of the old part end with it.

Here the part is made anew while its generator runs:

{picture(drawn)}"""


def generate() -> dict[Path, str]:
    """What stands in each file."""
    found = rows()
    parts = (legend(), modes(), defaults(), acts(found), inputs(), ends(), queue(), batches())
    page = "\n".join([*parts, cancels(), timers(), leaving(), page_code(), anew()])
    return {FILE: page, ACTS: text(found), ENDS: outcome_rows.text(outcome_rows.rows())}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; 1 if it is stale")
    options = parser.parse_args()
    logging.disable()  # functions fail here on purpose
    made = generate()
    if options.check:
        stale = [f for f, text in made.items() if f.read_text(encoding="utf-8") != text]
        return 1 if stale else 0
    for file, what in made.items():
        file.write_text(what, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
