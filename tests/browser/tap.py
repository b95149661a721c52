"""What comes out of the page's audio graph, and what its microphone gives, sample by sample.

The tap is a worklet of its own in the page's own audio context: one clock for both, so that the way
from one to the other is known to the sample.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
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
    this.start = 0;
    this.begun = false;
    this.silent = 0;
    this.sounds = false;
    this.port.onmessage = () => {
      const { heard, spoken, start, silent } = this;
      this.port.postMessage({ heard, spoken, start, silent, rate: sampleRate });
    };
  }
  process(inputs) {
    if (!this.begun) {
      this.begun = true;
      // Not when it was made: until it is connected it hears nothing.
      this.start = currentFrame;
      this.port.postMessage('begun');
    }
    const take = (input) => (input[0] ? input[0].slice() : new Float32Array(128));
    const heard = take(inputs[0]);
    const sounds = heard.some((x) => x !== 0);
    if (this.sounds && !sounds) this.silent = Date.now();
    this.sounds = sounds;
    this.heard.push(heard);
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
      port.onmessage = (event) => event.data === 'begun' || done(event.data);
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
    return { ...data, heard: text(data.heard), spoken: text(data.spoken) };
  };
  window.contexts = () => [...taps.keys()];
  // When the page was last clicked: milliseconds of the machine's clock, which worklets know as
  // well. An audio context's own clock runs by what its device takes at once, about 10 ms.
  window.clicked = null;
  document.addEventListener('pointerdown', (event) => {
    window.clicked = Date.now() - (performance.now() - event.timeStamp);
  }, true);
  const owners = new WeakMap();
  const owned = Object.getOwnPropertyDescriptor(BaseAudioContext.prototype, 'audioWorklet');
  Object.defineProperty(BaseAudioContext.prototype, 'audioWorklet', {
    get() {
      const made = owned.get.call(this);
      owners.set(made, this);
      return made;
    },
  });
  const connect = AudioNode.prototype.connect;
  const addModule = AudioWorklet.prototype.addModule;
  AudioWorklet.prototype.addModule = async function (...args) {
    await addModule.apply(this, args);
    const context = owners.get(this);
    if (taps.has(context)) return;
    await addModule.call(this, worklet);
    const made = new AudioWorkletNode(context, 'tap', {
      numberOfInputs: 2,
      channelCount: 1,
      channelCountMode: 'explicit',
      channelInterpretation: 'discrete', // the first channel as it is, not a mixture
    });
    taps.set(context, made);
    connect.call(made, context.destination);
    // A tap that begins after the sound would miss its start.
    if (context.state === 'running')
      await new Promise((done) => {
        made.port.addEventListener('message', done, { once: true });
        made.port.start();
      });
  };
  const tap = (node, input) => connect.call(node, taps.get(node.context), 0, input);
  AudioNode.prototype.connect = function (...args) {
    // First: once it is connected to the speaker it may sound, and the tap would miss its start.
    if (this instanceof MediaStreamAudioSourceNode) tap(this, 1);
    else if (this instanceof AudioWorkletNode && this.numberOfInputs === 0) tap(this, 0);
    return connect.apply(this, args);
  };
})();
"""


class Told(TypedDict):
    """What a page tells of its tap: samples as float32 in base64."""

    heard: str
    spoken: str
    rate: int
    start: int
    silent: float


@dataclass(frozen=True, slots=True, eq=False)
class Tapped:
    """All that a page played and all that its microphone gave, on one clock. start: its frame.

    silent: when the page gave its device silence after sound last, in ms of the machine's clock.
    """

    rate: int
    start: int
    silent: float
    heard: NDArray[np.float32]
    spoken: NDArray[np.float32]

    def delays(self, window: float = 0.25, most: float = 1.0) -> list[float]:
        """Milliseconds from microphone to speaker, for each stretch of sound that was heard.

        window, most: seconds of a stretch, and that it may be late."""
        size, found = round(window * self.rate), list[float]()
        for at in range(0, len(self.heard) - size, size):
            heard = self.heard[at : at + size]
            if np.count_nonzero(heard) < 0.95 * size:
                continue
            first = max(0, at - round(most * self.rate))
            spoken = self.spoken[first : at + size]
            length = 1 << (len(spoken) + size).bit_length()
            product = np.fft.rfft(spoken, length) * np.conj(np.fft.rfft(heard, length))
            place = int(np.argmax(np.fft.irfft(product, length)[: len(spoken)]))
            found.append(1000 * (at - first - place) / self.rate)
        return found


def read(told: Told) -> Tapped:
    def samples(text: str) -> NDArray[np.float32]:
        return np.frombuffer(base64.b64decode(text), np.float32)

    return Tapped(
        told["rate"], told["start"], told["silent"], samples(told["heard"]), samples(told["spoken"])
    )


class Tap:
    """Install it before the page is opened, in a context that bypasses the page's policy; ask it
    when the sound is over."""

    def __init__(self, page: Page) -> None:
        self._page = page

    async def install(self) -> None:
        await self._page.add_init_script(SCRIPT.replace("WORKLET", json.dumps(WORKLET)))

    async def sound(self, rate: int = 0) -> Tapped:
        """What was tapped so far. rate: of the context, where the page has several."""
        found: Told | None = await self._page.evaluate("rate => window.tapped(rate)", rate)
        assert found is not None, "nothing was connected to a speaker yet"
        return read(found)

    async def heard(self, rate: int = 0) -> NDArray[np.int16]:
        """What the page played, at 16 bit and without any silence.

        Silence is where sound was late: so what is tapped must have no sample that is zero.
        """
        samples = np.rint((await self.sound(rate)).heard * 32768).astype(np.int16)
        return samples[samples != 0]
