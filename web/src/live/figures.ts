/** What live sound is doing, in figures, and whether it is well. Pure. */

/** Milliseconds within which trouble is one event, for which one is shown, and within which several belong together. */
export const EVENT = 1_000;
export const SINGLE = 3_000;
export const TOGETHER = 10_000;
/** So many are no accident any more: red for as long as they go on. */
export const OFTEN = 3;
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
  /** Milliseconds to the server and back; so far, while nothing comes back. */
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

/** The events of trouble, by when they were on the page's clock, after something went wrong now. */
export function troubled(events: readonly number[], now: number): readonly number[] {
  const last = events.at(-1) ?? -Infinity;
  return now - last < EVENT ? events : [...events.filter((at) => now - at < TOGETHER), now];
}

/**
 * A hiccup is an event: amber for a moment, and counted. Red is what goes on: again and again without sound, or too late.
 * `troubles`: when sound was lost, late or short; see `troubled`.
 */
export function health(figures: Figures, troubles: readonly number[], now: number, online: boolean): Health {
  const ago = now - (troubles.at(-1) ?? -Infinity);
  const often = troubles.filter((at) => now - at < TOGETHER).length >= OFTEN;
  if (!online || (often && ago < SINGLE)) return 'bad';
  if (Math.max(figures.latency ?? 0, figures.trip ?? 0) > TOO_LATE) return 'bad';
  if (figures.budget !== null && (figures.latency ?? 0) > figures.budget) return 'bad';
  if (often || ago < SINGLE || (figures.latency ?? 0) > LATE) return 'fair';
  return 'good';
}

/** Whether something was lost between two reports. */
export function worse(before: Figures, now: Figures): boolean {
  return (['skipped', 'dropped', 'missed', 'underruns'] as const).some((name) => now[name] > before[name]);
}
