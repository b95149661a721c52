/**
 * A recording on its way to the server: what was not sent, and what was sent and may not have come.
 *
 * A line that breaks swallows what was under way; with the next one it is sent again, and the server leaves out what it has.
 * What is more than is kept is dropped, oldest first; the index then jumps, and the server sees it.
 *
 * Pure: the socket's worker runs it.
 */
import { lengthOf, unstarted } from './frame';

/** Seconds that are kept, and bytes. */
export const KEEP = 10;
export const KEEP_BYTES = 1 << 20;

interface Kept {
  data: ArrayBuffer;
  frames: number;
  seconds: number;
  /** It went out, on this line or on one before. */
  sent: boolean;
}

export class Uplink {
  /** Sample frames that never were sent. */
  dropped = 0;
  /** Seconds of them. */
  droppedSeconds = 0;
  private kept: Kept[] = [];
  private seconds = 0;
  private bytes = 0;
  /** So many of what is kept went out on this line, and so many had when it was marked. */
  private out = 0;
  private marked = 0;

  push(data: ArrayBuffer): void {
    const { frames, rate } = lengthOf(data);
    const seconds = frames / rate;
    this.kept.push({ data, frames, seconds, sent: false });
    this.seconds += seconds;
    this.bytes += data.byteLength;
    // A hair of tolerance: fifty times 20 ms are a second.
    while ((this.seconds > KEEP + 1e-6 || this.bytes > KEEP_BYTES) && this.kept.length > 1) {
      const oldest = this.shift();
      if (!oldest || oldest.sent) continue;
      this.dropped += oldest.frames;
      this.droppedSeconds += oldest.seconds;
    }
  }

  /** What is to be sent next, until nothing is. */
  next(): ArrayBuffer | null {
    const found = this.kept[this.out];
    if (!found) return null;
    found.sent = true;
    this.out += 1;
    return found.data;
  }

  /** Seconds that were not sent, on this line. */
  get waiting(): number {
    let seconds = 0;
    for (let i = this.out; i < this.kept.length; i++) seconds += this.kept[i]?.seconds ?? 0;
    return seconds;
  }

  /** All that went out on this line came. */
  get clear(): boolean {
    return this.out === 0;
  }

  /** All was sent. */
  get idle(): boolean {
    return this.out === this.kept.length;
  }

  /** A question goes out behind all that was sent so far; call `came` when it is answered. */
  mark(): void {
    this.marked = this.out;
  }

  came(): void {
    while (this.marked > 0) this.shift();
  }

  /** A new line: what did not come goes out again. Only a frame that never left begins the recording. */
  rewind(): void {
    for (const each of this.kept) if (each.sent) unstarted(each.data);
    this.out = this.marked = 0;
  }

  private shift(): Kept | undefined {
    const oldest = this.kept.shift();
    if (!oldest) return undefined;
    this.seconds -= oldest.seconds;
    this.bytes -= oldest.data.byteLength;
    this.out = Math.max(0, this.out - 1);
    this.marked = Math.max(0, this.marked - 1);
    return oldest;
  }
}
