"""An app with something of everything, an hour of it, and its trace on standard output.

Where an order came from a set or from addresses, two hash seeds would give two traces.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from typing import Any

import numpy as np
import reactivex.operators as ops

import ossicle as oc
from ossicle.flow.blocks import Block
from ossicle.testing import Lab

RATE = 8000
MODES: tuple[Any, ...] = ("once", "multiple", "always_last", "restart")


def keyed(values: dict[Any, Any]) -> dict[Any, Any]:
    """A set of inputs comes as a dict, and a dict goes to outputs."""
    return dict.fromkeys(outs, " ".join(sorted(str(each) for each in values.values())))


def batch(texts: list[str], counts: list[int]) -> tuple[list[str], list[int]]:
    return [text.upper() for text in texts], [n + 1 for n in counts]


def steps(count: int) -> Iterator[int]:
    for _ in range(3):
        count += 1
        yield count


async def endless(text: str) -> AsyncIterator[str]:
    for n in range(1000):
        await asyncio.sleep(0.7)
        yield f"{text} {n}"


def fails(text: str) -> str:
    raise oc.Error(text, print_exception=False)


def more(n: float) -> float:
    return n + 1


def same(text: str) -> str:
    return text


def heard(sound: Any) -> str:
    return str(len(sound[1]))


with oc.Blocks() as demo:
    boxes = [oc.Textbox(label=f"box {n}") for n in range(6)]
    outs = [oc.Textbox(label=f"out {n}") for n in range(6)]
    count, seconds = oc.State(0), oc.Number(0)
    go, stop = oc.Button("Go"), oc.Button("Stop")
    mic = oc.Audio(streaming=True)
    deps = [
        go.click(steps, count, count, trigger_mode=mode, concurrency_id=f"line {n % 2}")
        for n, mode in enumerate(MODES)
    ]
    deps.append(go.click(keyed, {*boxes}, outs))
    deps.append(go.click(endless, boxes[0], outs[1], on_disconnect="finish"))
    deps.append(go.click(fails, boxes[1], outs[2]))
    deps[-1].failure(fails, boxes[2], outs[3]).then(steps, count, count)
    batched: dict[str, Any] = {"batch": True, "batch_window": 0.3, "trigger_mode": "multiple"}
    deps.append(boxes[3].input(batch, [boxes[3], count], [outs[4], count], **batched))
    stop.click(None, cancels=deps)
    oc.on([each.change for each in boxes], keyed, {*boxes}, outs)
    oc.on(boxes[4].input.pipe(ops.debounce(0.3)), same, boxes[4], outs[5])
    mic.stream(heard, mic, outs[0], stream_every=0.1)
    oc.Timer(5).tick(more, seconds, seconds)
    oc.Textbox(lambda: "now", every=60)
demo.queue(max_size=20)


def main() -> None:
    lab = Lab(demo, takes={steps: 0.4, batch: 0.2, keyed: 0.1}, reconnect_window=20)
    with lab:
        users = [lab, lab.session(), lab.session()]
        samples = np.zeros((160, 1), np.float32)
        lab.feed(mic, (Block(samples, RATE, n * 160) for n in range(500)), every=0.02)
        for second in range(60):
            user = users[second % 3]
            lab.clock.at(second * 1.1, lambda user=user: user.click(go))
            lab.clock.at(second * 1.3, lambda u=user, n=second: u.type(boxes[n % 6], f"text {n}"))
            if second % 7 == 0:
                lab.clock.at(second * 1.2, lambda user=user: user.click(stop))
        lab.clock.at(81, users[1].disconnect)
        lab.clock.at(92, users[1].reconnect)
        lab.clock.at(95, users[2].disconnect)
        lab.run_until(float(sys.argv[1]))
        print("\n".join(lab.trace.lines()))


if __name__ == "__main__":
    main()
