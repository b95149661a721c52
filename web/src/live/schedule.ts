/**
 * Sound without an audio thread: pieces put one exactly behind the other, some way ahead of what is heard.
 *
 * A browser gives the audio thread to secure pages only. What a page can always do is to say of a piece at which frame of
 * the output it shall begin; so this looks ahead, and knows from the output's clock what was really heard.
 *
 * Pure: the clock and the pieces' way out are a parameter.
 */
import type { Playout } from './playout';

/** Seconds that are scheduled ahead: so long may the page stand still. */
export const AHEAD = 0.3;
/** Seconds from now in which the output may have taken already what comes: nothing is scheduled or cut there. */
export const TAKEN = 0.03;
/** Seconds from now to where sound starts: a piece that came too late would overlap the next one. */
export const LEAD = 0.1;
/** Seconds of one piece at most. */
const PIECE = 0.1;
/** Frames in which time passes while sound is waited for, as on an audio thread. */
const QUANTUM = 128;
/** Seconds over which a sound that is cut off fades. */
export const FADE = 0.005;

/** Where sound goes. All places are frames of its clock. */
export interface Sink {
  readonly rate: number;
  /** What is heard now. */
  now(): number;
  /**
   * Plays a whole piece from a place on, or as soon as it can where that place goes by meanwhile. The place where it has
   * surely begun: the one it was told, unless that may have gone by.
   */
  play(channels: Float32Array<ArrayBuffer>[], at: number): number;
  /** Fades, and is silent from a place on. */
  cut(at: number): void;
}

interface Placed {
  at: number;
  frames: number;
  /** Of its first frame, in the stream. */
  index: number;
}

export class Schedule {
  private placed: Placed[] = [];
  private next: number;
  private looked: number; // when this last looked at the clock
  private last = 0; // behind all that was scheduled
  private heardTo = 0;
  private late = 0;
  private end: number | null = null; // where it was cut off

  constructor(
    private readonly playout: Playout,
    private readonly sink: Sink,
  ) {
    this.next = this.looked = sink.now();
  }

  /** Schedules what may be; to be called often, and whenever something came. */
  tick(): void {
    if (this.end !== null) return;
    const { playout, sink } = this;
    const now = sink.now();
    if (playout.state === 'playing' && this.next < now + TAKEN * sink.rate) {
      if (playout.stats.fill === 0) this.place(QUANTUM); // short of sound: the playout counts that itself
      else this.lateFrom(now);
    }
    if (playout.state === 'waiting') {
      this.next = Math.max(this.next, now + Math.round(LEAD * sink.rate));
      let passed = Math.min(now - this.looked, Math.round(PIECE * sink.rate));
      for (; passed > 0 && playout.state === 'waiting'; passed -= QUANTUM) this.place(QUANTUM);
    }
    this.looked = now;
    const until = now + AHEAD * sink.rate;
    while (playout.state === 'playing' && this.next < until) {
      const there = Math.round(playout.stats.fill * sink.rate);
      this.place(Math.min(there, Math.round(PIECE * sink.rate)));
      if (there === 0) break;
    }
  }

  /** Index in the stream of what is heard next. */
  get at(): number {
    const now = this.end === null ? this.sink.now() : Math.min(this.end, this.sink.now());
    for (const piece of this.placed) {
      if (piece.at < now) this.heardTo = piece.index + Math.min(now - piece.at, piece.frames);
    }
    this.placed = this.placed.filter((piece) => piece.at + piece.frames > now);
    return this.heardTo;
  }

  /** All that there is, or that was left of it, was heard. */
  get over(): boolean {
    if (this.end !== null) return this.sink.now() >= this.end;
    return this.playout.state === 'ended' && this.sink.now() >= this.last;
  }

  get underruns(): number {
    return this.playout.underruns + this.late;
  }

  /** Seconds that wait: not yet scheduled, and scheduled but not yet heard. */
  get fill(): number {
    const { sink } = this;
    return this.playout.stats.fill + Math.max(0, this.last - sink.now()) / sink.rate;
  }

  /** Silence, as soon as the output can. `still`: its clock stands, so nothing sounds. */
  flush(still: boolean): void {
    if (this.end !== null) return;
    const { sink } = this;
    const sounds = !still && this.placed.length > 0;
    this.end = sink.now() + (sounds ? Math.round((TAKEN + FADE) * sink.rate) : 0);
    sink.cut(this.end);
  }

  /** The page stood still for too long: the output has run dry with sound at hand. */
  private lateFrom(now: number): void {
    this.late += 1;
    this.next = Math.max(this.next, now + Math.round(LEAD * this.sink.rate));
  }

  private place(size: number): void {
    const { playout, sink } = this;
    const channels = Array.from({ length: playout.channels }, () => new Float32Array(size));
    const before = playout.stats.fill;
    playout.pull(channels, 0);
    const frames = Math.round((before - playout.stats.fill) * sink.rate);
    if (frames === 0) return;
    const piece = channels.map((channel) => channel.subarray(0, frames));
    // The page may have stood still since the clock was looked at, and may stand still while this is scheduled.
    if (this.next < sink.now() + TAKEN * sink.rate) this.lateFrom(sink.now());
    const begun = sink.play(piece, this.next);
    const late = begun > this.next;
    this.placed.push({ at: begun, frames, index: playout.at - frames });
    this.last = this.next = begun + frames;
    if (late) this.lateFrom(sink.now());
  }
}
