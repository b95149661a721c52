import { cleanup, render, screen, waitFor } from '@testing-library/svelte';
import { Subject } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Subscription } from 'rxjs';
import { Page } from '../src/state/page.svelte';
import type { SocketEvent } from '../src/wire/link';
import Harness from './Harness.svelte';

let socket: Subject<SocketEvent>;
let sent: { type: string; [key: string]: unknown }[];
let page: Page;
let life: Subscription;

const say = (message: object) => socket.next({ kind: 'text', data: JSON.stringify(message) });
let seq = 0;
const patch = (...patches: object[]) => say({ type: 'patches', seq: ++seq, patches });

beforeEach(() => {
  socket = new Subject();
  sent = [];
  seq = 0;
  page = new Page(() => socket);
  life = page.start();
  const send = (text: string) => {
    // Numbers are the link's own business, see link.test.ts.
    const { n: _, ...said } = JSON.parse(text) as { type: string; n: number };
    sent.push(said);
  };
  socket.next({ kind: 'up', send });
  say({
    type: 'open',
    session: 's',
    seq: 0,
    app: {
      title: 'T',
      nodes: [
        { id: 1, type: 'textbox', props: { label: 'Name', value: 'a', interactive: true }, ports: ['submit'] },
        { id: 2, type: 'textbox', props: { label: 'Out', value: '', interactive: false } },
        { id: 3, type: 'button', props: { value: 'Go' }, ports: ['click'] },
        { id: 4, type: 'hologram', props: {} },
        { id: 5, type: 'number', props: { label: 'Count', value: 3, minimum: 0, maximum: 9, interactive: true } },
        { id: 6, type: 'state', props: {} },
        { id: 7, type: 'part', props: {}, ports: ['load'] },
      ],
      layout: { id: 0, children: [1, 2, 3, 4, 5, 6, 7].map((id) => ({ id })) },
      listeners: [
        { id: 1, name: 'greet', triggers: [[3, 'click']], inputs: [1], outputs: [2], show_progress: 'full' },
        { id: 2, name: 'shout', triggers: [], inputs: [1], outputs: [2], js: '(a, b) => [a.toUpperCase() + b]', backend: false },
      ],
    },
  });
  render(Harness, { props: { page } });
});

afterEach(() => {
  life.unsubscribe();
  cleanup();
});

function type(box: HTMLInputElement, value: string) {
  box.value = value;
  box.dispatchEvent(new Event('input', { bubbles: true }));
}

describe('the page', () => {
  it('tells what is typed, and what Enter does', () => {
    const box = screen.getByLabelText<HTMLInputElement>('Name');
    type(box, 'ab');
    box.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true }));
    expect(sent).toEqual([
      { type: 'act', node: 1, act: 'input', value: 'ab' },
      { type: 'act', node: 1, act: 'submit' },
    ]);
  });

  it('runs js without a function by itself, and tells what it set', async () => {
    const listeners = new Map(page.listeners);
    const shout = listeners.get(2);
    if (!shout) throw new Error('there is no listener 2');
    listeners.set(2, { ...shout, alone: [[3, 'click', false], [1, 'input', true]] });
    page.listeners = listeners;
    screen.getByText('Go').click();
    await waitFor(() => expect(page.node(2)?.value).toBe('A'));
    expect(sent).toEqual([
      { type: 'act', node: 3, act: 'click' },
      { type: 'act', node: 2, act: 'js', value: 'A' },
    ]);
    const name = page.node(1);
    if (!name) throw new Error('there is no node 1');
    page.input(name, 'a'); // what stands there
    page.input(name, 'b');
    await waitFor(() => expect(page.node(2)?.value).toBe('BA'));
    expect(sent.filter((each) => each.act === 'js')).toHaveLength(2);
  });

  it('keeps what the user typed before an answer that is older came', () => {
    const shown = () => page.node(1)?.value;
    const set = (value: string, extra: object = {}) =>
      say({ type: 'patches', seq: ++seq, patches: [{ kind: 'set', node: 1, props: { value, label: value } }], ...extra });
    type(screen.getByLabelText<HTMLInputElement>('Name'), 'mine');
    set('OLD');
    expect([shown(), page.node(1)?.props.label]).toEqual(['mine', 'OLD']);
    set('NEW', { got: 1 });
    expect(shown()).toBe('NEW');
  });

  describe('while a file is on its way', () => {
    const clicks = () => sent.filter((each) => each.act === 'click').length;
    const node = (id: number) => {
      const found = page.node(id);
      if (!found) throw new Error(`there is no node ${id}`);
      return found;
    };

    it('what takes it waits until it was told, and nothing else does', () => {
      const settle = page.expect(node(1));
      page.act(node(3), 'click');
      page.input(node(5), 4);
      expect(sent.map((each) => each.act)).toEqual(['input']);
      page.act(node(1), 'upload', { value: { clip: 'h' } });
      settle(true);
      expect(sent.map((each) => each.act)).toEqual(['input', 'upload', 'click']);
      settle(false);
      page.act(node(3), 'click');
      expect(clicks()).toBe(2);
    });

    it('what was asked with it is not done when it does not come', () => {
      const settle = page.expect(node(1));
      page.act(node(3), 'click');
      settle(false);
      expect(clicks()).toBe(0);
      page.act(node(3), 'click');
      expect(clicks()).toBe(1);
    });

    it('the last of several lets it go', () => {
      const first = page.expect(node(1));
      const second = page.expect(node(1));
      page.act(node(3), 'click');
      first(true);
      expect(clicks()).toBe(0);
      second(true);
      expect(clicks()).toBe(1);
    });
  });

  it('keeps cheap acts to itself that nobody listens to', () => {
    screen.getByLabelText('Name').dispatchEvent(new FocusEvent('focus'));
    expect(sent).toEqual([]);
  });

  it('shows what the server sets', async () => {
    patch({ kind: 'set', node: 2, props: { value: 'hello', label: 'Answer' } });
    await waitFor(() => expect(screen.getByLabelText<HTMLInputElement>('Answer').value).toBe('hello'));
  });

  it('shows the line, and cancels from there', async () => {
    patch({ kind: 'run', listener: 1, request: 9, outputs: [2], state: 'queued', rank: 1, size: 4, eta: 8 });
    await waitFor(() => expect(screen.getAllByText('2 of 4 in line, about 8 s').length).toBeGreaterThan(0));
    screen.getByRole('button', { name: 'Cancel greet' }).click();
    expect(sent).toContainEqual({ type: 'cancel', request: 9 });
    await waitFor(() => expect(screen.getAllByText('Stopping…').length).toBeGreaterThan(0));
  });

  it('shows progress with its words', async () => {
    patch({
      kind: 'run', listener: 1, request: 9, outputs: [2], state: 'progress',
      progress: [{ desc: 'Reading', value: 3, total: 10, unit: 'steps' }],
    });
    const bar = await screen.findByRole<HTMLProgressElement>('progressbar', { name: 'Reading' });
    expect(bar.value).toBeCloseTo(0.3);
    expect(screen.getByText('3 / 10 steps')).toBeTruthy();
  });

  it('shows an error where it belongs until it is dismissed', async () => {
    patch({
      kind: 'run', listener: 1, request: 9, outputs: [2], state: 'failed',
      error: { title: 'Error', message: 'Too short', duration: 10 },
    });
    const alert = await screen.findByRole('alert');
    expect(alert.textContent).toContain('Too short');
    expect(page.toasts.list).toEqual([]);
    screen.getByRole('button', { name: 'Dismiss' }).click();
    await waitFor(() => expect(screen.queryByRole('alert')).toBeNull());
  });

  describe('parts that are made anew', () => {
    const made = (extra: object) => ({
      kind: 'part', node: 7, nodes: [], layout: { id: 7 }, listeners: [], gone: [], silent: [], outer: [], ...extra,
    });
    const field = (id: number, value: string) => ({
      id, type: 'textbox', props: { label: `Track ${id}`, value, interactive: true }, ports: ['change'],
    });
    const first = made({
      nodes: [field(10, 'ten'), field(11, 'eleven')],
      layout: { id: 7, children: [{ id: 10 }, { id: 11 }] },
      listeners: [{ id: 12, name: 'inner', triggers: [[10, 'change']], inputs: [10], outputs: [11] }],
      outer: [{ id: 1, ports: ['submit', 'focus'], interactive: false }],
    });

    it('shows what stands there, and tells its acts', async () => {
      patch(first);
      const box = await screen.findByLabelText<HTMLInputElement>('Track 10');
      type(box, 'new');
      expect(sent).toContainEqual({ type: 'act', node: 10, act: 'input', value: 'new' });
      expect(page.listeners.get(12)?.name).toBe('inner');
      await waitFor(() => expect(screen.getByLabelText<HTMLInputElement>('Name').disabled || screen.getByLabelText<HTMLInputElement>('Name').readOnly).toBe(true));
      screen.getByLabelText('Name').dispatchEvent(new FocusEvent('focus'));
      expect(sent).toContainEqual({ type: 'act', node: 1, act: 'focus' });
    });

    it('keeps the element and the text of what is made again, and forgets the rest', async () => {
      patch(first);
      const box = await screen.findByLabelText<HTMLInputElement>('Track 10');
      type(box, 'typed meanwhile');
      patch({ kind: 'run', listener: 12, request: 9, outputs: [11], state: 'started' });
      patch(
        made({
          nodes: [field(10, 'ten'), field(13, 'thirteen')],
          layout: { id: 7, children: [{ id: 13 }, { id: 10 }] },
          gone: [11],
          silent: [12],
        }),
      );
      await screen.findByLabelText('Track 13');
      expect(screen.getByLabelText<HTMLInputElement>('Track 10')).toBe(box);
      expect(box.value).toBe('typed meanwhile');
      expect(screen.queryByLabelText('Track 11')).toBeNull();
      expect(page.node(11)).toBeUndefined();
      expect(page.listeners.has(12)).toBe(false);
      expect(page.working()).toEqual([]);
    });

    it('makes a toast of the error of the function that makes one', () => {
      patch({ kind: 'run', listener: 1, request: 9, outputs: [7], state: 'failed', error: { title: 'Oh', message: 'no', duration: 5 } });
      expect(page.toasts.list).toMatchObject([{ level: 'error', message: 'no' }]);
    });
  });

  it('makes a toast of an error that has no component', () => {
    patch({ kind: 'run', listener: 1, request: 9, outputs: [], state: 'failed', error: { title: 'Oh', message: null, duration: 5 } });
    expect(page.toasts.list).toMatchObject([{ level: 'error', title: 'Oh', duration: 5 }]);
  });

  it('names a component that it does not have', () => {
    expect(screen.getByText(/hologram/)).toBeTruthy();
  });

  it('says a number out of range instead of sending it', async () => {
    const box = screen.getByLabelText<HTMLInputElement>('Count');
    type(box, '12');
    await screen.findByText('Between 0 and 9');
    expect(sent).toEqual([]);
    type(box, '7');
    expect(sent).toEqual([{ type: 'act', node: 5, act: 'input', value: 7 }]);
  });

  it('answers code with the values of inputs and outputs', async () => {
    patch({ kind: 'set', node: 2, props: { value: '!' } }, { kind: 'js', listener: 2, request: 4 });
    await waitFor(() => expect(sent).toContainEqual({ type: 'js', request: 4, values: ['A!'] }));
  });

  it('acknowledges the last of what it has shown', async () => {
    patch();
    patch();
    patch();
    await waitFor(() => expect(sent).toEqual([{ type: 'ack', seq: 3 }]));
  });

  it('tells of a refusal in a toast', () => {
    say({ type: 'refused', message: 'node 9 does not exist' });
    expect(page.toasts.list).toMatchObject([{ message: 'node 9 does not exist' }]);
  });

  it('has nothing running once the session is gone', () => {
    patch({ kind: 'run', listener: 1, request: 9, outputs: [2], state: 'started' });
    say({ type: 'gone' });
    expect(page.connection.kind).toBe('gone');
    expect(page.working()).toEqual([]);
  });
});
