/** Where a time ruler puts its marks. */
import { clock } from './format';

const STEPS = [
  0.00001, 0.00002, 0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200,
  14400,
];

export interface Tick {
  /** Part of the view, 0..1. */
  at: number;
  text: string;
}

/** Round times between start and end (seconds), at most about `most` of them. */
export function ticks(start: number, end: number, most: number): Tick[] {
  const length = end - start;
  if (!(length > 0) || most < 1) return [];
  const step = STEPS.find((s) => length / s <= most) ?? length;
  const decimals = step >= 1 ? 0 : Math.ceil(-Math.log10(step) - 1e-9);
  const made: Tick[] = [];
  for (let i = Math.ceil(start / step - 1e-9); i * step <= end + 1e-9; i++) {
    made.push({ at: (i * step - start) / length, text: clock(i * step, decimals) });
  }
  return made;
}
