/** What a recording has gathered so far: its samples, its outline, and what is wrong with it. */
import { Outline } from './outline';
import { int16, interleave, wavHeader } from './wav';

const equal = (a: Int16Array, b: Int16Array) => a.length === b.length && a.every((x, i) => x === b[i]);

/** Some seconds of a take, in order. */
interface Piece {
  frames: number;
  channels: number;
  /** Interleaved. */
  samples: Blob;
}

export class Take {
  frames = 0;
  /** Samples at full scale, over all channels. */
  clipped = 0;
  /** Largest magnitude of the last chunk, 1 is full scale. */
  level = 0;
  /** Frames since something above silence was heard. */
  quiet = 0;
  private readonly shape = new Outline();
  private readonly column: number; // frames of one stretch of it
  private filled = 0;
  private low = 1;
  private high = -1;
  private alike = true;
  private width = 1; // channels as they came
  private kept = 0; // frames in pieces and chunks
  private readonly pieces: Piece[] = [];
  private chunks: Int16Array<ArrayBuffer>[][] = []; // those that are in no piece yet
  private loose = 0; // frames in them

  /** -60 dBFS: below it a microphone that works gives nothing but its own noise. */
  static readonly SILENCE = 0.001;

  /**
   * `most`: seconds of samples that are kept at least, the newest; of what goes out live the server has the whole.
   * `piece`: frames that are given to the browser at once, in a blob: it keeps long takes out of the page's memory, and
   * at the end of one there is little left to hand over. Some 1.4 s, 128 kB a channel.
   */
  constructor(
    readonly rate: number,
    private readonly most = Infinity,
    private readonly piece = 1 << 16,
  ) {
    this.column = Math.max(1, Math.round(rate / 100));
  }

  /** Adds one chunk: a Float32Array per channel, all of one length. */
  push(channels: Float32Array[]): void {
    const made = channels.map(int16);
    const first = made[0];
    if (!first || first.length === 0) return;
    this.width = made.length;
    this.keep(made, first.length);
    this.frames += first.length;
    if (this.alike) this.alike = made.every((channel) => equal(first, channel));
    this.measure(made, first.length);
    if (this.loose >= this.piece) this.pack();
  }

  /** Smallest and largest value per column, in turn. */
  get outline(): readonly number[] {
    return this.shape.values;
  }

  get seconds(): number {
    return this.frames / this.rate;
  }

  /** Two channels that never differed are one: a mono microphone that the browser doubled. */
  get channels(): number {
    return this.alike ? 1 : this.width;
  }

  /** Seconds whose samples are here. */
  get keptSeconds(): number {
    return this.kept / this.rate;
  }

  /** What is kept of the take as a 16-bit WAV file. */
  async wav(): Promise<Blob> {
    const { channels } = this;
    const packed: BlobPart[] = [];
    for (const piece of this.pieces) packed.push(await widened(piece, channels));
    return new Blob([wavHeader(this.rate, channels, this.kept), ...packed, ...this.woven()], { type: 'audio/wav' });
  }

  private keep(made: Int16Array<ArrayBuffer>[], frames: number): void {
    this.chunks.push(made);
    this.loose += frames;
    this.kept += frames;
    for (;;) {
      const oldest = this.pieces[0]?.frames ?? Infinity;
      if (this.kept - oldest < this.most * this.rate) return;
      this.pieces.shift();
      this.kept -= oldest;
    }
  }

  /** The loose chunks, interleaved. */
  private woven(): Int16Array<ArrayBuffer>[] {
    return this.chunks.map((made) => interleave(this.alike ? made.slice(0, 1) : made));
  }

  private pack(): void {
    this.pieces.push({ frames: this.loose, channels: this.channels, samples: new Blob(this.woven()) });
    this.chunks = [];
    this.loose = 0;
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
    this.low = Math.min(this.low, low);
    this.high = Math.max(this.high, high);
    this.filled = (this.filled + 1) % this.column;
    if (this.filled > 0) return;
    this.shape.push(this.low, this.high);
    this.low = 1;
    this.high = -1;
  }
}

/** A piece from when the channels did not differ yet, for a take in which they do later. */
async function widened({ samples, channels }: Piece, wanted: number): Promise<BlobPart> {
  if (channels === wanted) return samples;
  const mono = new Int16Array(await samples.arrayBuffer());
  return interleave(Array.from({ length: wanted }, () => mono));
}
