/** What live sound is doing, in figures, and whether it is well. Pure. */

/** Milliseconds for which trouble is remembered: red, then amber, then green again. */
export const RED = 2_000;
export const AMBER = 10_000;
/** Milliseconds from the microphone to the speaker that are felt, and in which nobody can talk any more. */
export const LATE = 150;
export const TOO_LATE = 1000;
/** Latencies that the middle and the worst are taken of: ten seconds of 20 ms each. */
const RECENT = 500;

export interface Figures {
  /** Milliseconds from the microphone to the speaker: the middle of the recent ones, and what 95 of 100 are below. */
  latency: number | null;
  late: number | null;
  /** Milliseconds that it may be; null is any. */
  budget: number | null;
  /** Milliseconds to the server and back. */
  trip: number | null;
  /** Milliseconds of a recording that wait for the line. */
  waiting: number | null;
  /** Milliseconds of sound that were left out: here, and on the way to the server. */
  skipped: number;
  dropped: number;
  /** Milliseconds of a recording that no function got, because the app is too slow. */
  missed: number;
  underruns: number;
  /** Milliseconds that wait to be heard, and that should. */
  fill: number | null;
  target: number | null;
}

export const none: Figures = {
  latency: null,
  late: null,
  budget: null,
  trip: null,
  waiting: null,
  skipped: 0,
  dropped: 0,
  missed: 0,
  underruns: 0,
  fill: null,
  target: null,
};

export type Health = 'good' | 'fair' | 'bad';

/** The newest of some measurements, and how they spread. */
export class Recent {
  private values: number[] = [];

  add(...values: number[]): void {
    this.values.push(...values);
    this.values = this.values.slice(-RECENT);
  }

  /** What so many of 100 are below. */
  percentile(percent: number): number | null {
    const sorted = [...this.values].sort((a, b) => a - b);
    return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))] ?? null;
  }
}

/** `trouble`: when sound was last lost, late or short, on the page's clock. */
export function health(figures: Figures, trouble: number, now: number, online: boolean): Health {
  if (!online || now - trouble < RED) return 'bad';
  if ((figures.latency ?? 0) > TOO_LATE) return 'bad';
  if (figures.budget !== null && (figures.latency ?? 0) > figures.budget) return 'bad';
  if (now - trouble < AMBER || (figures.latency ?? 0) > LATE) return 'fair';
  return 'good';
}

/** Whether something was lost between two reports. */
export function worse(before: Figures, now: Figures): boolean {
  return (['skipped', 'dropped', 'missed', 'underruns'] as const).some((name) => now[name] > before[name]);
}
