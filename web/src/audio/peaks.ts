/** The outline of a part of a sound as the server gives it: smallest, largest and RMS per column, per channel. */

export interface Peaks {
  /** Frames of the sound that this is the outline of. */
  start: number;
  end: number;
  channels: number;
  /** Columns, of equal length; as many as frames where it shows every sample. */
  width: number;
  /** Channel after channel, each `width` times smallest, largest and RMS, full scale 32768. */
  data: Int16Array;
}

export interface Tones {
  peak: string;
  rms: string;
  clipped: string;
}

const VALUES = 3;

/** CSS pixels that the outline of a sound is high. */
export function heightOf(channels: number): number {
  return channels === 1 ? 96 : Math.min(240, 64 * channels);
}

/** Throws if the lengths do not fit together. */
export function decodePeaks(body: ArrayBuffer, channels: number, width: number, start: number, end: number): Peaks {
  if (body.byteLength !== channels * width * VALUES * 2) {
    throw new Error(`peaks: ${body.byteLength} bytes are not ${channels} x ${width} times ${VALUES} int16`);
  }
  const view = new DataView(body);
  const data = new Int16Array(channels * width * VALUES);
  for (let i = 0; i < data.length; i++) data[i] = view.getInt16(i * 2, true);
  return { start, end, channels, width, data };
}

/** Fetches the outline of frames start..end in about `width` columns; the server may have fewer to give. */
export async function fetchPeaks(
  url: string,
  width: number,
  start: number,
  end: number,
  signal: AbortSignal,
): Promise<Peaks> {
  const asked = new URL(url, document.baseURI);
  for (const [name, value] of Object.entries({ width, start, end })) asked.searchParams.set(name, String(value));
  const answer = await fetch(asked, { signal });
  if (!answer.ok) throw new Error(`peaks: ${answer.status}`);
  const got = (name: string) => Number(answer.headers.get(`X-Ossicle-${name}`));
  return decodePeaks(await answer.arrayBuffer(), got('Channels'), got('Width'), start, end);
}

/**
 * `width` columns of one channel for the frames from..to, each from the first of the outlines that covers it:
 * smallest, largest, RMS. Columns beyond the sound stay empty (smallest above largest).
 */
export function columns(from: number, to: number, width: number, channel: number, outlines: Peaks[]): Int16Array {
  const made = new Int16Array(width * VALUES);
  const per = (to - from) / width;
  const sound = outlines.at(-1); // the whole
  for (let x = 0; x < width; x++) {
    let low = 32767;
    let high = -32768;
    let power = 0;
    const a = Math.max(sound?.start ?? 0, from + per * x);
    const b = Math.min(sound?.end ?? 0, from + per * (x + 1));
    const best = a < b ? outlines.find((o) => o.start <= a && b <= o.end) : undefined;
    if (best) {
      const scale = best.width / (best.end - best.start);
      const first = Math.min(best.width - 1, Math.floor((a - best.start) * scale + 1e-6));
      const last = Math.min(best.width, Math.max(first + 1, Math.ceil((b - best.start) * scale - 1e-6)));
      for (let i = first; i < last; i++) {
        const at = (channel * best.width + i) * VALUES;
        low = Math.min(low, best.data[at] ?? 0);
        high = Math.max(high, best.data[at + 1] ?? 0);
        power += (best.data[at + 2] ?? 0) ** 2 / (last - first);
      }
    }
    made.set([low, high, Math.sqrt(power)], x * VALUES);
  }
  return made;
}

const low = (all: Int16Array, x: number) => all[x * VALUES] ?? 0;
const high = (all: Int16Array, x: number) => all[x * VALUES + 1] ?? 0;

/** Frames over which loudness is told: in fewer than a period of a low tone there is none to tell. */
const LOUDNESS = 1024;
/** Of full scale 32768: below it a column is as good as silent. */
const AUDIBLE = 256;

/** The RMS of each column together with its neighbours as far as `reach`. */
function loudness(all: Int16Array, reach: number): Float64Array {
  const width = all.length / VALUES;
  const sums = new Float64Array(width + 1);
  const counts = new Float64Array(width + 1);
  for (let x = 0; x < width; x++) {
    const there = low(all, x) <= high(all, x);
    sums[x + 1] = (sums[x] ?? 0) + (there ? (all[x * VALUES + 2] ?? 0) ** 2 : 0);
    counts[x + 1] = (counts[x] ?? 0) + (there ? 1 : 0);
  }
  const by = Math.round(reach);
  return Float64Array.from({ length: width }, (_, x) => {
    const [a, b] = [Math.max(0, x - by), Math.min(width, x + by + 1)];
    const count = (counts[b] ?? 0) - (counts[a] ?? 0);
    return count ? Math.sqrt(((sums[b] ?? 0) - (sums[a] ?? 0)) / count) : 0;
  });
}

/**
 * Whether loudness makes a body inside the outline. Close to, where one sees the oscillation itself, columns lie above
 * or below it, and it would be stripes.
 */
function hasBody(all: Int16Array, means: Float64Array): boolean {
  let [heard, striped] = [0, 0];
  for (let x = 0; x < means.length; x++) {
    if (low(all, x) > high(all, x) || (means[x] ?? 0) < AUDIBLE) continue;
    heard += 1;
    if (low(all, x) > 0 || high(all, x) < 0) striped += 1;
  }
  return striped * 20 < heard;
}

/** A canvas and its colours. */
export type Drawn = readonly [CanvasRenderingContext2D, Tones];

/** What is to be painted: rectangles as x, y, width, height in turn, and the line through single samples. */
interface Figure {
  peak: number[];
  rms: number[];
  clipped: number[];
  line: Path2D | null;
}

/**
 * Draws the frames from..to of the outlines, finest first and the whole last: one lane per channel, one column per
 * device pixel. The same on all canvases, which are of one size.
 */
export function drawPeaks(from: number, to: number, outlines: Peaks[], canvases: readonly Drawn[]): void {
  const [first] = canvases;
  if (!first) return;
  const figure = figureOf(from, to, outlines, first[0].canvas);
  for (const [ctx, tones] of canvases) paint(figure, ctx, tones);
}

function figureOf(from: number, to: number, outlines: Peaks[], { width, height }: { width: number; height: number }): Figure {
  const figure: Figure = { peak: [], rms: [], clipped: [], line: null };
  const { peak, rms, clipped } = figure;
  const finest = outlines[0];
  if (!finest) return figure;
  const lane = height / finest.channels;
  const ratio = window.devicePixelRatio || 1;
  // Samples that stand apart are points on a line, not columns.
  const apart = (to - from) / width < 0.5 && finest.width === finest.end - finest.start;
  for (let c = 0; c < finest.channels; c++) {
    const middle = lane * (c + 0.5);
    const y = (value: number) => middle - (value / 32768) * lane * 0.46;
    const all = columns(from, to, width, c, outlines);
    const means = loudness(all, Math.max(2 * ratio, Math.min(width / 8, (LOUDNESS * width) / (to - from) / 2)));
    const body = hasBody(all, means);
    let [above, under] = [Infinity, -Infinity]; // the column before
    for (let x = 0; x < width; x++) {
      const [least, most] = [low(all, x), high(all, x)];
      const mean = means[x] ?? 0;
      if (least > most) continue;
      if (most === 32767 || least === -32768) clipped.push(x - ratio / 2, lane * c, 2 * ratio, 4 * ratio);
      if (apart) continue;
      // Neighbours touch, or a steep flank would fall apart into dots. Silence is a line, not nothing.
      const top = Math.min(y(most), under);
      const bottom = Math.max(y(least), above, top + 1);
      peak.push(x, top, 1, bottom - top);
      const [upper, lower] = [y(Math.min(most, mean)), y(Math.max(least, -mean))];
      if (body && lower > upper) rms.push(x, upper, 1, lower - upper);
      [above, under] = [y(most), y(least)];
    }
    if (!apart) continue;
    const line = (figure.line ??= new Path2D());
    const wide = width / (to - from);
    const first = Math.max(finest.start, Math.floor(from) - 1);
    const dot = Math.min(3 * ratio, wide / 4);
    for (let n = first; n < Math.min(finest.end, to + 2); n++) {
      const x = (n + 0.5 - from) * wide;
      const top = y(finest.data[(c * finest.width + n - finest.start) * VALUES] ?? 0);
      if (n === first) line.moveTo(x, top);
      else line.lineTo(x, top);
      if (dot > ratio) rms.push(x - dot, top - dot, 2 * dot, 2 * dot);
    }
  }
  return figure;
}

function paint({ peak, rms, clipped, line }: Figure, ctx: CanvasRenderingContext2D, tones: Tones): void {
  ctx.clearRect(0, 0, ctx.canvas.width, ctx.canvas.height);
  fill(ctx, tones.peak, peak);
  if (line) {
    ctx.strokeStyle = tones.peak;
    ctx.lineWidth = window.devicePixelRatio || 1;
    ctx.stroke(line);
  }
  fill(ctx, tones.rms, rms);
  fill(ctx, tones.clipped, clipped);
}

/** One by one: as one path they take a browser without a graphics card eight times as long. */
function fill(ctx: CanvasRenderingContext2D, colour: string, rects: readonly number[]): void {
  ctx.fillStyle = colour;
  for (let i = 0; i + 3 < rects.length; i += 4) ctx.fillRect(rects[i] ?? 0, rects[i + 1] ?? 0, rects[i + 2] ?? 0, rects[i + 3] ?? 0);
}
