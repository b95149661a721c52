/** Which Svelte component draws which type of node. What is heavy or rare comes as a chunk of its own. */
import type { Component, Snippet } from 'svelte';
import type { NodeState } from '../state/node.svelte';
import type { LayoutNode } from '../wire/types';
import Button from './Button.svelte';
import Column from './Column.svelte';
import Dropdown from './Dropdown.svelte';
import Group from './Group.svelte';
import Label from './Label.svelte';
import NumberBox from './NumberBox.svelte';
import Row from './Row.svelte';
import Slider from './Slider.svelte';
import Textbox from './Textbox.svelte';

export interface Drawn {
  node: NodeState;
  /** The node's place in the layout, for those that hold others. */
  item: LayoutNode;
  children: Snippet;
}

type Drawer = Component<Drawn>;

export type Entry = { draws: boolean; inline: boolean } & (
  | { kind: 'here'; component: Drawer }
  | { kind: 'later'; load: () => Promise<Drawer> }
  | { kind: 'unknown' }
);

const here = (component: Drawer, inline = false): Entry => ({ kind: 'here', draws: true, inline, component });

/** A chunk, fetched once and tried again if it failed. */
function later(fetch: () => Promise<{ default: Drawer }>, inline = false): Entry {
  let fetched: Promise<Drawer> | null = null;
  return {
    kind: 'later',
    draws: true,
    inline,
    load: () =>
      (fetched ??= fetch().then(
        (module) => module.default,
        (error: unknown) => {
          fetched = null;
          throw error;
        },
      )),
  };
}

const nothing: Entry = { kind: 'unknown', draws: false, inline: false };

const entries: Record<string, Entry> = {
  audio: later(() => import('./Audio.svelte')),
  button: here(Button, true),
  clearbutton: here(Button, true),
  column: here(Column),
  dropdown: here(Dropdown),
  group: here(Group),
  label: here(Label),
  markdown: later(() => import('./Markdown.svelte')),
  number: here(NumberBox),
  row: here(Row),
  slider: here(Slider),
  textbox: here(Textbox),
  state: nothing,
  timer: nothing,
};

const unknown: Entry = { kind: 'unknown', draws: true, inline: false };

export const entry = (type: string): Entry => (Object.hasOwn(entries, type) ? entries[type] : undefined) ?? unknown;

/** Starts to fetch the chunks these types need. A failure is shown where the component would stand. */
export function loadAhead(types: string[]): void {
  for (const type of new Set(types)) {
    const found = entry(type);
    if (found.kind === 'later') found.load().catch(() => undefined);
  }
}
