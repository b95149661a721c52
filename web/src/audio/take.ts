/** What a recording has gathered so far: its samples, its outline, and what is wrong with it. */
import { int16, interleave, wavHeader } from './wav';

/** The outline never has more columns than this; then two become one. */
const MOST_COLUMNS = 4096;

const equal = (a: Int16Array, b: Int16Array) => a.length === b.length && a.every((x, i) => x === b[i]);

export class Take {
  frames = 0;
  /** Samples at full scale, over all channels. */
  clipped = 0;
  /** Largest magnitude of the last chunk, 1 is full scale. */
  level = 0;
  /** Frames since something above silence was heard. */
  quiet = 0;
  /** Smallest and largest value per column, in turn. */
  outline: number[] = [];
  private column: number;
  private filled = 0;
  private alike = true;
  private readonly chunks: Int16Array<ArrayBuffer>[][] = [];

  /** -60 dBFS: below it a microphone that works gives nothing but its own noise. */
  static readonly SILENCE = 0.001;

  constructor(readonly rate: number) {
    this.column = Math.max(1, Math.round(rate / 100));
  }

  /** Adds one chunk: a Float32Array per channel, all of one length. */
  push(channels: Float32Array[]): void {
    const made = channels.map(int16);
    const first = made[0];
    if (!first || first.length === 0) return;
    this.chunks.push(made);
    this.frames += first.length;
    if (this.alike) this.alike = made.every((channel) => equal(first, channel));
    this.measure(made, first.length);
  }

  get seconds(): number {
    return this.frames / this.rate;
  }

  /** Two channels that never differed are one: a mono microphone that the browser doubled. */
  get channels(): number {
    return this.alike ? 1 : (this.chunks[0]?.length ?? 1);
  }

  /** The take as a 16-bit WAV file. */
  wav(): Blob {
    const body = this.chunks.map((made) => interleave(this.alike ? made.slice(0, 1) : made));
    return new Blob([wavHeader(this.rate, this.channels, this.frames), ...body], { type: 'audio/wav' });
  }

  private measure(made: Int16Array[], length: number): void {
    let peak = 0;
    for (let i = 0; i < length; i++) {
      let low = 32767;
      let high = -32768;
      for (const channel of made) {
        const x = channel[i] ?? 0;
        if (x < low) low = x;
        if (x > high) high = x;
        if (x === 32767 || x === -32768) this.clipped += 1;
      }
      peak = Math.max(peak, high, -low);
      this.trace(low / 32768, high / 32768);
    }
    this.level = peak / 32768;
    this.quiet = this.level < Take.SILENCE ? this.quiet + length : 0;
  }

  private trace(low: number, high: number): void {
    const at = this.outline.length - 2;
    if (this.filled === 0) {
      this.outline.push(low, high);
    } else {
      if (low < (this.outline[at] ?? 0)) this.outline[at] = low;
      if (high > (this.outline[at + 1] ?? 0)) this.outline[at + 1] = high;
    }
    this.filled = (this.filled + 1) % this.column;
    if (this.filled === 0 && this.outline.length >= MOST_COLUMNS * 2) this.halve();
  }

  private halve(): void {
    const o = this.outline;
    const next: number[] = [];
    for (let i = 0; i + 3 < o.length; i += 4) {
      next.push(Math.min(o[i] ?? 0, o[i + 2] ?? 0), Math.max(o[i + 1] ?? 0, o[i + 3] ?? 0));
    }
    this.outline = next;
    this.column *= 2;
  }
}
