/**
 * The sound that waits to be heard: how much of it, when it starts, and what is left out.
 *
 * Two manners. Generated sound (`live: false`) is played to the last sample, whatever happens: its server sends only a
 * little ahead of what was heard. Live sound has no such end: whatever waits is lateness, so what is too much is dropped,
 * oldest first, and counted.
 *
 * Pure: frames in, samples out, no clock of its own. The playback worklet runs it.
 */
import { Patient, Prompt, type Delay } from './delay';
import { END, since, type Frame } from './frame';

/** Seconds for which a silence is waited for, before what is too much is cut out of the sound itself. */
const PATIENCE = 0.2;
/** Magnitude below which sound is silence: -60 dB. */
const SILENT = 0.001;
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
  /** Smallest and largest value, in turn, of each stretch that was heard. */
  columns: number[] = [];
  /** Milliseconds from capture to here, of pieces that say when they were captured. */
  latencies: number[] = [];

  private pieces: Piece[] = [];
  private waiting = 0; // frames in pieces
  private due = 0; // index that comes next from the wire
  private ended = false;
  private phase: PlayoutState = 'waiting';
  private clock = 0; // frames of time that passed
  private waited = 0; // frames since sound is there and not yet played
  private hoped = 0; // frames since there is too much, and no silence to leave out
  private readonly delay: Delay;
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
    this.delay = live ? new Prompt(rate) : new Patient(rate);
  }

  get state(): PlayoutState {
    return this.phase;
  }

  get stats(): PlayoutStats {
    return {
      state: this.phase,
      at: this.at,
      fill: this.waiting / this.rate,
      target: this.delay.target / this.rate,
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
    this.pieces.push({
      samples: frame.samples,
      scale: frame.samples instanceof Int16Array ? 1 / 32768 : 1,
      frames: count,
      index: frame.index,
      stamp: known === 0 ? frame.seq : 0,
      used: known,
    });
    this.waiting += count - known;
    this.skip(Math.round(this.delay.came(this.clock, frame.index, count, this.waiting)));
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
    if (this.phase === 'waiting') this.start(size);
    if (this.phase === 'playing') this.play(out, size, now);
    this.clock += size;
  }

  private start(size: number): void {
    if (this.waiting === 0) {
      if (this.ended) this.finish();
      return;
    }
    this.waited += size;
    const spare = this.delay.start(this.clock, this.place, this.waiting, this.waited);
    if (spare === null && !this.ended) return;
    this.skip(Math.min(spare ?? 0, this.waiting));
    this.phase = 'playing';
    this.waited = 0;
  }

  private play(out: Float32Array[], size: number, now: number): void {
    this.trim(size);
    const played = this.read(out, size, now);
    this.gather(out, played);
    if (this.waiting === 0 && this.ended) {
      this.finish();
    } else if (played < size) {
      this.underruns += 1;
      this.phase = 'waiting';
      this.delay.dried();
    } else {
      this.delay.played(size);
    }
  }

  /** What is too much is left out where it is silent; where there is no silence, where it is. */
  private trim(size: number): void {
    const spare = Math.min(this.delay.spare(this.clock, this.place), this.waiting - size - BLEND);
    if (spare <= 0) {
      this.hoped = 0;
      return;
    }
    this.hoped += size;
    const silent = this.silence(spare);
    if (silent >= BLEND) this.skip(silent);
    else if (this.hoped > PATIENCE * this.rate) this.skip(spare);
    else return;
    this.hoped = 0;
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

  /** Index of what waits first: behind `at` where something was lost. */
  private get place(): number {
    const first = this.pieces[0];
    return first ? first.index + first.used : this.at;
  }

  private finish(): void {
    this.phase = 'ended';
    this.at = Math.max(this.at, this.due);
  }

  private clear(): void {
    this.pieces = [];
    this.waiting = 0;
  }

  /** How many of the next frames are silence, up to `most`. */
  private silence(most: number): number {
    let silent = 0;
    for (const piece of this.pieces) {
      for (let i = piece.used; i < piece.frames; i++, silent++) {
        if (silent === most) return most;
        for (let c = 0; c < this.channels; c++) {
          if (Math.abs((piece.samples[i * this.channels + c] ?? 0) * piece.scale) >= SILENT) return silent;
        }
      }
    }
    return silent;
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
