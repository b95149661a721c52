import { describe, expect, it } from 'vitest';
import type { Frame } from '../src/live/frame';
import { Playout } from '../src/live/playout';

const RATE = 48_000;
const QUANTUM = 128;
/** Frames of the longest piece on the wire. */
const LONGEST = RATE / 10;
/** Milliseconds between two turns of the audio thread, which renders a heap of quanta in each. */
const TURN = 10;

interface World {
  /** Milliseconds of what is made at once. */
  piece: number;
  seconds: number;
  /** Milliseconds that piece number `n` is on its way. */
  way?: (n: number) => number;
  /** How much faster the sender's clock is, in millionths. */
  drift?: number;
  /** Whether the sound is silent at a second. */
  silent?: (second: number) => boolean;
  /** Milliseconds that the making of piece number `n` takes, where it takes longer than it lasts. */
  cost?: (n: number) => number;
}

interface Heard {
  playout: Playout;
  /** Milliseconds from the sound's making to its being heard, of each piece, with the second when it was heard. */
  delays: { at: number; ms: number }[];
  /** Frames left out of sound that was not silent. */
  cut: number;
}

/** A sender, a line that keeps the order, and a listener, in simulated time. */
function listen({ piece, seconds, way = () => 1, drift = 0, silent = () => false, cost }: World): Heard {
  const playout = new Playout(RATE, 1, true);
  const size = (piece / 1000) * RATE;
  const pace = piece / (1 + drift / 1e6); // milliseconds of the listener's clock
  const delays: Heard['delays'] = [];
  const out = [new Float32Array(QUANTUM)];
  let cut = 0;
  let n = 0;
  let due = pace + way(0); // milliseconds: when piece number `n` comes
  let clock = 0; // frames
  for (let turn = 0; turn < seconds * 1000; turn += TURN) {
    while (due <= turn) {
      const before = playout.skipped;
      for (const part of parts(made(n, size, pace, silent((n * piece) / 1000)))) playout.push(part);
      cut += playout.skipped - before;
      n += 1;
      due = Math.max(due + (cost?.(n) ?? 0), (n + 1) * pace + way(n));
    }
    while (clock < ((turn + TURN) / 1000) * RATE) {
      const before = playout.skipped;
      const quiet = silent(playout.at / RATE);
      playout.pull(out, (clock / RATE) * 1000);
      if (!quiet) cut += playout.skipped - before;
      for (const ms of playout.latencies.splice(0)) delays.push({ at: clock / RATE, ms });
      clock += QUANTUM;
    }
  }
  return { playout, delays, cut };
}

const sine = new Map<number, Int16Array>();

function made(n: number, size: number, pace: number, silent: boolean): Frame {
  let samples = sine.get(silent ? -size : size);
  if (!samples) {
    samples = Int16Array.from({ length: size }, (_, i) => (silent ? 0 : 9000 + 1000 * Math.sin(i / 7)));
    sine.set(silent ? -size : size, samples);
  }
  const seq = Math.round(n * pace * 10) || 1;
  return { node: 1, flags: 0, seq, rate: RATE, index: n * size, time: 1, channels: 1, samples };
}

/** As it travels: what is longer than a frame may be comes as several. */
function parts(frame: Frame): Frame[] {
  const count = Math.ceil(frame.samples.length / LONGEST);
  return Array.from({ length: count }, (_, n) => ({
    ...frame,
    seq: n ? 0 : frame.seq,
    index: frame.index + n * LONGEST,
    samples: frame.samples.slice(n * LONGEST, (n + 1) * LONGEST),
  }));
}

const between = (heard: Heard, from: number, to: number) =>
  heard.delays.filter(({ at }) => at >= from && at < to).map(({ ms }) => ms);
const middle = (values: number[]) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;

/** Numbers from 0 to 1 that are the same in each run. */
function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Of each `every` milliseconds of sound, all that is made in the first `ms` comes together when they are over. */
const standstill =
  (piece: number, every: number, ms: number) =>
  (n: number): number =>
    2 + Math.max(0, ms - ((n * piece) % every));

describe('live sound is as late as it must be', () => {
  it.each([
    [10, 25],
    [20, 36],
  ])('with pieces of %i ms less than %i ms', (piece, most) => {
    const heard = listen({ piece, seconds: 20, way: () => 2 });
    expect(heard.playout.underruns).toBe(0);
    expect(Math.max(...between(heard, 2, 20))).toBeLessThan(most);
  });

  it('and over a line that trembles as long as the trembling', () => {
    const roll = dice(1);
    const heard = listen({ piece: 20, seconds: 60, way: () => 2 + 25 * roll() });
    expect(Math.max(...between(heard, 2, 60))).toBeLessThan(20 + 2 + 25 + TURN);
    expect(heard.playout.underruns).toBeLessThan(5);
  });

  it('until the line is steady again', () => {
    const roll = dice(1);
    const heard = listen({ piece: 20, seconds: 20, way: (n) => 2 + (n < 500 ? 50 * roll() : 0) });
    expect(middle(between(heard, 5, 10))).toBeGreaterThan(60);
    expect(Math.max(...between(heard, 13, 20))).toBeLessThan(40);
    expect(heard.playout.skipped).toBeLessThan(0.1 * RATE);
  });

  it.each([10, 20])('again soon after a standstill of 200 ms, in pieces of %i ms', (piece) => {
    const heard = listen({ piece, seconds: 60, way: standstill(piece, 3000, 200) });
    for (let second = 6; second < 60; second += 3) {
      expect(Math.max(...between(heard, second + 1, second + 3))).toBeLessThan(45);
    }
    expect(heard.playout.underruns).toBe(19); // all but the first, with which the sound begins
    expect(heard.playout.skipped).toBeLessThan(20 * 0.21 * RATE);
  });

  it('though nothing comes for 200 ms in each second, because no waiting would outlast that', () => {
    const heard = listen({ piece: 20, seconds: 60, way: standstill(20, 1000, 200) });
    expect(middle(between(heard, 5, 60))).toBeLessThan(45);
  });

  it('which one hiccup does not change for long, and a second soon after it does', () => {
    const rare = listen({ piece: 20, seconds: 60, way: standstill(20, 3000, 30) });
    expect(middle(between(rare, 5, 60))).toBeLessThan(40);
    const often = listen({ piece: 20, seconds: 60, way: standstill(20, 1000, 30) });
    expect(between(often, 5, 60).every((ms) => ms > 50 && ms < 70)).toBe(true);
    expect(often.playout.underruns).toBeLessThan(3);
  });

  it('when its way grows longer for good', () => {
    const heard = listen({ piece: 20, seconds: 20, way: (n) => (n < 500 ? 2 : 62) });
    expect(Math.max(...between(heard, 14, 20))).toBeLessThan(105);
    expect(heard.playout.underruns).toBe(1);
  });

  it('when it is made in pieces of half a second', () => {
    const heard = listen({ piece: 500, seconds: 60, way: () => 5 });
    expect(Math.max(...between(heard, 2, 60))).toBeLessThan(530);
    expect(heard.playout).toMatchObject({ underruns: 0, skipped: 0 });
  });
});

describe('of a source that is slower than its sound', () => {
  it.each([
    [20, 22],
    [20, 30],
    [20, 60],
    [20, 300],
    [100, 105],
    [100, 150],
    [500, 510],
    [500, 750],
    [3000, 5000],
  ])('all is heard: %i ms in %i ms', (piece, takes) => {
    const { playout } = listen({ piece, seconds: 30, cost: () => takes });
    const came = Math.floor((30_000 - piece - 1) / takes);
    expect(playout).toMatchObject({ skipped: 0, lost: 0 });
    // It is silent after each at most, and never for longer than the source is.
    expect(playout.underruns).toBeLessThanOrEqual(came + 1);
    expect(playout.at / RATE).toBeGreaterThan(((came - 2) * piece) / 1000);
  });

  it('though some takes twice as long as other, and a busy machine lets it come in heaps', () => {
    const roll = dice(3);
    const heap = (n: number) => (n % 40 < 8 ? (n % 40 === 7 ? 8 * 25 : 0) : 15 + 20 * roll());
    const { playout } = listen({ piece: 20, seconds: 60, cost: heap });
    expect(playout.skipped / RATE).toBeLessThan(0.01 * 40);
  });

  it('and what comes when it is quick again is soon no later than before', () => {
    const heard = listen({ piece: 20, seconds: 30, way: () => 2, cost: (n) => (n < 200 ? 30 : 0) });
    expect(Math.max(...between(heard, 5, 6))).toBeGreaterThan(1500);
    expect(Math.max(...between(heard, 8, 30))).toBeLessThan(45);
  });
});

describe('for half an hour of two clocks that differ', { timeout: 30_000 }, () => {
  it('by 200 ppm, the sender ahead: the surplus is left out, and nothing else', () => {
    const heard = listen({ piece: 20, seconds: 1800, way: () => 2, drift: 200 });
    expect(Math.max(...between(heard, 1, 1800))).toBeLessThan(40);
    expect(heard.playout.underruns).toBe(0);
    expect(heard.playout.skipped / RATE).toBeCloseTo(1800 * 200e-6, 1);
  });

  it('by 200 ppm, the sender behind: it is short now and then, and never later', () => {
    const heard = listen({ piece: 20, seconds: 1800, way: () => 2, drift: -200 });
    expect(Math.max(...between(heard, 1, 1800))).toBeLessThan(40);
    expect(heard.playout.underruns).toBeLessThan(60);
    expect(heard.playout.skipped).toBeLessThan(0.1 * RATE);
  });

  it('and a line that trembles: it does not run away', () => {
    const roll = dice(2);
    const heard = listen({ piece: 20, seconds: 600, way: () => 2 + 10 * roll(), drift: 200 });
    expect(Math.max(...between(heard, 1, 600))).toBeLessThan(60);
    expect(heard.playout.skipped / RATE).toBeLessThan(1);
    expect(heard.playout.underruns).toBeLessThan(100);
  });
});

describe('what is too much', () => {
  it('is left out where it is silent, if there is a silence', () => {
    // Words of 200 ms with 50 ms between them, over a line that is steady after it trembled.
    const words = (silent?: World['silent']) => {
      const roll = dice(1);
      return listen({ piece: 10, seconds: 20, way: (n) => 2 + (n < 200 ? 40 * roll() : 0), ...(silent ? { silent } : {}) });
    };
    const spoken = words((second) => second % 0.25 >= 0.2);
    expect(spoken.playout.skipped).toBeGreaterThan(0.02 * RATE);
    expect(spoken.cut).toBeLessThan(0.3 * spoken.playout.skipped);
    const sung = words();
    expect(sung.cut).toBe(sung.playout.skipped);
  });

  it('makes no click where it is left out of sound', () => {
    const playout = new Playout(RATE, 1, true);
    const wave = (index: number, count: number) =>
      Int16Array.from({ length: count }, (_, i) => 9000 * Math.sin(((index + i) * 2 * Math.PI * 100) / RATE));
    let steepest = 0;
    let last = 0;
    for (let n = 0; n < 300; n++) {
      // 30 ms early from the second second on: so much is too much.
      const frames = 960;
      playout.push({ node: 1, flags: 0, seq: 0, rate: RATE, index: n * frames, time: 1, channels: 1, samples: wave(n * frames, frames) });
      if (n === 100) playout.push({ node: 1, flags: 0, seq: 0, rate: RATE, index: ++n * frames, time: 1, channels: 1, samples: wave(n * frames, frames) });
      const out = new Float32Array(frames);
      playout.pull([out], 0);
      for (const x of out) {
        if (n > 2) steepest = Math.max(steepest, Math.abs(x - last));
        last = x;
      }
    }
    expect(playout.underruns).toBe(0);
    expect(playout.skipped).toBeGreaterThan(0);
    // The wave itself has steps of 0.0036; two of its places that lie apart at most 0.55, over 64 samples.
    expect(steepest).toBeLessThan(0.0036 + 0.55 / 64 + 0.002);
  });
});
