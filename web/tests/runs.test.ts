import { describe, expect, it } from 'vitest';
import { afterCancel, afterDismiss, afterRun, afterValue, display, fraction, noRuns, running, type Runs } from '../src/state/runs';
import type { ListenerInfo, RunPatch } from '../src/wire/types';
import { listener, run } from './build';

const listeners = (...all: ListenerInfo[]) => new Map(all.map((l) => [l.id, l]));
const after = (patches: RunPatch[], from: Runs = noRuns) =>
  patches.reduce((runs, patch, i) => afterRun(runs, patch, i * 1000), from);
const one = listeners(listener());

describe('what an output shows', () => {
  it('is its place in the line, then the work, then nothing', () => {
    const queued = after([run(7, 'queued', { rank: 1, size: 3, eta: 12 })]);
    expect(display(queued, one, 4)).toMatchObject({ kind: 'queued', mode: 'full', run: { rank: 1, size: 3, eta: 12 } });
    const started = after([run(7, 'started')], queued);
    expect(display(started, one, 4)).toMatchObject({ kind: 'running', mode: 'full' });
    expect(display(after([run(7, 'succeeded')], started), one, 4)).toEqual({ kind: 'none' });
  });

  it('is nothing on other components', () => {
    expect(display(after([run(7, 'started')]), one, 9)).toEqual({ kind: 'none' });
  });

  it('is nothing while a hidden listener works, but its error is told', () => {
    const hidden = listeners(listener({ show_progress: 'hidden' }));
    expect(display(after([run(7, 'started')]), hidden, 4)).toEqual({ kind: 'none' });
    const failed = after([run(7, 'failed', { error: { title: 'Error', message: 'no', duration: 10, visible: true } })]);
    expect(display(failed, hidden, 4)).toMatchObject({ kind: 'failed', run: { error: { message: 'no' } } });
  });

  it('does not cover a result that a generator has shown', () => {
    const runs = after([run(7, 'started'), run(7, 'yielded'), run(7, 'progress', { progress: [] })]);
    expect(display(runs, one, 4)).toMatchObject({ kind: 'running', mode: 'minimal' });
  });

  it('does not cover a value that came while the work goes on', () => {
    expect(display(afterValue(after([run(7, 'started')]), 4), one, 4)).toMatchObject({ kind: 'running', mode: 'minimal' });
    expect(display(afterValue(after([run(7, 'started')]), 9), one, 4)).toMatchObject({ mode: 'full' });
    expect(display(afterValue(after([run(7, 'queued')]), 4), one, 4)).toMatchObject({ kind: 'queued', mode: 'full' });
  });

  it('is the newest running request, before any that waits', () => {
    const runs = after([run(7, 'started'), run(8, 'started'), run(9, 'queued')]);
    expect(display(runs, one, 4)).toMatchObject({ kind: 'running', run: { request: 8 }, others: 2 });
  });

  it('keeps progress until the next report, and the time since the work began', () => {
    const step = { desc: 'a', value: 1, total: 4, unit: 'steps' };
    const runs = after([run(7, 'started'), run(7, 'progress', { progress: [step] }), run(7, 'yielded')]);
    expect(runs.get(7)).toMatchObject({ progress: [step], since: 0 });
  });
});

describe('the end of a run', () => {
  const failed = after([run(7, 'started'), run(7, 'failed', { error: { title: 'Error', message: 'too short', duration: 10, visible: true } })]);

  it('leaves an error until something new happens to that output', () => {
    expect(display(failed, one, 4)).toMatchObject({ kind: 'failed' });
    expect(display(after([run(8, 'queued')], failed), one, 4)).toMatchObject({ kind: 'queued' });
    expect(display(after([run(8, 'queued'), run(8, 'succeeded')], failed), one, 4)).toEqual({ kind: 'none' });
  });

  it('leaves an error when something happens elsewhere', () => {
    expect(display(after([run(8, 'started', { outputs: [9] })], failed), one, 4)).toMatchObject({ kind: 'failed' });
  });

  it('lets an error be dismissed, and work not', () => {
    expect(display(afterDismiss(failed, 4), one, 4)).toEqual({ kind: 'none' });
    expect(display(afterDismiss(after([run(7, 'started')]), 4), one, 4)).toMatchObject({ kind: 'running' });
  });

  it('says nothing of an error that is not to be seen', () => {
    const quiet = after([run(7, 'failed', { error: { title: '', message: null, duration: null, visible: false } })]);
    expect(display(quiet, one, 4)).toEqual({ kind: 'none' });
  });

  it('is a word where somebody cancelled, and only there', () => {
    const asked = afterCancel(after([run(7, 'started')]), 7);
    expect(display(asked, one, 4)).toMatchObject({ kind: 'running', run: { cancelling: true } });
    expect(display(after([run(7, 'cancelled')], asked), one, 4)).toMatchObject({ kind: 'stopped' });
    expect(display(after([run(7, 'started'), run(7, 'cancelled')]), one, 4)).toEqual({ kind: 'none' });
  });

  it('is none for a dropped request', () => {
    expect(after([run(7, 'dropped')]).size).toBe(0);
  });
});

it('counts as running what waits and what works, not what has ended', () => {
  const runs = after([run(6, 'failed', { outputs: [1] }), run(7, 'queued', { outputs: [2] }), run(8, 'started', { outputs: [3] })]);
  expect(running(runs).map((r) => r.request)).toEqual([7, 8]);
});

it('knows a fraction only where there is an end', () => {
  const step = { desc: null, unit: null };
  expect(fraction({ ...step, value: 3, total: 10 })).toBeCloseTo(0.3);
  expect(fraction({ ...step, value: 12, total: 10 })).toBe(1);
  expect(fraction({ ...step, value: 3, total: null })).toBeNull();
  expect(fraction({ ...step, value: null, total: 10 })).toBeNull();
});
