"""Nothing is loaded on the loop while sound comes."""

from __future__ import annotations

import subprocess
import sys

CODE = """
import asyncio, sys
import ossicle as oc
from ossicle import sound
from ossicle.runtime.host import Host
from ossicle.runtime.streams import beforehand

async def main():
    with oc.Blocks() as demo:
        mic, out = oc.Audio(streaming=True), oc.Audio(streaming=True, interactive=False)
        mic.stream.pipe(sound.highpass(80.0), sound.gain(-3.0)).to(out)
    threads = []
    begin = beforehand.begin
    beforehand.begin = lambda: threads.append(begin())
    host = Host(demo.plan())
    connection = host.connect(None, 0, lambda message: None)
    assert len(threads) == 1
    await asyncio.to_thread(threads[0].join)
    from ossicle.runtime.streams.frame import HEADER
    connection.receive({"type": "act", "node": mic.id, "act": "start_recording"})
    before = set(sys.modules)
    for n in range(300):
        head = HEADER.pack(1, 1, 1, 1, mic.id, 0 if n else 1, n, 48000, n * 960, 0.0)
        connection.receive_sound(head + bytes(1920))
        await asyncio.sleep(0)
    print(sorted(name for name in set(sys.modules) - before if not name.startswith("numpy")))
    await host.close()

asyncio.run(main())
"""


def test_all_that_six_seconds_of_sound_need_is_there_before() -> None:
    """The first session of an app that streams loads it beside the loop."""
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
