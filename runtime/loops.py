"""The event loop that an app is served on: uvloop's where it is installed, else asyncio's."""

from __future__ import annotations

import asyncio


def new_loop() -> asyncio.AbstractEventLoop:
    """A loop for a thread of our own; whoever serves an app on a loop of theirs keeps theirs."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()
