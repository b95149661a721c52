/** Runs a listener's own JavaScript with the values of its inputs and outputs. */
import type { Json } from '../wire/types';

export type Answer = { values: Json[] } | { error: string };

/**
 * `code` is an expression that gives a function, as written in the app. It gets the values of the inputs, then of the
 * outputs; a list it returns is the new values, anything else a single one.
 */
export async function runJs(code: string, values: Json[]): Promise<Answer> {
  try {
    // The app's author wrote this code for this page: it is as trusted as the page itself.
    const made: unknown = new Function(`"use strict"; return (${code}\n);`)();
    if (typeof made !== 'function') return { error: `${String(made).slice(0, 80)} is no function` };
    const result: unknown = await (made as (...args: Json[]) => unknown)(...values);
    if (result === undefined) return { values: [] };
    return { values: (Array.isArray(result) ? result : [result]) as Json[] };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}
