"""What comes out of the page's audio graph, and what its microphone gives, sample by sample.

The tap is a worklet of its own in the page's own audio context: one clock for both, so that the way
from one to the other is known to the sample.
"""

from __future__ import annotations

import base64
import json
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray
from playwright.async_api import Page

WORKLET = """
registerProcessor('tap', class extends AudioWorkletProcessor {
  constructor() {
    super();
    this.heard = [];
    this.spoken = [];
    this.port.onmessage = () => {
      this.port.postMessage({ heard: this.heard, spoken: this.spoken, rate: sampleRate });
    };
  }
  process(inputs) {
    const take = (input) => (input[0] ? input[0].slice() : new Float32Array(128));
    this.heard.push(take(inputs[0]));
    this.spoken.push(take(inputs[1]));
    return true;
  }
});
"""

SCRIPT = """
(() => {
  const worklet = URL.createObjectURL(new Blob([WORKLET], { type: 'text/javascript' }));
  const taps = new Map();
  window.tapped = async (rate) => {
    const made = [...taps].find(([context]) => !rate || context.sampleRate === rate);
    if (!made) return null;
    const port = made[1].port;
    const data = await new Promise((done) => {
      port.onmessage = (event) => done(event.data);
      port.postMessage('');
    });
    const text = (parts) => {
      const all = new Float32Array(parts.length * 128);
      parts.forEach((part, i) => all.set(part, i * 128));
      const bytes = new Uint8Array(all.buffer);
      let out = '';
      for (let i = 0; i < bytes.length; i += 32768)
        out += String.fromCharCode(...bytes.subarray(i, i + 32768));
      return btoa(out);
    };
    return { heard: text(data.heard), spoken: text(data.spoken), rate: data.rate };
  };
  const addModule = AudioWorklet.prototype.addModule;
  AudioWorklet.prototype.addModule = async function (...args) {
    await addModule.apply(this, args);
    await addModule.call(this, worklet);
  };
  const connect = AudioNode.prototype.connect;
  const tap = (node, input) => {
    let made = taps.get(node.context);
    if (!made) {
      made = new AudioWorkletNode(node.context, 'tap', {
        numberOfInputs: 2,
        channelCount: 1,
        channelCountMode: 'explicit',
        channelInterpretation: 'discrete', // the first channel as it is, not a mixture
      });
      taps.set(node.context, made);
      connect.call(made, node.context.destination);
    }
    connect.call(node, made, 0, input);
  };
  AudioNode.prototype.connect = function (...args) {
    const to = connect.apply(this, args);
    if (this instanceof MediaStreamAudioSourceNode) tap(this, 1);
    else if (this instanceof AudioWorkletNode && this.numberOfInputs === 0) tap(this, 0);
    return to;
  };
})();
"""


class _Tapped(TypedDict):
    heard: str
    spoken: str
    rate: int


class Tap:
    """Install it before the page is opened, in a context that bypasses the page's policy; ask it
    when the sound is over."""

    def __init__(self, page: Page) -> None:
        self._page = page

    async def install(self) -> None:
        await self._page.add_init_script(SCRIPT.replace("WORKLET", json.dumps(WORKLET)))

    async def sound(
        self, rate: int = 0
    ) -> tuple[int, NDArray[np.float32], NDArray[np.float32]]:
        """Rate, all that the page played, and all that its microphone gave; on one clock."""
        found: _Tapped | None = await self._page.evaluate("rate => window.tapped(rate)", rate)
        assert found is not None, "nothing was connected to a speaker yet"

        def read(text: str) -> NDArray[np.float32]:
            return np.frombuffer(base64.b64decode(text), np.float32)

        return found["rate"], read(found["heard"]), read(found["spoken"])

    async def heard(self, rate: int = 0) -> NDArray[np.int16]:
        """What the page played, at 16 bit and without the silence around it."""
        _, played, _ = await self.sound(rate)
        samples = np.rint(played * 32768).astype(np.int16)
        where = np.flatnonzero(samples)
        return samples[where[0] : where[-1] + 1] if len(where) else samples[:0]
