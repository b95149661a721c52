/** How much of a stream waits before it is heard: the two manners, see `playout.ts`. Lengths are in sample frames. Pure. */
import { Arrivals, PIECE } from './arrivals';

export interface Delay {
  /** What should wait just after a piece came. */
  readonly target: number;
  /** A piece came; `waiting` counts it. The result is how much of the oldest is to be left out at once. */
  came(clock: number, index: number, frames: number, waiting: number): number;
  /**
   * Whether sound may start that has waited for `waited`: null for not yet, else how much of the oldest is to be left out.
   * `at` is the index that would be heard.
   */
  start(clock: number, at: number, waiting: number, waited: number): number | null;
  /** It plays: how much of what waits is too much. */
  spare(clock: number, at: number): number;
  /** It was short. */
  dried(): void;
  /** So much was played without a gap. */
  played(frames: number): void;
}

/** Seconds that generated sound waits before it starts, and how far that may grow. */
export const PREBUFFER = 0.06;
export const MOST_TARGET = 0.2;
/** Seconds without a gap after which it shrinks. */
const CLEAN = 10;
/** Seconds of any sound that may wait: only a server that sends without being asked gets there. */
const MOST = 10;

/** Generated sound: all of it is heard. It waits longer after each time that it ran dry. */
export class Patient implements Delay {
  target: number;
  private piece = 0;
  private clean = 0;

  constructor(private readonly rate: number) {
    this.target = PREBUFFER * rate;
  }

  came(_clock: number, _index: number, frames: number, waiting: number): number {
    this.piece = frames;
    return Math.max(0, waiting - MOST * this.rate);
  }

  start(_clock: number, _at: number, waiting: number, waited: number): number | null {
    return waiting >= this.target || waited >= this.target ? 0 : null;
  }

  spare(): number {
    return 0;
  }

  dried(): void {
    this.clean = 0;
    this.target = this.bounded(this.target + this.piece / 2);
  }

  played(frames: number): void {
    this.clean += frames;
    if (this.clean < CLEAN * this.rate) return;
    this.clean = 0;
    this.target = this.bounded(this.target - this.piece / 4);
  }

  private bounded(frames: number): number {
    return Math.min(MOST_TARGET * this.rate, Math.max(this.piece, frames));
  }
}

/** Seconds of live sound that may wait beside what is meant to; beyond them the oldest is dropped, down to that. */
export const LIVE_CAP = 0.2;
/** How much longer than it had to so far live sound waits: a part of a piece, within these seconds. */
const MARGIN = 1 / 8;
const LEAST_MARGIN = 0.002;
const MOST_MARGIN = 0.01;

/** Live sound: it waits as little as its arrivals allow, and what waits longer is dropped. */
export class Prompt implements Delay {
  private readonly arrivals: Arrivals;
  private piece = 0;
  private latest = 0;
  private begun = false;

  constructor(private readonly rate: number) {
    this.arrivals = new Arrivals(rate);
  }

  get target(): number {
    return this.piece ? this.arrivals.wait + this.margin : 0;
  }

  came(clock: number, index: number, frames: number, waiting: number): number {
    const { arrivals } = this;
    this.piece = frames;
    this.latest = clock - index;
    arrivals.came(clock, index, frames);
    const usual = LIVE_CAP * this.rate + arrivals.together + this.margin;
    if (waiting <= Math.min(usual, MOST * this.rate)) return 0;
    // Either it was not played for a while or it comes too fast: what its arrivals told is worth nothing.
    arrivals.forget();
    arrivals.came(clock, index, frames);
    return waiting - this.target;
  }

  start(clock: number, at: number): number | null {
    return this.begun ? this.again(clock - at) : this.first(clock - at);
  }

  /** What waited for its player is late, but for a longer chunk, which came as pieces at once. */
  private first(late: number): number | null {
    const margin = Math.min(this.piece / 2, MOST_MARGIN * this.rate);
    const spare = Math.floor(late - this.latest - margin);
    if (spare < 0) return null;
    this.begun = true;
    return spare > this.margin && this.piece < PIECE * this.rate ? spare : 0;
  }

  /**
   * After it ran dry. What a standstill held up comes in a heap that ends where sound always was; down to there it is left
   * out. A source that is slower than its sound comes ever later, and all of it is heard: its heaps are no surplus.
   */
  private again(late: number): number | null {
    const { needed, now, growth } = this.arrivals;
    if (late < Math.max(needed, this.latest) + this.margin) return null;
    const spare = Math.floor(late - Math.max(needed, now, this.latest) - growth - this.margin);
    return spare > this.margin ? spare : 0;
  }

  spare(clock: number, at: number): number {
    const { needed, recent, growth } = this.arrivals;
    const spare = Math.floor(clock - at - Math.max(needed, recent) - growth - this.margin);
    return spare > this.margin / 2 ? spare : 0;
  }

  dried(): void {
    // Its arrivals have told all.
  }

  played(): void {
    // Nor is there anything to learn from what goes well.
  }

  private get margin(): number {
    return Math.min(MOST_MARGIN * this.rate, Math.max(LEAST_MARGIN * this.rate, MARGIN * this.piece));
  }
}
