/**
 * Takes samples from the microphone, on the audio thread, and stops at the exact sample asked for.
 *
 * To the page: `{channels: Float32Array[]}` per chunk, then once `{ended: "stop" | "limit"}`.
 * From the page: "pause", "resume", "stop".
 */

/**
 * A device that is still starting gives exact zeros, which are no part of the sound. After this many seconds of them they
 * count all the same: then it is the sound (a muted device, a silent file).
 */
const WARM_UP = 0.5;

/** Frames per chunk: about 20 ms, so that the meter is quick and the messages few. */
const CHUNK = 1024;

interface Options {
  channels: number;
  /** Frames after which the recording is complete; 0 is no limit. */
  limit: number;
}

class Capture extends AudioWorkletProcessor {
  private readonly width: number;
  private left: number;
  private buffers: Float32Array<ArrayBuffer>[];
  private filled = 0;
  private state: 'on' | 'paused' | 'over' = 'on';
  private warm = Math.round(WARM_UP * sampleRate);

  constructor(options: { processorOptions: Options }) {
    super();
    this.width = options.processorOptions.channels;
    this.left = options.processorOptions.limit || Infinity;
    this.buffers = this.fresh();
    this.port.onmessage = ({ data }: MessageEvent<string>) => {
      if (this.state === 'over') return;
      if (data === 'stop') this.end('stop');
      else this.state = data === 'pause' ? 'paused' : 'on';
    };
  }

  process(inputs: Float32Array[][]): boolean {
    if (this.state === 'over') return false;
    const input = inputs[0];
    const first = input?.[0];
    if (!input || !first || this.state === 'paused') return true;
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
    this.state = 'over';
    this.port.postMessage({ ended: why });
  }
}

registerProcessor('ossicle-capture', Capture);
