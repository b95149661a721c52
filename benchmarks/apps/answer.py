"""A recording that comes back as sound, on both sides: `python answer.py <module> <port>`."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

kit: Any = import_module(sys.argv[1])


def reverse(sound: tuple[int, Any]) -> tuple[int, Any]:
    rate, samples = sound
    return rate, samples[::-1]


with kit.Blocks(title="Answer") as demo:
    voice = kit.Audio(sources=["microphone"], type="numpy", label="Voice", elem_id="voice")
    answer = kit.Audio(label="Answer", interactive=False, elem_id="answer")
    voice.stop_recording(reverse, voice, answer)

if __name__ == "__main__":
    demo.launch(server_name="127.0.0.1", server_port=int(sys.argv[2]))
