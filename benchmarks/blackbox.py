"""A tap for pages whose audio graph is not known: any page that asks for a microphone and plays.

What `getUserMedia` gives is one side; the other is whatever `<audio>` elements play: the stream
given to them (WebRTC), or their own output (`captureStream`). Both go into one audio context, so
they have one clock, as in `tests.browser.tap`. Each side passes one MediaStream more there than in
our own page's tap, which adds some milliseconds to what is measured.
"""

from __future__ import annotations

import json

from playwright.async_api import Page

from tests.browser.tap import WORKLET, Tapped, read

SCRIPT = """
(() => {
  let made = null;
  const tapping = () => (made ??= (async () => {
    const context = new AudioContext({ sampleRate: 48000 });
    await context.audioWorklet.addModule(
      URL.createObjectURL(new Blob([WORKLET], { type: 'text/javascript' })));
    const node = new AudioWorkletNode(context, 'tap', { numberOfInputs: 2, channelCount: 1,
      channelCountMode: 'explicit', channelInterpretation: 'discrete' });
    node.connect(context.destination);
    await context.resume();
    return { context, node };
  })());
  const into = async (stream, input) => {
    const { context, node } = await tapping();
    const source = context.createMediaStreamSource(stream);
    (window.sources ??= []).push(source); // or it would be collected
    source.connect(node, 0, input);
  };
  const media = navigator.mediaDevices;
  const ask = media.getUserMedia.bind(media);
  let first = true;
  media.getUserMedia = async (wish) => {
    const stream = await ask(wish);
    if (first && stream.getAudioTracks().length) void into(stream.clone(), 1);
    first = false;
    return stream;
  };
  const seen = new WeakSet();
  const hear = ({ target }) => {
    if (!(target instanceof HTMLMediaElement) || seen.has(target)) return;
    seen.add(target);
    void into(target.srcObject ?? target.captureStream(), 0);
  };
  const play = HTMLMediaElement.prototype.play;
  HTMLMediaElement.prototype.play = function () {
    this.addEventListener('playing', hear); // it may stand outside of the document
    return play.call(this);
  };
  document.addEventListener('playing', hear, true);
  window.tapped = async () => {
    const { node } = await tapping();
    const data = await new Promise((done) => {
      node.port.onmessage = ({ data }) => data === 'begun' || done(data);
      node.port.postMessage('');
    });
    const text = (parts) => {
      const bytes = new Uint8Array(new Float32Array(parts.flatMap((part) => [...part])).buffer);
      let out = '';
      for (let i = 0; i < bytes.length; i += 32768)
        out += String.fromCharCode(...bytes.subarray(i, i + 32768));
      return btoa(out);
    };
    return { ...data, heard: text(data.heard), spoken: text(data.spoken) };
  };
})();
"""


async def install(page: Page) -> None:
    """Before the page is opened, in a context that bypasses its policy."""
    await page.add_init_script(SCRIPT.replace("WORKLET", json.dumps(WORKLET)))


async def sound(page: Page) -> Tapped:
    """What was tapped so far."""
    return read(await page.evaluate("window.tapped()"))
