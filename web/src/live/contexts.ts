/**
 * Audio contexts by rate, shared by all live sound of the page: with one clock for microphone and speaker the way between
 * them is known to the sample. One that nobody uses is suspended, and costs nothing.
 */

export interface Clock {
  context: AudioContext;
  /** Milliseconds to add to the context's time for the page's clock; the same for all who share it. */
  origin: number;
}

interface Shared extends Clock {
  users: number;
}

const contexts = new Map<number, Shared>();

/** A running context of this rate (hertz; null is the device's own), until it is released. */
export function acquire(rate: number | null): Clock {
  const key = rate ?? 0;
  let shared = contexts.get(key);
  if (!shared) {
    const context = new AudioContext({ latencyHint: 'interactive', ...(rate ? { sampleRate: rate } : {}) });
    shared = { context, origin: performance.now() - context.currentTime * 1000, users: 0 };
    contexts.set(key, shared);
    // The device's own rate is a rate like another, once it is known.
    contexts.set(context.sampleRate, contexts.get(context.sampleRate) ?? shared);
  }
  shared.users += 1;
  void shared.context.resume();
  return shared;
}

export function release(clock: Clock): void {
  const shared = clock as Shared;
  shared.users -= 1;
  if (shared.users === 0) void shared.context.suspend();
}
