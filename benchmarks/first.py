"""How soon generated sound is heard: from the first yield in Python to its first sample played.

The app notes the time just before its generator yields for the first time, the page's own playback
worklet notes it when it first hands out a sample that is not zero. Both ask the one machine's wall
clock, which a worklet knows to the millisecond; the devices are not counted.
"""

from __future__ import annotations

import json
from statistics import median

from playwright.async_api import Browser, Page, expect

from .served import serving

SPEECHES = (("first", 20.0), ("first", 500.0), ("later", 20.0))
"""App, and ms of what is yielded at once: at the click, or after a third of a second of work."""
TURNS = 5  # pages of each
PREBUFFER = 60  # ms that generated sound waits before it starts: web/src/live/delay.ts
GOAL = 150 + PREBUFFER

STAMPING = """
{
  const register = globalThis.registerProcessor;
  globalThis.registerProcessor = (name, Made) => register(name, class extends Made {
    process(inputs, outputs, parameters) {
      const on = super.process(inputs, outputs, parameters);
      if (!this.stamped && outputs[0]?.some((channel) => channel.some((x) => x !== 0))) {
        this.stamped = Date.now();
        this.port.postMessage({ stamped: this.stamped });
      }
      return on;
    }
  });
}
"""
SCRIPT = """
(() => {
  window.stamps = [];
  const { set } = Object.getOwnPropertyDescriptor(MessagePort.prototype, 'onmessage');
  Object.defineProperty(MessagePort.prototype, 'onmessage', {
    set(hear) {
      set.call(this, hear && ((event) => {
        if (event.data?.stamped) window.stamps.push(event.data.stamped);
        else hear.call(this, event);
      }));
    },
  });
  const addModule = AudioWorklet.prototype.addModule;
  AudioWorklet.prototype.addModule = async function (url) {
    const code = await (await fetch(url)).text();
    const type = 'text/javascript';
    await addModule.call(this, URL.createObjectURL(new Blob([STAMPING, code], { type })));
  };
})();
"""


async def first_sound(browser: Browser) -> None:
    """Prints a row for each length of a piece: in a fresh page, and again in the same."""
    for app, piece in SPEECHES:
        async with serving(app, piece) as served:
            fresh, again = list[float](), list[float]()
            for _ in range(TURNS):
                context = await browser.new_context(bypass_csp=True)
                page = await context.new_page()
                await page.add_init_script(SCRIPT.replace("STAMPING", json.dumps(STAMPING)))
                await page.goto(served.url)
                fresh.append(await _spoken(page, 1))
                again.append(await _spoken(page, 2))
                await context.close()
        of = f"pieces of {piece:g} ms{' after work' if app == 'later' else ''}"
        for name, found in ((f"{of}, a fresh page", fresh), ("again", again)):
            p50, most = median(found), max(found)
            goal = "met" if p50 <= GOAL else "missed"
            print(f"| first sound, {name} [ms] | {p50:.0f} | {most:.0f} at most "
                  f"| ≤ {GOAL}: {goal} |", flush=True)  # fmt: skip


async def _spoken(page: Page, turn: int) -> float:
    """Milliseconds from the yield to the sound, of one more speech in this page."""
    await page.get_by_role("button", name="Speak").click()
    await page.wait_for_function("turn => window.stamps.length === turn", arg=turn)
    await page.locator(".wave.drawn").wait_for()
    told = page.get_by_label("Yielded")
    before = await told.input_value()
    await page.get_by_role("button", name="When").click()
    await expect(told).not_to_have_value(before)
    heard: float = await page.evaluate("window.stamps.at(-1)")
    return heard - float(await told.input_value())
