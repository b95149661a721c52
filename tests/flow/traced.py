"""An app with one of everything that a trace must tell of, and its story."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import reactivex.operators as ops

import ossicle as oc
from ossicle.testing import Lab

RATE = 8000


class App:
    """One of everything that a trace must tell of."""

    def __init__(self) -> None:
        with oc.Blocks() as self.blocks:
            self.name, self.out = oc.Textbox(label="Name"), oc.Textbox(label="Out")
            self.take = oc.Microphone(label="Take", streaming=True)
            self.count, self.items = oc.Number(0, label="Count"), oc.State([])
            self.go, self.stop = oc.Button("Go", label="Go"), oc.Button("Stop", label="Stop")
            self.greet = self.name.submit(greet, self.name, self.out)
            self.greet.then(remember, self.items, self.items)
            self.greet.failure(apology, None, self.out)
            self.out.change(length, self.out, self.count)
            self.run = self.go.click(steps, None, self.count)
            self.stop.click(None, None, None, cancels=[self.run])
            self.take.stop_recording(heard, self.take, self.out)
            self.take.stream(loudness, self.take, self.count)
            self.name.change.pipe(ops.debounce(0.3))(waited, None, self.out)
            self.timer = oc.Timer(1.0)
            self.timer.tick(tick)


def greet(name: str) -> str:
    if name == "bad":
        raise oc.Error("no such name")
    return f"hello {name}"


def remember(items: list[int]) -> list[int]:
    items.append(len(items))  # in place: the trace must have kept what was
    return items


def apology() -> str:
    return "sorry"


def length(text: str) -> int:
    return len(text)


def steps() -> Iterator[int]:
    yield from range(5)


def heard(sound: tuple[int, Any]) -> str:
    return f"{len(sound[1])} samples"


def loudness(sound: tuple[int, Any]) -> int:
    return int(np.max(sound[1]))


def waited() -> str:
    return "waited"


async def tick() -> None:
    await asyncio.sleep(0.05)


def story(app: App, lab: Lab) -> None:
    lab.takes(steps, [0.5, 1.0])
    lab.takes(heard, 0.25)
    lab.submit(app.name, "ada")
    lab.run(1)
    lab.click(app.go)
    lab.click(app.go)
    lab.run(1.75)
    lab.click(app.stop)
    guest = lab.session()
    guest.submit(app.name, "bad")
    lab.record(app.take, (RATE, np.arange(RATE, dtype=np.int16)))
    acts: dict[str, Callable[[], object]] = {
        "a": lambda: guest.click(app.go),
        "b": lambda: guest.click(app.stop),
    }
    lab.perform("a-(ab)--a-", acts)
    guest.disconnect()
    lab.run(5)
    guest.reconnect()
    guest.disconnect()
    lab.run(70)


def ended(lab: Lab, listener: str, kind: str, nth: int = 0) -> Any:
    found = [each for each in lab.outcomes if each.listener == listener and each.kind == kind]
    return found[nth].outcome
