/**
 * Takes samples from the microphone, on the audio thread, and stops at the exact sample asked for.
 *
 * To the page: `{channels: Float32Array[]}` per chunk, then once `{ended: "stop" | "limit"}`.
 * From the page: "pause", "resume", "stop", `{wire: MessagePort}`, or `{slept: seconds}` after the page stood still.
 * To the wire, where there is one: packed frames of exactly the length asked for, then `{ended}`.
 */
import { interleave, int16 } from '../audio/wav';
import { END, pack, START } from '../live/frame';
import type { CaptureOptions, LiveOptions } from '../live/messages';

/**
 * A device that is still starting gives exact zeros, which are no part of the sound. After this many seconds of them they
 * count all the same: then it is the sound (a muted device, a silent file).
 */
const WARM_UP = 0.5;

/** Frames per chunk: about 20 ms, so that the meter is quick and the messages few. */
const CHUNK = 1024;

/** Seconds of a sleep that become a gap of the recording: an hour of silence would be no help to a take. */
const LONGEST_SLEEP = 60;

type Said = 'pause' | 'resume' | 'stop' | { wire: MessagePort } | { slept: number };

/** Frames of one length out of pieces of any. */
class Framer {
  private readonly size: number;
  private readonly buffers: Float32Array<ArrayBuffer>[];
  private filled = 0;
  private index = 0;
  private seq = 0;
  private time = 0;
  private mono: boolean | null = null;

  constructor(
    private readonly live: LiveOptions,
    private readonly wire: MessagePort,
    width: number,
  ) {
    this.size = Math.max(1, Math.round((live.frameMs / 1000) * sampleRate));
    this.buffers = Array.from({ length: width }, () => new Float32Array(this.size));
  }

  /** `at` to `end` of what the microphone gave in this quantum. */
  push(input: Float32Array[], at: number, end: number): void {
    const first = input[0];
    if (!first) return;
    while (at < end) {
      if (this.filled === 0) this.time = this.live.origin + ((currentFrame + at) / sampleRate) * 1000;
      const take = Math.min(end - at, this.size - this.filled);
      this.buffers.forEach((buffer, c) => buffer.set((input[c] ?? first).subarray(at, at + take), this.filled));
      at += take;
      this.filled += take;
      if (this.filled === this.size) this.send(0);
    }
  }

  /** So many seconds went by unheard: what comes next has the index that it would have had. */
  skip(seconds: number): void {
    if (this.filled > 0) this.send(0);
    this.index += Math.round(Math.min(seconds, LONGEST_SLEEP) * sampleRate);
  }

  end(why: 'stop' | 'limit'): void {
    this.send(END);
    this.wire.postMessage({ ended: why });
  }

  private send(flags: number): void {
    const made = this.buffers.map((buffer) => int16(buffer.subarray(0, this.filled)));
    const [left, right] = made;
    if (!left) return;
    // A mono microphone that the browser doubled is sent once. Decided with the first frame: a stream keeps its form.
    this.mono ??= !right || left.every((x, i) => x === right[i]);
    if (this.mono && right) for (let i = 0; i < left.length; i++) left[i] = ((left[i] ?? 0) + (right[i] ?? 0)) / 2;
    const data = pack({
      node: this.live.node,
      flags: flags | (this.seq === 0 ? START : 0),
      seq: this.seq,
      rate: sampleRate,
      index: this.index,
      time: this.time,
      channels: this.mono ? 1 : made.length,
      samples: this.mono ? left : interleave(made),
    });
    this.seq += 1;
    this.index += this.filled;
    this.filled = 0;
    this.wire.postMessage(data, [data]);
  }
}

class Capture extends AudioWorkletProcessor {
  private readonly width: number;
  private left: number;
  private buffers: Float32Array<ArrayBuffer>[];
  private filled = 0;
  private state: 'held' | 'on' | 'paused' | 'over';
  private warm = Math.round(WARM_UP * sampleRate);
  private framer: Framer | null = null;

  constructor(options: { processorOptions: CaptureOptions }) {
    super();
    const { channels, limit, live } = options.processorOptions;
    this.width = channels;
    this.left = limit || Infinity;
    this.buffers = this.fresh();
    // What goes out live begins when the server has been told, not before.
    this.state = live ? 'held' : 'on';
    this.port.onmessage = ({ data }: MessageEvent<Said>) => {
      if (this.state === 'over') return;
      if (typeof data !== 'string' && 'slept' in data) {
        if (this.state === 'on') this.framer?.skip(data.slept);
      } else if (typeof data !== 'string') {
        if (live) this.framer = new Framer(live, data.wire, this.width);
        this.state = 'on';
      } else if (data === 'stop') this.end('stop');
      else if (this.state !== 'held') this.state = data === 'pause' ? 'paused' : 'on';
    };
  }

  process(inputs: Float32Array[][]): boolean {
    if (this.state === 'over') return false;
    const input = inputs[0];
    const first = input?.[0];
    if (!input || !first || this.state !== 'on') return true;
    let at = 0;
    if (this.warm > 0) {
      while (at < first.length && input.every((channel) => channel[at] === 0)) at += 1;
      this.warm = at < first.length ? 0 : this.warm - first.length;
      if (this.warm > 0) return true;
    }
    while (at < first.length && this.left > 0) {
      const take = Math.min(first.length - at, CHUNK - this.filled, this.left);
      this.buffers.forEach((buffer, c) => {
        buffer.set((input[c] ?? first).subarray(at, at + take), this.filled);
      });
      this.framer?.push(input, at, at + take);
      at += take;
      this.filled += take;
      this.left -= take;
      if (this.filled === CHUNK) this.flush();
    }
    if (this.left === 0) this.end('limit');
    return this.left > 0;
  }

  private fresh(): Float32Array<ArrayBuffer>[] {
    return Array.from({ length: this.width }, () => new Float32Array(CHUNK));
  }

  private flush(): void {
    if (this.filled === 0) return;
    const channels = this.buffers.map((b) => (this.filled === CHUNK ? b : b.slice(0, this.filled)));
    this.port.postMessage({ channels }, channels.map((c) => c.buffer));
    this.buffers = this.fresh();
    this.filled = 0;
  }

  private end(why: 'stop' | 'limit'): void {
    this.flush();
    this.framer?.end(why);
    this.state = 'over';
    this.port.postMessage({ ended: why });
  }
}

registerProcessor('ossicle-capture', Capture);
