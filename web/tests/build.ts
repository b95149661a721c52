/** Small makers of wire things for tests. */
import type { ListenerInfo, RunPatch, RunStateName } from '../src/wire/types';

export function run(request: number, state: RunStateName, more: Partial<RunPatch> = {}): RunPatch {
  return {
    kind: 'run',
    listener: 1,
    request,
    outputs: [4],
    state,
    rank: null,
    size: null,
    eta: null,
    progress: null,
    error: null,
    ...more,
  };
}

export function listener(more: Partial<ListenerInfo> = {}): ListenerInfo {
  return {
    id: 1,
    name: 'reverse',
    triggers: [[5, 'click']],
    inputs: [3],
    outputs: [4],
    show_progress: 'full',
    scroll_to_output: false,
    js: null,
    backend: true,
    alone: [],
    ...more,
  };
}

export const opening = (more: object = {}) =>
  JSON.stringify({
    type: 'open',
    session: 'abc',
    seq: 0,
    app: { title: 'T', nodes: [], layout: { id: 0 }, listeners: [] },
    ...more,
  });
