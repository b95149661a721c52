import { describe, expect, it } from 'vitest';
import { bound, byteLimit, bytes, clock, kilohertz } from '../src/audio/format';
import { columns, decodePeaks, type Peaks } from '../src/audio/peaks';
import { Take } from '../src/audio/take';
import { ticks } from '../src/audio/ticks';
import { Transfer } from '../src/audio/transfer.svelte';
import { int16, interleave, wavHeader } from '../src/audio/wav';
import type { NodeState } from '../src/state/node.svelte';
import type { Page } from '../src/state/page.svelte';

const floats = (...ints: number[]) => Float32Array.from(ints, (n) => n / 32768);

async function samplesOf(blob: Blob): Promise<number[]> {
  const body = await blob.arrayBuffer();
  return [...new Int16Array(body.slice(44))];
}

describe('16-bit samples', () => {
  it('gives back every int16 exactly', () => {
    const all = Int16Array.from({ length: 65536 }, (_, i) => i - 32768);
    expect(int16(Float32Array.from(all, (n) => n / 32768))).toEqual(all);
  });

  it('rounds to the nearest and never wraps', () => {
    expect([...int16(Float32Array.of(0.6 / 32768, -0.6 / 32768, 1, 1.5, -1, -1.5))]).toEqual([1, -1, 32767, 32767, -32768, -32768]);
  });

  it('weaves channels into frames', () => {
    expect([...interleave([Int16Array.of(1, 2), Int16Array.of(-1, -2)])]).toEqual([1, -1, 2, -2]);
  });

  it('heads a WAV file with rate, channels and lengths', () => {
    const view = new DataView(wavHeader(44100, 2, 1000));
    const word = (at: number) => String.fromCharCode(...[0, 1, 2, 3].map((i) => view.getUint8(at + i)));
    expect([word(0), word(8), word(12), word(36)]).toEqual(['RIFF', 'WAVE', 'fmt ', 'data']);
    expect(view.getUint16(22, true)).toBe(2);
    expect(view.getUint32(24, true)).toBe(44100);
    expect(view.getUint32(28, true)).toBe(44100 * 4);
    expect(view.getUint16(34, true)).toBe(16);
    expect(view.getUint32(40, true)).toBe(4000);
    expect(view.getUint32(4, true)).toBe(4036);
  });
});

describe('a take', () => {
  it('whose channels never differ is mono', async () => {
    const take = new Take(44100);
    take.push([floats(1, 2, 3), floats(1, 2, 3)]);
    take.push([floats(4), floats(4)]);
    expect([take.channels, take.frames]).toEqual([1, 4]);
    expect(await samplesOf(await take.wav())).toEqual([1, 2, 3, 4]);
  });

  it('whose channels differ in one sample is stereo from its beginning', async () => {
    const take = new Take(44100);
    take.push([floats(1, 2), floats(1, 2)]);
    take.push([floats(3), floats(4)]);
    expect(take.channels).toBe(2);
    expect(await samplesOf(await take.wav())).toEqual([1, 1, 2, 2, 3, 4]);
  });

  it('that is stereo only after seconds of one sound in both channels is stereo from its beginning', async () => {
    const take = new Take(44100, Infinity, 2); // in pieces of two frames
    take.push([floats(1, 2), floats(1, 2)]);
    take.push([floats(3, 4), floats(3, 4)]);
    take.push([floats(5, 6), floats(5, 7)]);
    take.push([floats(8), floats(9)]);
    expect(await samplesOf(await take.wav())).toEqual([1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 7, 8, 9]);
  });

  it('keeps the newest samples where it may not keep all', async () => {
    const take = new Take(2, 2, 2); // four frames, in pieces of two
    for (let i = 0; i < 5; i++) take.push([floats(2 * i, 2 * i + 1)]);
    expect([take.seconds, take.keptSeconds]).toEqual([5, 2]);
    expect(await samplesOf(await take.wav())).toEqual([6, 7, 8, 9]);
  });

  it('that the browser does not give back is told of, and ends the wait for it', async () => {
    const take = new Take(44100);
    take.wav = () => Promise.reject(new Error('the disk is full'));
    const transfer = new Transfer({} as NodeState, {} as Page, () => {});
    await transfer.sendTake(take);
    expect(transfer.words).toContain('the disk is full');
    await transfer.lost(take);
    expect([transfer.words, transfer.kept]).toEqual([expect.stringContaining('the disk is full'), null]);
  });

  it('tells level, clipping and how long it has been silent', () => {
    const take = new Take(48000);
    take.push([floats(0, 16384, -8192)]);
    expect(take.level).toBeCloseTo(0.5);
    take.push([floats(32767, -32768, 5)]);
    expect(take.clipped).toBe(2);
    take.push([floats(0, 1, 2)]);
    take.push([floats(0)]);
    expect(take.quiet).toBe(4);
    take.push([floats(3000)]);
    expect(take.quiet).toBe(0);
  });

  it('of any length has an outline of bounded size that keeps its extremes', () => {
    const take = new Take(1000); // a column holds 10 frames
    for (let i = 0; i < 200; i++) take.push([Float32Array.from({ length: 1000 }, (_, j) => (i === 77 && j === 5 ? -0.75 : 0.1))]);
    expect(take.outline.length).toBeLessThanOrEqual(8192);
    expect(Math.min(...take.outline)).toBeCloseTo(-0.75, 3);
    expect(Math.max(...take.outline)).toBeCloseTo(0.1, 3);
  });
});

describe('peaks', () => {
  const outline = (start: number, end: number, ...values: number[]): Peaks => ({
    ...{ start, end, channels: 1, width: values.length / 3 },
    data: Int16Array.from(values),
  });

  it('are read as little-endian triples, channel after channel', () => {
    const view = new DataView(new ArrayBuffer(12));
    [-300, 300, 200, -5, 5, 2].forEach((n, i) => view.setInt16(i * 2, n, true));
    expect([...decodePeaks(view.buffer, 2, 1, 0, 9).data]).toEqual([-300, 300, 200, -5, 5, 2]);
  });

  it('that do not fit their header are refused', () => {
    expect(() => decodePeaks(new ArrayBuffer(8), 1, 2, 0, 9)).toThrow('8 bytes are not 1 x 2');
  });

  it('become broader columns that lose no extreme', () => {
    const four = outline(0, 400, -1, 1, 1, -2, 9, 1, -8, 2, 7, 0, 0, 1);
    expect([...columns(0, 400, 2, 0, [four])]).toEqual([-2, 9, 1, -8, 2, 5]);
  });

  it('are taken from the finer outline where it covers the column, else from the whole', () => {
    const whole = outline(0, 400, -9, 9, 9);
    const part = outline(100, 200, -1, 2, 1, -3, 4, 2);
    expect([...columns(50, 200, 3, 0, [part, whole])]).toEqual([-9, 9, 9, -1, 2, 1, -3, 4, 2]);
  });

  it('are nothing beyond the ends of the sound', () => {
    expect([...columns(5, 15, 2, 0, [outline(0, 10, -9, 9, 9)])]).toEqual([-9, 9, 9, 32767, -32768, 0]);
  });
});

describe('figures', () => {
  it.each([
    [0, 2, '0:00.00'],
    [12.4, 2, '0:12.40'],
    [59.999, 2, '0:59.99'],
    [61, 0, '1:01'],
    [3723.4, 1, '1:02:03.4'],
  ])('%d s with %d decimals is %s', (seconds, decimals, words) => expect(clock(seconds, decimals)).toBe(words));

  it('say bounds as people write them', () => {
    expect([0.5, 30, 120, 90.5].map(bound)).toEqual(['0.5 s', '30 s', '2:00', '1:30.5']);
  });

  it('say rates and sizes shortly', () => {
    expect([kilohertz(44100), kilohertz(48000), kilohertz(22050), kilohertz(11025)]).toEqual(['44.1 kHz', '48 kHz', '22.05 kHz', '11.025 kHz']);
    expect([bytes(900), bytes(12345), bytes(20 * 1024 ** 2)]).toEqual(['900 B', '12.1 kB', '20 MB']);
    expect([byteLimit(5), byteLimit('2mb'), byteLimit('1.5 KB'), byteLimit('x'), byteLimit(null)]).toEqual([5, 2097152, 1536, null, null]);
  });

  it('stand on a ruler at round times', () => {
    expect(ticks(0, 12.4, 8).map((t) => t.text)).toEqual(['0:00', '0:02', '0:04', '0:06', '0:08', '0:10', '0:12']);
    expect(ticks(1.2, 1.3, 6).map((t) => t.text)).toEqual(['0:01.20', '0:01.22', '0:01.24', '0:01.26', '0:01.28', '0:01.30']);
    expect(ticks(0, 0, 5)).toEqual([]);
  });
});
