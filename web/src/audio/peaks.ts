/** The outline of a sound as the server gives it: smallest and largest sample per column, per channel. */

export interface Peaks {
  channels: number;
  width: number;
  /** Channel after channel, each `width` pairs of smallest and largest, full scale 32768. */
  data: Int16Array;
}

/** Throws if the lengths do not fit together. */
export function decodePeaks(body: ArrayBuffer, channels: number, width: number): Peaks {
  if (body.byteLength !== channels * width * 4) {
    throw new Error(`peaks: ${body.byteLength} bytes are not ${channels} x ${width} pairs of int16`);
  }
  const view = new DataView(body);
  const data = new Int16Array(channels * width * 2);
  for (let i = 0; i < data.length; i++) data[i] = view.getInt16(i * 2, true);
  return { channels, width, data };
}

/** Fetches an outline of about `width` columns; the server may have fewer to give. */
export async function fetchPeaks(url: string, width: number, signal: AbortSignal): Promise<Peaks> {
  const asked = new URL(url, document.baseURI);
  asked.searchParams.set('width', String(width));
  const answer = await fetch(asked, { signal });
  if (!answer.ok) throw new Error(`peaks: ${answer.status}`);
  const body = await answer.arrayBuffer();
  const got = (name: string, otherwise: number) => Number(answer.headers.get(name) ?? otherwise);
  const columns = got('X-Ossicle-Width', width);
  return decodePeaks(body, got('X-Ossicle-Channels', body.byteLength / 4 / columns), columns);
}

/** Places at full scale as parts of the whole (0..1), neighbours joined. */
export function clippedSpans(peaks: Peaks): [from: number, to: number][] {
  const spans: [number, number][] = [];
  for (let x = 0; x < peaks.width; x++) {
    let hit = false;
    for (let c = 0; c < peaks.channels; c++) {
      const at = (c * peaks.width + x) * 2;
      if ((peaks.data[at] ?? 0) <= -32768 || (peaks.data[at + 1] ?? 0) >= 32767) hit = true;
    }
    if (!hit) continue;
    const last = spans.at(-1);
    if (last && last[1] >= x / peaks.width) last[1] = (x + 1) / peaks.width;
    else spans.push([x / peaks.width, (x + 1) / peaks.width]);
  }
  return spans;
}

/** Draws the part from..to (0..1) of an outline, one lane per channel, one column per device pixel. */
export function drawPeaks(peaks: Peaks, from: number, to: number, ctx: CanvasRenderingContext2D): void {
  const { width, height } = ctx.canvas;
  const lane = height / peaks.channels;
  for (let c = 0; c < peaks.channels; c++) {
    const middle = lane * (c + 0.5);
    const reach = lane * 0.46;
    for (let x = 0; x < width; x++) {
      const start = (from + ((to - from) * x) / width) * peaks.width;
      const end = (from + ((to - from) * (x + 1)) / width) * peaks.width;
      const first = Math.min(peaks.width - 1, Math.floor(start));
      const last = Math.max(first, Math.min(peaks.width - 1, Math.ceil(end) - 1));
      let low = 32767;
      let high = -32768;
      for (let i = first; i <= last; i++) {
        const at = (c * peaks.width + i) * 2;
        low = Math.min(low, peaks.data[at] ?? 0);
        high = Math.max(high, peaks.data[at + 1] ?? 0);
      }
      const top = middle - (high / 32768) * reach;
      const bottom = middle - (low / 32768) * reach;
      ctx.fillRect(x, top, 1, Math.max(1, bottom - top)); // silence is a line, not nothing
    }
  }
}
