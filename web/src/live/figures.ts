/** What live sound is doing, in figures, and whether it is well. Pure. */

/** Milliseconds for which trouble is remembered: red, then amber, then green again. */
export const RED = 2_000;
export const AMBER = 10_000;
/** Milliseconds from the microphone to the speaker that are felt. */
export const LATE = 150;
/** Latencies that a median is taken of. */
const RECENT = 101;

export interface Figures {
  /** Milliseconds from the microphone to the speaker, in the middle and at worst of the recent ones; null is not known. */
  latency: number | null;
  worst: number | null;
  /** Milliseconds that it may be; null is any. */
  budget: number | null;
  /** Milliseconds to the server and back. */
  trip: number | null;
  /** Milliseconds of sound that were left out: here, and on the way to the server. */
  skipped: number;
  dropped: number;
  underruns: number;
  /** Milliseconds that wait to be heard, and that should. */
  fill: number | null;
  target: number | null;
}

export const none: Figures = {
  latency: null,
  worst: null,
  budget: null,
  trip: null,
  skipped: 0,
  dropped: 0,
  underruns: 0,
  fill: null,
  target: null,
};

export type Health = 'good' | 'fair' | 'bad';

/** The newest of some measurements, and their middle. */
export class Recent {
  private values: number[] = [];

  add(...values: number[]): void {
    this.values.push(...values);
    this.values = this.values.slice(-RECENT);
  }

  get median(): number | null {
    const sorted = [...this.values].sort((a, b) => a - b);
    return sorted[Math.floor(sorted.length / 2)] ?? null;
  }

  get worst(): number | null {
    return this.values.length ? Math.max(...this.values) : null;
  }
}

/** `trouble`: when sound was last lost, late or short, on the page's clock. */
export function health(figures: Figures, trouble: number, now: number, online: boolean): Health {
  if (!online || now - trouble < RED) return 'bad';
  if (figures.budget !== null && (figures.latency ?? 0) > figures.budget) return 'bad';
  if (now - trouble < AMBER || (figures.latency ?? 0) > LATE) return 'fair';
  return 'good';
}

/** Whether something was lost between two reports. */
export function worse(before: Figures, now: Figures): boolean {
  return now.skipped > before.skipped || now.dropped > before.dropped || now.underruns > before.underruns;
}
