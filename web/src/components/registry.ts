/** Which Svelte component draws which type of node. What is heavy or rare comes as a chunk of its own. */
import type { Component, Snippet } from 'svelte';
import type { NodeState } from '../state/node.svelte';
import type { LayoutNode } from '../wire/types';
import Accordion from './Accordion.svelte';
import Button from './Button.svelte';
import Checkbox from './Checkbox.svelte';
import CheckboxGroup from './CheckboxGroup.svelte';
import Column from './Column.svelte';
import DownloadButton from './DownloadButton.svelte';
import Dropdown from './Dropdown.svelte';
import Group from './Group.svelte';
import Label from './Label.svelte';
import NumberBox from './NumberBox.svelte';
import Radio from './Radio.svelte';
import Row from './Row.svelte';
import Sidebar from './Sidebar.svelte';
import Slider from './Slider.svelte';
import Tab from './Tab.svelte';
import Tabs from './Tabs.svelte';
import Textbox from './Textbox.svelte';

export interface Drawn {
  node: NodeState;
  /** The node's place in the layout, for those that hold others. */
  item: LayoutNode;
  children: Snippet;
}

type Drawer = Component<Drawn>;

/** `inline`: as wide as its words. `least`: pixels below which it cannot be used. */
export type Entry = { draws: boolean; inline: boolean; least: number } & (
  | { kind: 'here'; component: Drawer }
  | { kind: 'later'; load: () => Promise<Drawer> }
  | { kind: 'unknown' }
);

type Manners = { inline?: boolean; least?: number };

const here = (component: Drawer, { inline = false, least = 0 }: Manners = {}): Entry => ({
  kind: 'here',
  draws: true,
  inline,
  least,
  component,
});

/** A chunk, fetched once and tried again if it failed. */
function later(
  fetch: () => Promise<{ default: Drawer }>,
  { inline = false, least = 0 }: Manners = {},
): Entry {
  let fetched: Promise<Drawer> | null = null;
  return {
    kind: 'later',
    draws: true,
    inline,
    least,
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

const nothing: Entry = { kind: 'unknown', draws: false, inline: false, least: 0 };

const entries: Record<string, Entry> = {
  accordion: here(Accordion),
  audio: later(() => import('./Audio.svelte'), { least: 288 }),
  button: here(Button, { inline: true }),
  checkbox: here(Checkbox),
  checkboxgroup: here(CheckboxGroup),
  clearbutton: here(Button, { inline: true }),
  column: here(Column),
  dataframe: later(() => import('./Dataframe.svelte'), { least: 240 }),
  downloadbutton: here(DownloadButton, { inline: true }),
  dropdown: here(Dropdown),
  examples: later(() => import('./Examples.svelte'), { least: 240 }),
  file: later(() => import('./File.svelte'), { least: 200 }),
  group: here(Group),
  html: later(() => import('./Html.svelte')),
  image: later(() => import('./Image.svelte'), { least: 200 }),
  json: later(() => import('./JsonView.svelte')),
  label: here(Label),
  markdown: later(() => import('./Markdown.svelte')),
  number: here(NumberBox),
  part: here(Column),
  plot: later(() => import('./Image.svelte'), { least: 240 }),
  radio: here(Radio),
  row: here(Row),
  sidebar: here(Sidebar),
  slider: here(Slider, { least: 240 }),
  tab: here(Tab),
  tabs: here(Tabs),
  textbox: here(Textbox),
  state: nothing,
  timer: nothing,
};

const unknown: Entry = { kind: 'unknown', draws: true, inline: false, least: 0 };

export const entry = (type: string): Entry => (Object.hasOwn(entries, type) ? entries[type] : undefined) ?? unknown;

/** Fetches the chunks these types need; ready when all are there, or failed, which is shown where one would stand. */
export async function loadAhead(types: string[]): Promise<void> {
  const found = [...new Set(types)].map(entry);
  await Promise.allSettled(found.map((each) => (each.kind === 'later' ? each.load() : null)));
}
