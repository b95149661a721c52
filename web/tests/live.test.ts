import { describe, expect, it } from 'vitest';
import { health, none, Recent, troubled, worse } from '../src/live/figures';
import { DISCONTINUITY, END, lengthOf, pack, since, START, unpack, unstarted, type Frame } from '../src/live/frame';
import { Playout } from '../src/live/playout';
import { Uplink } from '../src/live/uplink';

const RATE = 1000;

/** Frames whose samples tell their own place: 1, 2, 3, ... */
function frame(index: number, count: number, more: Partial<Frame> = {}): Frame {
  const samples = Int16Array.from({ length: count }, (_, i) => index + i + 1);
  return { node: 3, flags: 0, seq: 0, rate: RATE, index, time: 1, channels: 1, samples, ...more };
}

/** What is heard, in steps of `size` frames, as int16. */
function hear(playout: Playout, frames: number, size = 10): number[] {
  const out: number[] = [];
  for (let at = 0; at < frames; at += size) {
    const channel = new Float32Array(size);
    playout.pull([channel], 0);
    out.push(...Array.from(channel, (x) => Math.round(x * 32768)));
  }
  return out;
}

const ramp = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i + 1);
const sound = (heard: number[]) => heard.filter((x) => x !== 0);

describe('a frame', () => {
  it('comes back as it was packed', () => {
    const sent = frame(2 ** 40, 7, { flags: START | DISCONTINUITY, seq: 9, node: 65535, time: 12.5, rate: 44100 });
    expect(unpack(pack(sent))).toEqual(sent);
    expect(lengthOf(pack(sent))).toEqual({ frames: 7, rate: 44100 });
  });

  it('may be stereo, and float', () => {
    const sent = frame(0, 0, { channels: 2, samples: Float32Array.of(0.5, -0.5, 1, -1) });
    expect(unpack(pack(sent))).toEqual(sent);
    expect(lengthOf(pack(sent)).frames).toBe(2);
  });

  it('loses its START and nothing else', () => {
    const data = pack(frame(0, 3, { flags: START | END }));
    unstarted(data);
    expect(unpack(data)).toEqual(frame(0, 3, { flags: END }));
  });

  it('that cannot be one is refused', () => {
    expect(() => unpack(new ArrayBuffer(5))).toThrow('5 bytes');
    expect(() => unpack(new ArrayBuffer(40))).toThrow('version 0');
  });

  it('tells its age over the wrap of its stamp', () => {
    expect(since(10_000, 1020)).toBe(20);
    expect(since(2 ** 32 - 100, (2 ** 32 + 50) / 10)).toBe(15);
    expect(since(10_001, 1000)).toBe(-0.1);
  });
});

describe('generated sound', () => {
  it.each([5, 20, 100, 700])('is heard to the last sample in frames of %i', (size) => {
    const playout = new Playout(RATE, 1, false);
    for (let at = 0; at < 700; at += size) playout.push(frame(at, Math.min(size, 700 - at)));
    playout.push(frame(700, 0, { flags: END }));
    expect(sound(hear(playout, 900))).toEqual(ramp(0, 700));
    expect(playout.stats).toMatchObject({ state: 'ended', at: 700, underruns: 0, skipped: 0, lost: 0 });
  });

  it('waits for 60 ms, or as long', () => {
    const playout = new Playout(RATE, 1, false);
    playout.push(frame(0, 20));
    expect(sound(hear(playout, 50))).toEqual([]);
    expect(sound(hear(playout, 50))).toEqual(ramp(0, 20));
    const quick = new Playout(RATE, 1, false);
    quick.push(frame(0, 60));
    expect(hear(quick, 10)).toEqual(ramp(0, 10));
  });

  it('that is short and over does not wait', () => {
    const playout = new Playout(RATE, 1, false);
    playout.push(frame(0, 7, { flags: START | END }));
    expect(sound(hear(playout, 10))).toEqual(ramp(0, 7));
    expect(playout.state).toBe('ended');
  });

  it('that comes too slowly loses nothing, and each gap is counted', () => {
    const playout = new Playout(RATE, 1, false);
    const heard: number[] = [];
    for (let n = 0; n < 5; n++) {
      playout.push(frame(n * 30, 30));
      heard.push(...hear(playout, 300));
    }
    hear(playout, 10);
    expect(playout.stats).toMatchObject({ underruns: 5, skipped: 0 });
    expect(sound(heard)).toEqual(ramp(0, 150));
    expect(playout.stats.target).toBeCloseTo(0.06 + 5 * 0.015);
  });

  it('is not dropped however much waits', () => {
    const playout = new Playout(RATE, 1, false);
    for (let n = 0; n < 40; n++) playout.push(frame(n * 20, 20));
    expect(playout.stats).toMatchObject({ fill: 0.8, skipped: 0 });
  });

  it('that comes again after a lost line is heard once', () => {
    const playout = new Playout(RATE, 1, false);
    expect(playout.push(frame(0, 100))).toBe(true);
    expect(playout.push(frame(0, 50))).toBe(false);
    expect(playout.push(frame(80, 40))).toBe(true);
    playout.push(frame(120, 0, { flags: END }));
    expect(sound(hear(playout, 200))).toEqual(ramp(0, 120));
  });

  it('can be paused anywhere and goes on there', () => {
    const playout = new Playout(RATE, 1, false);
    playout.push(frame(0, 200, { flags: END }));
    const heard = hear(playout, 50);
    playout.pause();
    expect(sound(hear(playout, 100))).toEqual([]);
    playout.resume();
    expect(sound([...heard, ...hear(playout, 300)])).toEqual(ramp(0, 200));
  });

  it('falls silent at once, fades, and knows what was heard', () => {
    const playout = new Playout(RATE, 1, false);
    playout.push(frame(0, 600));
    hear(playout, 100);
    playout.flush();
    expect(playout.silent).toBe(false);
    const faded = hear(playout, 10);
    expect(faded[0]).toBeGreaterThan(0);
    expect(playout.at).toBe(110);
    expect(sound(hear(playout, 300))).toEqual([]);
    expect(playout.silent).toBe(true);
    expect(playout.push(frame(600, 100))).toBe(false);
  });

  it('that was never heard is silent without a fade', () => {
    const playout = new Playout(RATE, 1, false);
    playout.push(frame(0, 20));
    playout.flush();
    expect([playout.silent, playout.at]).toEqual([true, 0]);
  });
});

describe('live sound', () => {
  it('begins with the newest of what came before it was listened to', () => {
    const playout = new Playout(RATE, 1, true);
    for (let n = 0; n < 10; n++) playout.push(frame(n * 20, 20));
    expect(sound(hear(playout, 100))).toEqual(ramp(170, 200));
    expect(playout.skipped).toBe(170);
  });

  it('that nobody plays does not pile up', () => {
    const playout = new Playout(RATE, 1, true);
    for (let n = 0; n < 1000; n++) {
      playout.push(frame(n * 20, 20));
      expect(playout.stats.fill).toBeLessThan(0.25);
    }
    expect(playout.skipped + playout.stats.fill * RATE).toBe(20_000);
  });

  it('counts what never came and goes on behind it', () => {
    const playout = new Playout(RATE, 1, true);
    playout.push(frame(0, 40));
    const heard = hear(playout, 60);
    playout.push(frame(100, 40, { flags: DISCONTINUITY }));
    expect(sound([...heard, ...hear(playout, 100)])).toEqual([...ramp(0, 40), ...ramp(100, 140)]);
    expect([playout.lost, playout.skipped]).toEqual([60, 0]);
  });

  it('whose last piece never came is over all the same', () => {
    const playout = new Playout(RATE, 1, true);
    playout.push(frame(0, 40));
    playout.push(frame(100, 0, { flags: END }));
    hear(playout, 100);
    expect(playout.stats).toMatchObject({ state: 'ended', at: 100 });
  });

  it('tells how old it is when it is heard', () => {
    const playout = new Playout(RATE, 1, true);
    playout.push(frame(0, 20, { seq: 5000 }));
    playout.push(frame(20, 20, { seq: 5200 }));
    for (const now of [530, 540]) playout.pull([new Float32Array(10)], now);
    expect(playout.latencies).toEqual([20]); // the first piece was heard from its middle on
  });

  it('is drawn as it is heard', () => {
    const playout = new Playout(RATE, 1, true);
    playout.push(frame(0, 20));
    playout.push(frame(20, 20));
    hear(playout, 20);
    expect(playout.skipped).toBe(10);
    expect(playout.columns.map((x) => Math.round(x * 32768))).toEqual([11, 20, 21, 30]);
  });
});

describe('a recording on its way', () => {
  const data = (n: number, flags = 0) => pack(frame(n * 20, 20, { flags }));
  const drain = (uplink: Uplink) => {
    const out: Frame[] = [];
    for (let next = uplink.next(); next; next = uplink.next()) out.push(unpack(next));
    return out;
  };

  it('goes out once, in order', () => {
    const uplink = new Uplink();
    for (let n = 0; n < 4; n++) uplink.push(data(n));
    expect(drain(uplink).map((f) => f.index)).toEqual([0, 20, 40, 60]);
    expect([uplink.idle, drain(uplink)]).toEqual([true, []]);
  });

  it('goes out again with a new line, and does not begin twice', () => {
    const uplink = new Uplink();
    uplink.push(data(0, START));
    drain(uplink);
    uplink.push(data(1));
    uplink.rewind();
    expect(drain(uplink).map((f) => [f.index, f.flags])).toEqual([
      [0, 0],
      [20, 0],
    ]);
    const fresh = new Uplink();
    fresh.push(data(0, START));
    fresh.rewind();
    expect(drain(fresh).map((f) => f.flags)).toEqual([START]);
  });

  it('keeps ten seconds, and counts what was never sent', () => {
    const uplink = new Uplink();
    for (let n = 0; n < 520; n++) uplink.push(data(n));
    expect([uplink.dropped, uplink.droppedSeconds]).toEqual([400, expect.closeTo(0.4)]);
    expect(drain(uplink)[0]?.index).toBe(400);
  });

  it('keeps a megabyte', () => {
    const uplink = new Uplink();
    for (let n = 0; n < 100; n++) uplink.push(pack(frame(n * 10_000, 10_000, { rate: 192_000 })));
    expect(uplink.dropped).toBe(48 * 10_000);
  });

  it('is not sent again where it came', () => {
    const uplink = new Uplink();
    for (let n = 0; n < 3; n++) uplink.push(data(n));
    drain(uplink);
    uplink.mark();
    for (let n = 3; n < 5; n++) uplink.push(data(n));
    drain(uplink);
    uplink.came();
    expect(uplink.waiting).toBe(0);
    uplink.rewind();
    expect(uplink.waiting).toBeCloseTo(0.04);
    expect(drain(uplink).map((f) => f.index)).toEqual([60, 80]);
  });

  it('whose question the line swallowed goes out again', () => {
    const uplink = new Uplink();
    uplink.push(data(0));
    drain(uplink);
    uplink.mark();
    uplink.rewind();
    uplink.came();
    expect(drain(uplink).map((f) => f.index)).toEqual([0]);
  });
});

describe('the figures of a recording', () => {
  it('are worse when the app was too slow for some of it', () => {
    expect(worse(none, { ...none, missed: 100 })).toBe(true);
    expect(worse({ ...none, missed: 100 }, { ...none, missed: 100 })).toBe(false);
  });
});

describe('the figures of a stream', () => {
  it('are judged by what is felt, and forgive with time', () => {
    const after = (...ago: number[]) => health(none, ago.map((ms) => 20_000 - ms), 20_000, true);
    expect([after(100), after(2_500), after(3_500)]).toEqual(['fair', 'fair', 'good']);
    expect([after(4_000, 100), after(7_000, 4_000)]).toEqual(['fair', 'good']);
    expect([after(4_000, 2_000, 100), after(8_000, 6_000, 4_000)]).toEqual(['bad', 'fair']);
    expect(after(15_000, 4_000, 100)).toBe('fair');
    expect(health({ ...none, latency: 400 }, [], 0, true)).toBe('fair');
    expect(health({ ...none, latency: 1400 }, [], 0, true)).toBe('bad');
    expect(health({ ...none, trip: 400 }, [], 0, true)).toBe('good');
    expect(health({ ...none, latency: 30, trip: 1400 }, [], 0, true)).toBe('bad');
    expect(health({ ...none, latency: 59, budget: 60 }, [], 0, true)).toBe('good');
    expect(health({ ...none, latency: 61, budget: 60 }, [], 0, true)).toBe('bad');
    expect(health(none, [], 0, false)).toBe('bad');
    expect(worse(none, { ...none, underruns: 1 })).toBe(true);
    expect(worse(none, { ...none, latency: 900 })).toBe(false);
  });

  it('count what goes wrong within a second as one event, and forget it', () => {
    let events: readonly number[] = [];
    for (let now = 0; now < 2_500; now += 100) events = troubled(events, now);
    expect(events).toEqual([0, 1_000, 2_000]);
    expect(troubled(events, 11_500)).toEqual([2_000, 11_500]);
  });

  it('have a middle that forgets', () => {
    const recent = new Recent();
    expect([recent.percentile(50), recent.percentile(95)]).toEqual([null, null]);
    recent.add(5, 1, 9);
    expect([recent.percentile(50), recent.percentile(95)]).toEqual([5, 9]);
    recent.add(...Array<number>(500).fill(2));
    expect([recent.percentile(50), recent.percentile(95)]).toEqual([2, 2]);
  });
});
