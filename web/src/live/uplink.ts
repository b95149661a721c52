/**
 * The last second of a recording on its way to the server.
 *
 * What was sent is kept as well as what was not: a line that breaks swallows what was under way, and after a reconnect
 * the server leaves out what it has. What is older than a second is dropped; the index then jumps, and the server sees it.
 *
 * Pure: the socket's worker runs it.
 */
import { lengthOf, unstarted } from './frame';

/** Seconds that are kept. */
export const KEEP = 1;

interface Kept {
  data: ArrayBuffer;
  frames: number;
  seconds: number;
  sent: boolean;
}

export class Uplink {
  /** Sample frames that never were sent. */
  dropped = 0;
  /** Seconds of them. */
  droppedSeconds = 0;
  private kept: Kept[] = [];
  private seconds = 0;

  push(data: ArrayBuffer): void {
    const { frames, rate } = lengthOf(data);
    const seconds = frames / rate;
    this.kept.push({ data, frames, seconds, sent: false });
    this.seconds += seconds;
    // A hair of tolerance: fifty times 20 ms are a second.
    while (this.seconds > KEEP + 1e-6 && this.kept.length > 1) {
      const oldest = this.kept.shift();
      if (!oldest) return;
      this.seconds -= oldest.seconds;
      if (oldest.sent) continue;
      this.dropped += oldest.frames;
      this.droppedSeconds += oldest.seconds;
    }
  }

  /** What is to be sent next, until nothing is. */
  next(): ArrayBuffer | null {
    const found = this.kept.find((each) => !each.sent);
    if (!found) return null;
    found.sent = true;
    return found.data;
  }

  /** All was sent. */
  get idle(): boolean {
    return this.kept.every((each) => each.sent);
  }

  /** A new line: what is kept goes out again. Only a frame that never left begins the recording. */
  rewind(): void {
    for (const each of this.kept) {
      if (each.sent) unstarted(each.data);
      each.sent = false;
    }
  }
}
