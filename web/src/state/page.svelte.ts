/** The page's state: what the server said, and the deeds it is told. */
import { auditTime, fromEvent, merge, Subject, type Subscription } from 'rxjs';
import { getContext, setContext, tick } from 'svelte';
import { expectSound } from '../live/output';
import { Speaker } from '../live/speaker.svelte';
import { Link, type Dial } from '../wire/link';
import { noSounds, type Sounds } from '../wire/socket';
import type { AppInfo, Json, LayoutNode, ListenerInfo, NodeInfo, PartPatch, Patch, Props, RunPatch, ServerMessage, StreamPatch, Workings } from '../wire/types';
import { runJs } from './js';
import { NodeState } from './node.svelte';
import { afterCancel, afterDismiss, afterRun, afterValue, display, noRuns, running, type Display, type Runs } from './runs';
import { strings } from '../strings';
import { Toasts } from './toasts.svelte';

export type Connection =
  | { kind: 'connecting' }
  | { kind: 'online' }
  | { kind: 'lost'; since: number; retryAt: number }
  /** So many things that were done never came to the app. */
  | { kind: 'gone'; lost: number };

/** Acts that cost more than they tell unless somebody listens. */
const CHEAP = new Set(['focus', 'blur', 'play', 'pause', 'end', 'select', 'release', 'key_up']);

/** The server keeps what is not acknowledged; it need not be told more often than this (milliseconds). */
const ACK_EVERY = 200;

export class Page {
  app: AppInfo | null = $state.raw(null);
  nodes: ReadonlyMap<number, NodeState> = $state.raw(new Map());
  listeners: ReadonlyMap<number, ListenerInfo> = $state.raw(new Map());
  /** What stands below nodes whose part was made anew since the page opened. */
  parts: ReadonlyMap<number, LayoutNode[]> = $state.raw(new Map());
  runs: Runs = $state.raw(noRuns);
  connection: Connection = $state.raw({ kind: 'connecting' });
  /** How often a lost connection came back. */
  reconnects = $state(0);
  /** How many messages the server refused so far. */
  refusals = $state(0);
  /** What the server does with live sound, by node, as it was asked last. */
  workings: ReadonlyMap<number, Workings> = $state.raw(new Map());
  readonly toasts = new Toasts();
  /** Streams that are heard, or were heard last, by node. */
  speakers: ReadonlyMap<number, Speaker> = $state.raw(new Map());

  /** Players on the page, by node: each tells the server where its play head is. */
  readonly players = new Map<number, () => void>();

  private readonly link: Link;
  private readonly coming = new Map<symbol, number>();
  private waiting: { type: 'act'; node: number; act: string; value?: Json; data?: Json }[] = [];
  private readonly hurry = new Subject<void>();
  private readonly seen = new Subject<number>();
  private awaits = false;
  private session: string | null = null;

  constructor(
    dial: Dial,
    readonly sounds: Sounds = noSounds,
  ) {
    const hurry = merge(this.hurry, fromEvent(window, 'online'));
    this.link = new Link(dial, { hurry, sounding: () => sounds.sounding() });
  }

  /** Connects, and stays connected until the subscription is ended. */
  start(): Subscription {
    const life = this.link.events.subscribe((event) => {
      switch (event.kind) {
        case 'online':
          if (this.connection.kind === 'lost' && this.app) this.reconnects += 1;
          this.connection = { kind: 'online' };
          this.sounds.ready();
          return;
        case 'lost': {
          const now = Date.now();
          const since = this.connection.kind === 'lost' ? this.connection.since : now;
          this.connection = { kind: 'lost', since, retryAt: now + event.wait };
          return;
        }
        case 'gone':
          this.connection = { kind: 'gone', lost: event.lost };
          for (const speaker of this.speakers.values()) speaker.close();
          this.runs = noRuns;
          this.watchLine();
          return;
        case 'full':
          this.toasts.add({ level: 'warning', title: strings.fullTitle, message: strings.full, duration: null });
          return;
        case 'message':
          this.receive(event.message);
          this.watchLine();
          return;
        case 'puzzled':
          console.error(event.error);
          this.toasts.add({ level: 'error', title: strings.error, message: strings.puzzled, duration: null });
      }
    });
    life.add(
      this.sounds.events.subscribe((event) => {
        if (event.kind === 'trip') for (const speaker of this.speakers.values()) speaker.trip(event.ms);
      }),
    );
    life.add(
      this.seen.pipe(auditTime(ACK_EVERY)).subscribe((seq) => this.link.send({ type: 'ack', seq })),
    );
    return life;
  }

  /** Tries to reconnect at once. */
  tryNow(): void {
    this.hurry.next();
  }

  /** Asks what the server does with the live sound of a node: the answer comes to `workings`. */
  askFigures(node: number): void {
    this.link.send({ type: 'figures', node });
  }

  token(): string | null {
    return this.link.token();
  }

  node(id: number): NodeState | undefined {
    return this.nodes.get(id);
  }

  /** Tells the server what a user did. What needs a file that is on its way waits for it. */
  act(node: NodeState, act: string, extra: { value?: Json; data?: Json } = {}): void {
    const { moved } = node;
    node.moved = false;
    const alone = [...this.listeners.values()].filter((each) =>
      each.alone.some(([id, name, ifMoved]) => id === node.id && name === act && (moved || !ifMoved)),
    );
    this.tell(node, act, extra);
    if (this.willSound(node, act)) expectSound();
    for (const each of alone) void this.runAlone(each);
  }

  private tell(node: NodeState, act: string, extra: { value?: Json; data?: Json }): void {
    if (CHEAP.has(act) && extra.value === undefined && !this.heard(node, act)) return;
    for (const id of this.inputsOf(node.id, act)) if (id !== node.id) this.players.get(id)?.();
    const said = { type: 'act' as const, node: node.id, act, ...extra };
    if (this.reads(node.id, act, this.coming)) this.waiting.push(said);
    else this.link.send(said);
  }

  /** Whether anybody listens to this act of a node. */
  heard(node: NodeState, act: string): boolean {
    if (act === 'select' && node.type === 'tabs' && node.ports.has('change')) return true;
    return node.ports.has(act) || (act === 'end' && (node.ports.has('stop') || node.ports.has('pause')));
  }

  /** Whether any listener could see the properties of a node: it is told where the play head is. */
  watched(node: NodeState): boolean {
    return node.ports.size > 0 || [...this.listeners.values()].some((each) => each.inputs.includes(node.id));
  }

  /**
   * A file for this node is on its way. Call the result once its act was told (true), or when it
   * will not come (false): then nobody does what was asked with it.
   */
  expect(node: NodeState): (came: boolean) => void {
    const mine = Symbol();
    this.coming.set(mine, node.id);
    return (came) => {
      if (!this.coming.delete(mine)) return;
      const waited = this.waiting;
      this.waiting = [];
      for (const said of waited) {
        if (this.reads(said.node, said.act, this.coming)) this.waiting.push(said);
        else if (came || !this.reads(said.node, said.act, new Map([[mine, node.id]]))) this.link.send(said);
      }
    };
  }

  /** Whether an act starts something that takes the value of one of these nodes. */
  private reads(node: number, act: string, nodes: ReadonlyMap<symbol, number>): boolean {
    if (!nodes.size) return false;
    const ids = new Set(nodes.values());
    return !ids.has(node) && this.inputsOf(node, act).some((id) => ids.has(id));
  }

  /** The nodes whose values an act of this one lets functions take. Most acts move the value. */
  private inputsOf(node: number, act: string): number[] {
    return this.startedBy(node, act).flatMap((each) => each.inputs);
  }

  private startedBy(node: number, act: string): ListenerInfo[] {
    const ports = CHEAP.has(act) && act !== 'select' ? [act] : [act, 'input', 'change'];
    return [...this.listeners.values()].filter((each) => each.triggers.some(([n, port]) => n === node && ports.includes(port)));
  }

  /** Whether an act starts what is heard while it is made. Nobody tells the page where operators lead. */
  private willSound(node: NodeState, act: string): boolean {
    const sounds = (id: number) => id !== node.id && this.nodes.get(id)?.props.streaming === true;
    if (act === 'start_recording') return node.props.streaming === true && [...this.nodes.keys()].some(sounds);
    return this.startedBy(node.id, act).some((each) => each.outputs.some(sounds));
  }

  /** A value the user gave: shown at once, then told. */
  input(node: NodeState, value: Json): void {
    node.own(value);
    this.act(node, 'input', { value });
  }

  /** A value that the user put together of choices. One act: `select`, `input` and `change` come in this order. */
  choose(node: NodeState, value: Json, data: Json): void {
    node.own(value);
    this.act(node, 'select', { value, data });
  }

  cancel(request: number): void {
    this.runs = afterCancel(this.runs, request);
    this.link.send({ type: 'cancel', request });
  }

  dismiss(node: NodeState): void {
    this.runs = afterDismiss(this.runs, node.id);
  }

  display(node: NodeState): Display {
    return display(this.runs, this.listeners, node.id);
  }

  /** Names of what the server is working on for this page. */
  working(): string[] {
    return running(this.runs).map((run) => this.listeners.get(run.listener)?.name || strings.running);
  }

  /** Whether people may change this component: as the app says, else as its listeners use it. */
  interactive(node: NodeState): boolean {
    const said = node.props.interactive;
    if (typeof said === 'boolean') return said;
    const all = [...this.listeners.values()];
    const read = all.some((l) => l.inputs.includes(node.id));
    return read || !all.some((l) => l.outputs.includes(node.id));
  }

  /** Nobody does anything while a run shows its progress: the line is then watched for the page. */
  private watchLine(): void {
    const now = running(this.runs).length > 0;
    if (now !== this.awaits) this.sounds.awaiting(now);
    this.awaits = now;
  }

  private receive(message: ServerMessage): void {
    if (message.type === 'open') {
      const again = this.app !== null && message.session === this.session;
      this.session = message.session;
      if (!again) this.app = message.app;
      this.nodes = new Map(message.app.nodes.map((info) => [info.id, this.nodeOf(info, again)]));
      this.listeners = new Map(message.app.listeners.map((l) => [l.id, l]));
      this.parts = again ? this.partsIn(message.app.layout) : new Map();
      this.runs = noRuns;
    } else if (message.type === 'patches') {
      for (const patch of message.patches) this.apply(patch);
      this.seen.next(message.seq);
    } else if (message.type === 'figures') {
      this.workings = new Map(this.workings).set(message.node, message);
    } else if (message.type === 'refused') {
      this.refusals += 1;
      this.toasts.add({ level: 'warning', title: strings.refusedTitle, message: message.message, duration: 10 });
    }
  }

  /** Where the whole page comes once more, what stands there stays what it is: a tab, a recorder, the cursor. */
  private nodeOf(info: NodeInfo, again: boolean): NodeState {
    const old = again ? this.nodes.get(info.id) : undefined;
    if (old?.type !== info.type) return new NodeState(info);
    old.stands(info, this.link.ahead(info.id));
    return old;
  }

  /** What stands below the parts of a layout, by part. All else never moves. */
  private partsIn(layout: LayoutNode): Map<number, LayoutNode[]> {
    const found = new Map<number, LayoutNode[]>();
    const look = (item: LayoutNode) => {
      if (this.nodes.get(item.id)?.type === 'part') found.set(item.id, item.children);
      item.children.forEach(look);
    };
    look(layout);
    return found;
  }

  private apply(patch: Patch): void {
    switch (patch.kind) {
      case 'set':
        this.nodes.get(patch.node)?.patch(this.link.ahead(patch.node) ? without(patch.props) : patch.props);
        if ('value' in patch.props) this.runs = afterValue(this.runs, patch.node);
        return;
      case 'run':
        this.applyRun(patch);
        return;
      case 'toast':
        // An error without a text is one that is not meant for users.
        this.toasts.add(patch.level === 'error' && !patch.message ? { ...patch, message: strings.errorHidden } : patch);
        return;
      case 'js':
        void this.answerJs(patch.listener, patch.request);
        return;
      case 'stream':
        this.applyStream(patch);
        return;
      case 'overload':
        this.sounds.missed(patch.node, patch.ms);
        return;
      case 'part':
        this.applyPart(patch);
        return;
      case 'command': {
        const node = this.nodes.get(patch.node);
        if (node && patch.command === 'stop_recording') node.stops += 1;
      }
    }
  }

  private applyPart(patch: PartPatch): void {
    const nodes = new Map(this.nodes);
    const parts = new Map(this.parts).set(patch.node, patch.layout.children);
    const speakers = new Map(this.speakers);
    for (const id of patch.gone) {
      nodes.delete(id);
      parts.delete(id);
      speakers.get(id)?.close();
      speakers.delete(id);
    }
    for (const info of patch.nodes) {
      const old = nodes.get(info.id);
      if (old?.type === info.type) old.again(info);
      else nodes.set(info.id, new NodeState(info));
      parts.delete(info.id); // a part that is kept inside of this one is made anew after it
    }
    for (const { id, ports, interactive } of patch.outer) {
      const node = nodes.get(id);
      if (!node) continue;
      node.ports = new Set(ports);
      node.props = { ...node.props, interactive };
    }
    const listeners = new Map(this.listeners);
    for (const id of patch.silent) listeners.delete(id);
    for (const each of patch.listeners) listeners.set(each.id, each);
    const gone = new Set(patch.gone);
    this.runs = new Map([...this.runs].filter(([, run]) => !run.outputs.length || !run.outputs.every((id) => gone.has(id))));
    this.nodes = nodes;
    this.listeners = listeners;
    this.speakers = speakers;
    this.parts = parts;
  }

  private applyStream(patch: StreamPatch): void {
    const now = this.speakers.get(patch.node);
    if (patch.state === 'start') {
      if (now && now.stream.epoch >= patch.epoch) return;
      now?.close();
      const speaker = new Speaker(patch, this.sounds, (act) => {
        const node = this.nodes.get(patch.node);
        if (node) this.act(node, act);
      });
      this.speakers = new Map(this.speakers).set(patch.node, speaker);
      this.runs = afterValue(this.runs, patch.node);
    } else if (now?.stream.epoch === patch.epoch) {
      now.complete(patch.frames);
      // The socket's worker has told it already, unless its player was only being made.
      if (patch.state === 'flush') now.flush();
    }
  }

  private applyRun(patch: RunPatch): void {
    this.runs = afterRun(this.runs, patch, Date.now());
    const listener = this.listeners.get(patch.listener);
    if (patch.state === 'failed' || patch.state === 'rejected') {
      const told = patch.error?.visible ?? true;
      if (told && !patch.outputs.some((id) => this.shows(id))) this.toastError(patch);
    }
    if (listener?.scroll_to_output && (patch.state === 'succeeded' || patch.state === 'yielded')) {
      const first = patch.outputs[0];
      if (first !== undefined && (patch.state === 'succeeded' || patch.request !== this.scrolled)) {
        this.scrolled = patch.request;
        void tick().then(() =>
          document.querySelector(`[data-node="${first}"]`)?.scrollIntoView({ block: 'nearest' }),
        );
      }
    }
  }

  private scrolled: number | null = null;

  /** An error without a component to stand at would be lost: it becomes a toast. */
  private toastError(patch: RunPatch): void {
    this.toasts.add({
      level: 'error',
      title: patch.error?.title || strings.error,
      message: patch.error?.message ?? (patch.state === 'rejected' ? strings.rejected : strings.errorHidden),
      duration: patch.error?.duration ?? null,
    });
  }

  /** Whether the output is a thing one can see. */
  private shows(id: number): boolean {
    const node = this.nodes.get(id);
    return node !== undefined && node.props.visible !== false && node.props.visible !== 'hidden' && !['state', 'timer', 'part'].includes(node.type);
  }

  /** What people call that which starts a listener: its label, or the words on the button. */
  private startOf(listener: ListenerInfo): string {
    const node = this.nodes.get(listener.alone[0]?.[0] ?? -1);
    const words = node?.props.label ?? (node?.type === 'button' ? node.value : null);
    return typeof words === 'string' && words ? words : listener.name;
  }

  private valuesOf(listener: ListenerInfo): Json[] {
    return [...listener.inputs, ...listener.outputs].map((id) => this.nodes.get(id)?.value ?? null);
  }

  /** The server has no part in it: it learns the values like all that is set here. */
  private async runAlone(listener: ListenerInfo): Promise<void> {
    const answer = await runJs(listener.js ?? '', this.valuesOf(listener));
    if ('error' in answer) {
      const message = strings.jsFailed(this.startOf(listener), answer.error);
      console.error(`${listener.name}: ${message}`);
      this.toasts.add({ level: 'error', title: strings.error, message, duration: null });
      return;
    }
    answer.values.slice(0, listener.outputs.length).forEach((value, i) => {
      const node = this.nodes.get(listener.outputs[i] ?? -1);
      if (!node) return;
      node.own(value);
      node.moved = false;
      node.writes += 1;
      this.act(node, 'js', { value });
    });
  }

  private async answerJs(listenerId: number, request: number): Promise<void> {
    const listener = this.listeners.get(listenerId);
    if (!listener?.js) {
      this.link.send({ type: 'js', request, error: `listener ${listenerId} has none` });
      return;
    }
    this.link.send({ type: 'js', request, ...(await runJs(listener.js, this.valuesOf(listener))) });
  }
}

/** The user's own value is newer, and will be the server's when it comes there. */
function without({ value: _, ...others }: Props): Props {
  return others;
}

const KEY = Symbol('page');

export function providePage(page: Page): Page {
  return setContext(KEY, page);
}

export function usePage(): Page {
  return getContext<Page>(KEY);
}
