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
/** The one that was used last. */
let latest = 0;

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
  latest = key;
  shared.users += 1;
  void shared.context.resume();
  return shared;
}

/** The same, for sound of a rate that nobody knows yet: most likely that of the last, or the device's own. */
export function acquireLikely(): Clock {
  return acquire(latest || null);
}

/** Seconds by which a context may fall behind before it is said to have slept. */
const SLEPT = 0.5;

/**
 * Tells of each time that a context stood still, with its seconds: a tab that the browser put to sleep, a computer that was
 * closed. Call the result to hear no more of it.
 */
export function watch(context: AudioContext, slept: (seconds: number) => void): () => void {
  const behind = () => performance.now() / 1000 - context.currentTime;
  let before = Infinity; // until the first look: a context takes its time to get going
  const look = () => {
    if (context.state !== 'running') {
      // What the browser did on its own, without a gesture, it may be asked to undo.
      void context.resume();
      return;
    }
    const now = behind();
    if (now - before > SLEPT) slept(now - before);
    before = now;
  };
  const timer = setInterval(look, 250);
  return () => clearInterval(timer);
}

export function release(clock: Clock): void {
  const shared = clock as Shared;
  shared.users -= 1;
  if (shared.users === 0) void shared.context.suspend();
}
