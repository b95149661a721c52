import { describe, expect, it } from 'vitest';
import { decode, decodeClip, WireError } from '../src/wire/decode';
import { opening } from './build';

describe('decode', () => {
  it('reads an app with nodes, layout and listeners', () => {
    const message = decode(
      JSON.stringify({
        type: 'open',
        session: 's',
        seq: 3,
        app: {
          title: 'App',
          nodes: [{ id: 3, type: 'audio', props: { label: 'In', value: null }, ports: ['change'] }],
          layout: { id: 0, children: [{ id: 3 }] },
          listeners: [
            { id: 1, name: 'f', triggers: [[5, 'click']], inputs: [3], outputs: [4], show_progress: 'minimal' },
          ],
        },
      }),
    );
    if (message.type !== 'open') throw new Error('not an open');
    expect(message.app.nodes[0]).toEqual({ id: 3, type: 'audio', props: { label: 'In', value: null }, ports: ['change'] });
    expect(message.app.layout.children[0]).toEqual({ id: 3, children: [] });
    expect(message.app.listeners[0]).toMatchObject({ triggers: [[5, 'click']], js: null, backend: true, show_progress: 'minimal' });
  });

  it('fills what a run does not say with null', () => {
    const message = decode(
      JSON.stringify({ type: 'patches', seq: 1, patches: [{ kind: 'run', listener: 1, request: 7, outputs: [4], state: 'started' }] }),
    );
    expect(message).toEqual({
      type: 'patches',
      seq: 1,
      got: null,
      patches: [
        { kind: 'run', listener: 1, request: 7, outputs: [4], state: 'started', rank: null, size: null, eta: null, progress: null, error: null },
      ],
    });
  });

  it('takes an error as visible unless it says otherwise', () => {
    const seen = (error: object) => {
      const m = decode(
        JSON.stringify({ type: 'patches', seq: 1, patches: [{ kind: 'run', listener: 1, request: 7, outputs: [], state: 'failed', error }] }),
      );
      const patch = m.type === 'patches' ? m.patches[0] : undefined;
      return patch?.kind === 'run' ? patch.error?.visible : undefined;
    };
    expect(seen({ title: 'Error', message: null, duration: 10 })).toBe(true);
    expect(seen({ title: 'Error', message: null, duration: 10, visible: false })).toBe(false);
  });

  it.each([
    ['{', 'not JSON'],
    ['[]', 'message: expected an object'],
    ['{"type":"hello"}', 'message.type: expected one of'],
    ['{"type":"open","seq":0}', 'open.session: expected text'],
    ['{"type":"patches","seq":1,"patches":[{"kind":"set","node":"3","props":{}}]}', 'patches[0].node: expected a number'],
    ['{"type":"patches","seq":1,"patches":[{"kind":"run","listener":1,"request":2,"state":"flying"}]}', 'patches[0].state: expected one of queued'],
  ])('names the place where %s is wrong', (frame, words) => {
    expect(() => decode(frame)).toThrow(WireError);
    expect(() => decode(frame)).toThrow(words);
  });

  it('accepts the shortest app', () => {
    expect(decode(opening())).toMatchObject({ type: 'open', app: { description: null, css: null, theme: {} } });
  });
});

describe('decodeClip', () => {
  it('takes null for no sound', () => {
    expect(decodeClip(null)).toBeNull();
  });

  it('refuses what is not a sound', () => {
    expect(() => decodeClip({ clip: 'h' })).toThrow('clip.name: expected text');
    expect(() => decodeClip('a.wav')).toThrow('clip: expected an object');
  });
});
