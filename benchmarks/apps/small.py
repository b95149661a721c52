"""The app both sides serve, word for word: `python small.py <module> <port> <yields> <at once>`.

The module (`gradio` or `ossicle`) comes from the environment that runs this file. Only names that
both public APIs share appear here, so neither side gets an app written to its taste.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from typing import Any

kit: Any = import_module(sys.argv[1])
port, yields, at_once = map(int, sys.argv[2:])


def reverse(sound: tuple[int, Any]) -> tuple[int, Any]:
    rate, samples = sound
    return rate, samples[::-1]


def echo(text: str) -> str:
    return text


async def echo_async(text: str) -> str:
    return text


def count() -> Iterator[str]:
    for i in range(yields):
        yield str(i)


with kit.Blocks(title="Small") as demo:
    voice = kit.Audio(sources=["microphone", "upload"], type="numpy", label="Voice")
    backwards = kit.Audio(label="Backwards", interactive=False)
    kit.Button("reverse").click(reverse, voice, backwards)
    said = kit.Textbox(label="Said")
    heard = kit.Textbox(label="Heard")
    kit.Button("echo").click(echo, said, heard, concurrency_limit=at_once)
    kit.Button("echo async").click(echo_async, said, heard, concurrency_limit=at_once)
    number = kit.Textbox(label="Number")
    kit.Button("count").click(count, None, number)

if __name__ == "__main__":
    demo.launch(server_name="127.0.0.1", server_port=port)
