import { describe, expect, it } from 'vitest';
import { END, type Frame } from '../src/live/frame';
import { Playout } from '../src/live/playout';
import { Schedule, TAKEN, type Sink } from '../src/live/schedule';

const RATE = 48_000;
const ms = (n: number) => Math.round((n / 1000) * RATE);

/** Samples that tell their own place: 1, 2, 3, ... (as 16-bit numbers, so up to 32767). */
function frame(index: number, count: number, flags = 0): Frame {
  const samples = Int16Array.from({ length: count }, (_, i) => ((index + i) % 30_000) + 1);
  return { node: 3, flags, seq: 0, rate: RATE, index, time: 1, channels: 1, samples };
}

/** An output in simulated time: what is scheduled is laid onto a tape, and what is late begins at once. */
class Tape implements Sink {
  readonly rate = RATE;
  clock = 0;
  readonly tape = new Map<number, number>();

  now = () => this.clock;

  /** Frames that go by before a piece is scheduled and behind that, of one piece after the other. */
  readonly stalls: [before: number, behind: number][] = [];

  play(channels: Float32Array<ArrayBuffer>[], at: number): number {
    if (at < this.clock) throw new Error(`frame ${at} is past: it is ${this.clock}`);
    const [before, behind] = this.stalls.shift() ?? [0, 0];
    this.clock += before;
    const begins = Math.max(at, this.clock);
    channels[0]?.forEach((x, i) => {
      if (this.tape.has(begins + i)) throw new Error(`frame ${begins + i} sounds twice`);
      this.tape.set(begins + i, Math.round(x * 32768));
    });
    this.clock += behind;
    return Math.max(at, this.clock);
  }

  cut(at: number): void {
    for (const place of this.tape.keys()) if (place >= at) this.tape.delete(place);
  }

  /** What was heard so far, as runs without a gap. */
  runs(): number[][] {
    const runs: number[][] = [];
    let last = -2;
    for (const place of [...this.tape.keys()].sort((a, b) => a - b)) {
      if (place >= this.clock) break;
      if (place !== last + 1) runs.push([]);
      runs.at(-1)?.push(this.tape.get(place) ?? 0);
      last = place;
    }
    return runs;
  }
}

function world() {
  const sink = new Tape();
  const playout = new Playout(RATE, 1, false);
  const schedule = new Schedule(playout, sink);
  const pass = (time: number, step = 25) => {
    for (let t = 0; t < time; t += step) {
      sink.clock += ms(step);
      schedule.tick();
    }
  };
  return { sink, playout, schedule, pass };
}

const places = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => ((from + i) % 30_000) + 1);

describe('scheduled sound', () => {
  it('is one piece without a seam, whatever came when', () => {
    const { sink, playout, schedule, pass } = world();
    pass(100);
    let at = 0;
    for (const size of [240, 960, 7, 48_000, 1, 9600]) {
      playout.push(frame(at, size));
      at += size;
      schedule.tick();
      pass(10, 5);
    }
    playout.push(frame(at, 0, END));
    pass(2000);
    expect(sink.runs()).toEqual([places(0, at)]);
    expect(schedule.at).toBe(at);
    expect(schedule.over).toBe(true);
    expect(schedule.underruns).toBe(0);
  });

  it('is told as heard when it was heard, not when it was scheduled', () => {
    const { sink, playout, schedule, pass } = world();
    playout.push(frame(0, ms(2000), END));
    schedule.tick();
    pass(500, 5);
    expect(sink.tape.size).toBeGreaterThan(ms(700));
    expect(schedule.at).toBe(sink.runs()[0]?.length);
    expect(schedule.over).toBe(false);
    expect(schedule.fill * RATE).toBeCloseTo(ms(2000) - schedule.at, -1);
  });

  it('outlasts a page that stands still for a quarter of a second', () => {
    const { sink, playout, schedule, pass } = world();
    playout.push(frame(0, ms(3000), END));
    pass(200);
    for (let n = 0; n < 8; n++) pass(250, 250);
    pass(3000);
    expect(sink.runs()).toEqual([places(0, ms(3000))]);
    expect(schedule.underruns).toBe(0);
  });

  it('loses nothing to a longer standstill, and counts it', () => {
    const { sink, playout, schedule, pass } = world();
    playout.push(frame(0, ms(3000), END));
    pass(200);
    pass(1000, 1000);
    pass(4000);
    expect(sink.runs().flat()).toEqual(places(0, ms(3000)));
    expect(sink.runs()).toHaveLength(2);
    expect(schedule.underruns).toBe(1);
  });

  it.each([
    ['before', ms(150), 0],
    ['behind', 0, ms(150)],
  ])('is heard once though the page stands still %s it is scheduled', (_, before, behind) => {
    const { sink, playout, schedule, pass } = world();
    sink.stalls.push([before, behind], [0, 0], [2 * before, 2 * behind], [before / 4, behind / 4]);
    playout.push(frame(0, ms(3000), END));
    schedule.tick();
    for (let n = 0; n < 50; n++) {
      pass(100, 5);
      expect(schedule.at).toBeLessThanOrEqual(sink.runs().flat().length);
    }
    expect(sink.runs().flat()).toEqual(places(0, ms(3000)));
    expect(schedule.underruns).toBe(2);
    expect(schedule.at).toBe(ms(3000));
    expect(schedule.over).toBe(true);
  });

  it('that comes too slowly runs dry, is counted, and goes on at the sample', () => {
    const { sink, playout, schedule, pass } = world();
    for (let n = 0; n < 4; n++) {
      playout.push(frame(n * ms(100), ms(100)));
      pass(500);
    }
    playout.push(frame(ms(400), 0, END));
    pass(500);
    expect(sink.runs().flat()).toEqual(places(0, ms(400)));
    expect(sink.runs()).toHaveLength(4);
    expect(schedule.underruns).toBe(4);
    expect(schedule.over).toBe(true);
  });

  it('is cut off at once, and tells the last frame that was heard', () => {
    const { sink, playout, schedule, pass } = world();
    playout.push(frame(0, ms(5000), END));
    pass(1000);
    const before = schedule.at;
    schedule.flush(false);
    expect(schedule.over).toBe(false);
    pass(200, 5);
    expect(schedule.over).toBe(true);
    expect(schedule.at).toBe(sink.runs().flat().length);
    expect(schedule.at - before).toBeLessThanOrEqual(ms(1000 * TAKEN + 10));
    playout.push(frame(ms(5000), ms(100)));
    pass(500);
    expect(schedule.at).toBe(sink.runs().flat().length);
  });

  it('that is cut off before it began was not heard', () => {
    const { playout, schedule, sink, pass } = world();
    schedule.flush(false);
    playout.push(frame(0, ms(500)));
    pass(500);
    expect([schedule.at, schedule.over, sink.runs()]).toEqual([0, true, []]);
  });
});
