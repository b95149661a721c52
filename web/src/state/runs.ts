/**
 * What runs, and what an output shows of it. Pure: patches in, a picture out.
 *
 * The law of this file: an output says that something runs if and only if the server said so last.
 */
import type { ListenerInfo, ProgressStep, RunError, RunPatch, ShowProgress } from '../wire/types';

export interface Run {
  request: number;
  listener: number;
  outputs: number[];
  phase: 'queued' | 'running' | 'failed' | 'stopped';
  /** Whether a result has been shown already: then nothing may cover it. */
  yielded: boolean;
  rank: number | null;
  size: number | null;
  eta: number | null;
  progress: ProgressStep[];
  error: RunError | null;
  /** Somebody pressed cancel, and the server has not ended the run yet. */
  cancelling: boolean;
  /** Milliseconds on the page's clock: when this phase began. */
  since: number;
}

export type Runs = ReadonlyMap<number, Run>;

export const noRuns: Runs = new Map();

const alive = (run: Run) => run.phase === 'queued' || run.phase === 'running';

/** The runs after one more report, at page time `now` (milliseconds). */
export function afterRun(runs: Runs, patch: RunPatch, now: number): Runs {
  const next = new Map(runs);
  const old = runs.get(patch.request);
  switch (patch.state) {
    case 'succeeded':
    case 'dropped':
    case 'merged':
      next.delete(patch.request);
      return next;
    case 'cancelled':
      // Only what a person stopped leaves a word behind; a restart's predecessor just goes.
      if (old?.cancelling) next.set(patch.request, { ...old, phase: 'stopped', since: now });
      else next.delete(patch.request);
      return next;
  }
  if (patch.state === 'failed' && patch.error && !patch.error.visible) {
    next.delete(patch.request);
    return next;
  }
  const phase =
    patch.state === 'queued'
      ? 'queued'
      : patch.state === 'failed' || patch.state === 'rejected'
        ? 'failed'
        : 'running';
  // Anything new on an output takes away the word that an ended run left there.
  for (const [request, run] of runs) {
    if (!alive(run) && run.outputs.some((id) => patch.outputs.includes(id))) next.delete(request);
  }
  next.set(patch.request, {
    request: patch.request,
    listener: patch.listener,
    outputs: patch.outputs,
    phase,
    yielded: old?.yielded === true || patch.state === 'yielded',
    rank: patch.rank,
    size: patch.size,
    eta: patch.eta,
    progress: patch.progress ?? (phase === 'running' ? (old?.progress ?? []) : []),
    error: phase === 'failed' ? patch.error : null,
    cancelling: phase === 'failed' ? false : (old?.cancelling ?? false),
    since: old?.phase === phase ? old.since : now,
  });
  return next;
}

/** A value came for an output while its call goes on: a step of it, which nothing may cover. */
export function afterValue(runs: Runs, node: number): Runs {
  const shown = [...runs.values()].filter((run) => run.phase === 'running' && !run.yielded && run.outputs.includes(node));
  if (!shown.length) return runs;
  const next = new Map(runs);
  for (const run of shown) next.set(run.request, { ...run, yielded: true });
  return next;
}

/** Somebody asked to cancel: said at once, while the end is the server's to tell. */
export function afterCancel(runs: Runs, request: number): Runs {
  const run = runs.get(request);
  if (!run || !alive(run)) return runs;
  return new Map(runs).set(request, { ...run, cancelling: true });
}

/** Without the words that ended runs left on this output. */
export function afterDismiss(runs: Runs, node: number): Runs {
  return new Map([...runs].filter(([, run]) => alive(run) || !run.outputs.includes(node)));
}

export function running(runs: Runs): Run[] {
  return [...runs.values()].filter(alive);
}

export type Display =
  | { kind: 'none' }
  | { kind: 'queued' | 'running'; mode: Exclude<ShowProgress, 'hidden'>; run: Run; others: number }
  | { kind: 'failed'; run: Run }
  | { kind: 'stopped'; run: Run };

/** What one output shows: the newest running request, else the newest waiting, else the last word. */
export function display(
  runs: Runs,
  listeners: ReadonlyMap<number, ListenerInfo>,
  node: number,
): Display {
  const here = [...runs.values()].filter((run) => run.outputs.includes(node));
  const shown = here.filter(
    (run) => alive(run) && (listeners.get(run.listener)?.show_progress ?? 'full') !== 'hidden',
  );
  const newest = (phase: Run['phase'], among: Run[]) =>
    among.filter((run) => run.phase === phase).reduce<Run | null>(
      (a, b) => (a === null || b.request > a.request ? b : a),
      null,
    );
  const run = newest('running', shown) ?? newest('queued', shown);
  if (run) {
    const asked = listeners.get(run.listener)?.show_progress ?? 'full';
    return {
      kind: run.phase === 'queued' ? 'queued' : 'running',
      mode: asked === 'minimal' || run.yielded ? 'minimal' : 'full',
      run,
      others: shown.length - 1,
    };
  }
  const failed = newest('failed', here);
  if (failed) return { kind: 'failed', run: failed };
  const stopped = newest('stopped', here);
  return stopped ? { kind: 'stopped', run: stopped } : { kind: 'none' };
}

/** Part done of one step in 0..1, or null when the end is not known. */
export function fraction(step: ProgressStep): number | null {
  if (step.value === null || step.total === null || step.total <= 0) return null;
  return Math.min(1, Math.max(0, step.value / step.total));
}
