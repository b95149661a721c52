/**
 * The sound that waits to be heard: how much of it, when it starts, and what is left out.
 *
 * Two manners. Generated sound (`live: false`) is played to the last sample, whatever happens: its server sends only a
 * little ahead of what was heard. Live sound has no such end: whatever waits is lateness, so what is too much is dropped,
 * oldest first, and counted.
 *
 * Pure: frames in, samples out, no clock of its own. The playback worklet runs it.
 */
import { END, since, type Frame } from './frame';

/** Seconds that wait before sound starts, at first, for sound that is not live. */
export const PREBUFFER = 0.06;
/** Seconds: the target never grows beyond. */
export const MOST_TARGET = 0.2;
/** Seconds of live sound that may wait; beyond it all but the target is dropped. */
export const LIVE_CAP = 0.08;
/** Seconds without an underrun after which the target shrinks. */
const CLEAN = 10;
/** Seconds in which live sound gets going: contexts, threads and caches are cold, and nothing is learned from it. */
const GETTING_GOING = 1;
/** Seconds over which live sound must never have been short before what was never needed is dropped. */
const TRIM_EVERY = 1;
/** Seconds of any sound that may wait: only a server that sends without being asked gets there. */
const MOST = 10;
/** Frames over which two sounds are blended where some is left out. */
const BLEND = 64;
/** Frames over which a sound that is cut off fades. */
const FADE = 128;
/** Smallest and largest values of what was heard are gathered over this many seconds. */
export const COLUMN = 0.01;
/** Columns and latencies that are kept until somebody takes them. */
const KEPT = 1000;

export type PlayoutState = 'waiting' | 'playing' | 'paused' | 'ended';

export interface PlayoutStats {
  state: PlayoutState;
  /** Index of the frame that is heard next: all before it was heard or left out. */
  at: number;
  /** Seconds that wait, and that should wait before sound starts. */
  fill: number;
  target: number;
  underruns: number;
  /** Frames that came and were left out, and that never came. */
  skipped: number;
  lost: number;
}

interface Piece {
  samples: Int16Array | Float32Array;
  scale: number;
  frames: number;
  index: number;
  stamp: number;
  used: number;
}

export class Playout {
  at = 0;
  underruns = 0;
  skipped = 0;
  lost = 0;
  /** Seconds. */
  target: number;
  /** Smallest and largest value, in turn, of each stretch that was heard. */
  columns: number[] = [];
  /** Milliseconds from capture to here, of pieces that say when they were captured. */
  latencies: number[] = [];

  private pieces: Piece[] = [];
  private waiting = 0; // frames in pieces
  private due = 0; // index that comes next from the wire
  private frame: number; // seconds of a piece as they come
  private ended = false;
  private phase: PlayoutState = 'waiting';
  private waited = 0; // frames since sound is there and not yet played
  private dry: number | null = null; // frames since it ran dry, until that is judged
  private played = 0; // frames
  private clean = 0; // frames played since the last underrun
  private least = Infinity; // frames that waited at least, over one trim window
  private window = 0;
  private blend: Float32Array[] | null = null;
  private fading = 0;
  private low = 1;
  private high = -1;
  private gathered = 0;

  constructor(
    readonly rate: number,
    readonly channels: number,
    readonly live: boolean,
  ) {
    // Until the first frame tells how long frames are.
    this.frame = 0;
    this.target = live ? 0 : PREBUFFER;
  }

  get state(): PlayoutState {
    return this.phase;
  }

  get stats(): PlayoutStats {
    return {
      state: this.phase,
      at: this.at,
      fill: this.waiting / this.rate,
      target: this.target,
      underruns: this.underruns,
      skipped: this.skipped,
      lost: this.lost,
    };
  }

  /** Takes a frame of this stream; what came before is left out. False if it brought nothing new. */
  push(frame: Frame): boolean {
    if (this.phase === 'ended') return false;
    const ends = !this.ended && (frame.flags & END) > 0;
    if (ends) this.ended = true;
    const count = frame.samples.length / this.channels;
    const known = Math.max(0, this.due - frame.index);
    if (count <= known) {
      if (frame.index > this.due) this.lost += frame.index - this.due; // an end behind what never came
      this.due = Math.max(this.due, frame.index);
      return ends;
    }
    if (frame.index > this.due) {
      // A sink that joined late has lost nothing of what was never meant for it.
      if (this.due > 0 || this.waiting > 0) this.lost += frame.index - this.due;
      if (this.waiting === 0) this.at = frame.index;
    }
    this.due = frame.index + count;
    const seconds = count / this.rate;
    if (this.frame === 0 && this.live) this.target = Math.max(this.target, 1.5 * seconds);
    this.frame = seconds;
    this.pieces.push({
      samples: frame.samples,
      scale: frame.samples instanceof Int16Array ? 1 / 32768 : 1,
      frames: count,
      index: frame.index,
      stamp: known === 0 ? frame.seq : 0,
      used: known,
    });
    this.waiting += count - known;
    if (this.live && this.waiting > Math.max(LIVE_CAP, this.target + this.frame) * this.rate) {
      this.skip(this.waiting - Math.round(this.target * this.rate));
    } else if (this.waiting > MOST * this.rate) {
      this.skip(this.waiting - Math.round(MOST * this.rate));
    }
    return true;
  }

  /**
   * Fills `out`, one array per channel, with what is heard now; the rest is silence. `now`: milliseconds on the clock
   * that stamps are made with, at the first frame of `out`.
   */
  pull(out: Float32Array[], now: number): void {
    const size = out[0]?.length ?? 0;
    for (const channel of out) channel.fill(0);
    if (this.fading > 0) this.fade(out, size);
    if (this.phase === 'ended' || this.phase === 'paused') return;
    if (this.phase === 'waiting') {
      if (this.waiting > 0) this.waited += size;
      this.learn(size);
      const ready = this.waiting >= this.target * this.rate || this.waited >= this.target * this.rate;
      if (this.waiting > 0 && (ready || this.ended)) this.phase = 'playing';
      else if (this.ended && this.waiting === 0) this.finish();
    }
    if (this.phase !== 'playing') return;
    this.waited = 0;
    const played = this.read(out, size, now);
    this.played += played;
    this.gather(out, played);
    this.least = Math.min(this.least, this.waiting);
    if (this.waiting === 0 && this.ended) {
      this.finish();
    } else if (played < size) {
      this.underruns += 1;
      this.clean = 0;
      this.phase = 'waiting';
      this.dry = 0;
    } else {
      this.settle(size);
    }
  }

  pause(): void {
    if (this.phase === 'waiting' || this.phase === 'playing') this.phase = 'paused';
  }

  resume(): void {
    if (this.phase === 'paused') this.phase = 'waiting';
  }

  /** Silence, at once: what waits is void. A short fade is still heard, and counted, where sound was heard. */
  flush(): void {
    const sounding = this.phase === 'playing' && this.waiting > 0;
    this.phase = 'ended';
    this.fading = sounding ? Math.min(FADE, this.waiting) : 0;
    if (this.fading === 0) this.clear();
  }

  /** Nothing of a stream that was cut off is left to be heard. */
  get silent(): boolean {
    return this.phase === 'ended' && this.fading === 0;
  }

  private finish(): void {
    this.phase = 'ended';
    this.at = Math.max(this.at, this.due);
  }

  private clear(): void {
    this.pieces = [];
    this.waiting = 0;
  }

  private bounded(seconds: number): number {
    return Math.min(MOST_TARGET, Math.max(this.frame, seconds));
  }

  /**
   * More waits from now on, if more would have helped: a standstill that no target outlasts says nothing about the next
   * second, and live sound would be late for nothing.
   */
  private learn(size: number): void {
    if (this.dry === null) return;
    if (this.waiting === 0) {
      this.dry += size;
      if (this.live) return;
    }
    const tells = this.dry <= MOST_TARGET * this.rate && this.played > GETTING_GOING * this.rate;
    if (!this.live || tells) this.target = this.bounded(this.target + this.frame / 2);
    this.dry = null;
  }

  /** Less and less waits as long as nothing goes wrong. */
  private settle(size: number): void {
    this.clean += size;
    if (this.clean >= CLEAN * this.rate) {
      this.clean = 0;
      this.target = this.bounded(this.target - this.frame / 4);
    }
    if (!this.live) return;
    this.window += size;
    if (this.window < TRIM_EVERY * this.rate) return;
    const needed = Math.max(0, this.target - this.frame) * this.rate;
    const spare = Math.floor(this.least - needed);
    if (spare > (this.frame / 4) * this.rate) this.skip(Math.min(spare, this.waiting));
    this.window = 0;
    this.least = Infinity;
  }

  private read(out: Float32Array[], size: number, now: number): number {
    let done = 0;
    while (done < size) {
      const piece = this.pieces[0];
      if (!piece) break;
      if (piece.used === 0 && piece.stamp !== 0 && this.latencies.length < KEPT) {
        this.latencies.push(since(piece.stamp, now + (done / this.rate) * 1000));
      }
      const count = Math.min(size - done, piece.frames - piece.used);
      for (let c = 0; c < out.length; c++) {
        const channel = out[c] as Float32Array;
        const from = Math.min(c, this.channels - 1);
        for (let i = 0; i < count; i++) {
          channel[done + i] = (piece.samples[(piece.used + i) * this.channels + from] ?? 0) * piece.scale;
        }
      }
      piece.used += count;
      done += count;
      this.at = piece.index + piece.used;
      this.waiting -= count;
      if (piece.used === piece.frames) this.pieces.shift();
    }
    this.mix(out, done);
    return done;
  }

  /** Leaves out the oldest, and remembers how it went on, so that the seam is no click. */
  private skip(count: number): void {
    if (count <= 0) return;
    this.blend = this.phase === 'playing' ? this.peek(BLEND) : null;
    this.skipped += count;
    this.waiting -= count;
    let left = count;
    while (left > 0) {
      const piece = this.pieces[0];
      if (!piece) break;
      const some = Math.min(left, piece.frames - piece.used);
      piece.used += some;
      left -= some;
      this.at = piece.index + piece.used;
      if (piece.used === piece.frames) this.pieces.shift();
    }
  }

  private peek(count: number): Float32Array[] {
    const channels = Array.from({ length: this.channels }, () => new Float32Array(count));
    let done = 0;
    for (const piece of this.pieces) {
      for (let i = piece.used; i < piece.frames && done < count; i++, done++) {
        channels.forEach((channel, c) => {
          channel[done] = (piece.samples[i * this.channels + c] ?? 0) * piece.scale;
        });
      }
    }
    return channels;
  }

  private mix(out: Float32Array[], done: number): void {
    if (!this.blend) return;
    const size = Math.min(done, BLEND);
    out.forEach((channel, c) => {
      const old = this.blend?.[Math.min(c, this.channels - 1)];
      for (let i = 0; i < size; i++) {
        const gain = (i + 1) / (size + 1);
        channel[i] = (channel[i] ?? 0) * gain + (old?.[i] ?? 0) * (1 - gain);
      }
    });
    this.blend = null;
  }

  private fade(out: Float32Array[], size: number): void {
    const total = this.fading;
    const done = this.read(out, Math.min(size, total), 0);
    for (const channel of out) {
      for (let i = 0; i < done; i++) channel[i] = (channel[i] ?? 0) * (1 - (i + 1) / total);
    }
    this.gather(out, done);
    this.fading = 0;
    this.clear();
  }

  private gather(out: Float32Array[], count: number): void {
    const most = Math.round(COLUMN * this.rate);
    for (let i = 0; i < count; i++) {
      for (const channel of out) {
        const x = channel[i] ?? 0;
        if (x < this.low) this.low = x;
        if (x > this.high) this.high = x;
      }
      this.gathered += 1;
      if (this.gathered < most) continue;
      if (this.columns.length < 2 * KEPT) this.columns.push(this.low, this.high);
      this.gathered = 0;
      this.low = 1;
      this.high = -1;
    }
  }
}
