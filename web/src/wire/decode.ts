/** Text frames from the server into checked messages. */
import {
  RUN_STATES,
  STREAM_STATES,
  type AppInfo,
  type ClipInfo,
  type Json,
  type LayoutNode,
  type ListenerInfo,
  type NodeInfo,
  type OuterInfo,
  type Patch,
  type ProgressStep,
  type Props,
  type RunError,
  type ServerMessage,
  type CallFigures,
  type ChainFigures,
  type OperatorFigures,
} from './types';

/** The server said something this page does not understand; `message` names the place. */
export class WireError extends Error {}

type Fields = { [key: string]: Json };

function fail(path: string, expected: string, got: Json | undefined): never {
  throw new WireError(`${path}: expected ${expected}, got ${JSON.stringify(got) ?? 'nothing'}`);
}

function fields(value: Json | undefined, path: string): Fields {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) fail(path, 'an object', value);
  return value;
}

function list(value: Json | undefined, path: string): Json[] {
  if (!Array.isArray(value)) fail(path, 'a list', value);
  return value;
}

function text(value: Json | undefined, path: string): string {
  if (typeof value !== 'string') fail(path, 'text', value);
  return value;
}

function number(value: Json | undefined, path: string): number {
  if (typeof value !== 'number') fail(path, 'a number', value);
  return value;
}

const orNull =
  <T>(read: (value: Json | undefined, path: string) => T) =>
  (value: Json | undefined, path: string): T | null =>
    value === null || value === undefined ? null : read(value, path);

const items =
  <T>(read: (value: Json | undefined, path: string) => T) =>
  (value: Json | undefined, path: string): T[] =>
    list(value, path).map((item, i) => read(item, `${path}[${i}]`));

function oneOf<T extends string>(names: readonly T[], value: Json | undefined, path: string): T {
  const found = names.find((name) => name === value);
  return found ?? fail(path, `one of ${names.join(', ')}`, value);
}

function node(value: Json | undefined, path: string): NodeInfo {
  const f = fields(value, path);
  return {
    id: number(f.id, `${path}.id`),
    type: text(f.type, `${path}.type`),
    props: fields(f.props, `${path}.props`) satisfies Props,
    ports: items(text)(f.ports ?? [], `${path}.ports`),
  };
}

function outer(value: Json | undefined, path: string): OuterInfo {
  const f = fields(value, path);
  return {
    id: number(f.id, `${path}.id`),
    ports: items(text)(f.ports, `${path}.ports`),
    interactive: f.interactive === true,
  };
}

function layout(value: Json | undefined, path: string): LayoutNode {
  const f = fields(value, path);
  return {
    id: number(f.id, `${path}.id`),
    children: items(layout)(f.children ?? [], `${path}.children`),
  };
}

function trigger(value: Json | undefined, path: string): [number, string] {
  const pair = list(value, path);
  return [number(pair[0], `${path}[0]`), text(pair[1], `${path}[1]`)];
}

function deed(value: Json | undefined, path: string): [number, string, boolean] {
  const [node, act, moved] = list(value, path);
  return [number(node, `${path}[0]`), text(act, `${path}[1]`), moved === true];
}

function listener(value: Json | undefined, path: string): ListenerInfo {
  const f = fields(value, path);
  return {
    id: number(f.id, `${path}.id`),
    name: orNull(text)(f.name, `${path}.name`) ?? '',
    triggers: items(trigger)(f.triggers ?? [], `${path}.triggers`),
    inputs: items(number)(f.inputs ?? [], `${path}.inputs`),
    outputs: items(number)(f.outputs ?? [], `${path}.outputs`),
    show_progress: oneOf(['full', 'minimal', 'hidden'], f.show_progress ?? 'full', `${path}.show_progress`),
    scroll_to_output: f.scroll_to_output === true,
    js: orNull(text)(f.js, `${path}.js`),
    backend: f.backend !== false,
    alone: items(deed)(f.alone ?? [], `${path}.alone`),
  };
}

function element(value: Json | undefined, path: string): [string, Props] {
  const pair = list(value, path);
  return [oneOf(['meta', 'link'], pair[0], `${path}[0]`), fields(pair[1], `${path}[1]`)];
}

function sounds(value: Json, path: string): AppInfo['sounds'] {
  const f = fields(value, path);
  return { names: items(text)(f.names ?? [], `${path}.names`), accept: text(f.accept ?? '', `${path}.accept`) };
}

function app(value: Json | undefined, path: string): AppInfo {
  const f = fields(value, path);
  return {
    title: orNull(text)(f.title, `${path}.title`) ?? '',
    description: orNull(text)(f.description, `${path}.description`),
    css: orNull(text)(f.css, `${path}.css`),
    js: orNull(text)(f.js, `${path}.js`),
    head: items(element)(f.head ?? [], `${path}.head`),
    theme: orNull(fields)(f.theme, `${path}.theme`) ?? {},
    fill_width: f.fill_width === true,
    fill_height: f.fill_height === true,
    lang: typeof f.lang === 'string' ? f.lang : 'en',
    strings: (orNull(fields)(f.strings, `${path}.strings`) ?? {}) as Record<string, string>,
    ice_servers: items(text)(f.ice_servers ?? [], `${path}.ice_servers`),
    sounds: sounds(f.sounds ?? {}, `${path}.sounds`),
    nodes: items(node)(f.nodes, `${path}.nodes`),
    layout: layout(f.layout, `${path}.layout`),
    listeners: items(listener)(f.listeners ?? [], `${path}.listeners`),
  };
}

function step(value: Json | undefined, path: string): ProgressStep {
  const f = fields(value, path);
  return {
    desc: orNull(text)(f.desc, `${path}.desc`),
    value: orNull(number)(f.value, `${path}.value`),
    total: orNull(number)(f.total, `${path}.total`),
    unit: orNull(text)(f.unit, `${path}.unit`),
  };
}

function runError(value: Json | undefined, path: string): RunError {
  const f = fields(value, path);
  return {
    title: orNull(text)(f.title, `${path}.title`) ?? '',
    message: orNull(text)(f.message, `${path}.message`),
    duration: orNull(number)(f.duration, `${path}.duration`),
    visible: f.visible !== false,
  };
}

function patch(value: Json | undefined, path: string): Patch {
  const f = fields(value, path);
  const kind = oneOf(['set', 'run', 'toast', 'js', 'stream', 'overload', 'command', 'part'], f.kind, `${path}.kind`);
  switch (kind) {
    case 'set':
      return { kind, node: number(f.node, `${path}.node`), props: fields(f.props, `${path}.props`) };
    case 'run':
      return {
        kind,
        listener: number(f.listener, `${path}.listener`),
        request: number(f.request, `${path}.request`),
        outputs: items(number)(f.outputs ?? [], `${path}.outputs`),
        state: oneOf(RUN_STATES, f.state, `${path}.state`),
        rank: orNull(number)(f.rank, `${path}.rank`),
        size: orNull(number)(f.size, `${path}.size`),
        eta: orNull(number)(f.eta, `${path}.eta`),
        progress: orNull(items(step))(f.progress, `${path}.progress`),
        error: orNull(runError)(f.error, `${path}.error`),
      };
    case 'toast':
      return {
        kind,
        level: oneOf(['info', 'success', 'warning', 'error'], f.level, `${path}.level`),
        title: orNull(text)(f.title, `${path}.title`) ?? '',
        message: orNull(text)(f.message, `${path}.message`) ?? '',
        duration: orNull(number)(f.duration, `${path}.duration`),
      };
    case 'stream':
      return {
        kind,
        node: number(f.node, `${path}.node`),
        epoch: number(f.epoch, `${path}.epoch`),
        state: oneOf(STREAM_STATES, f.state, `${path}.state`),
        rate: number(f.rate ?? 0, `${path}.rate`),
        channels: number(f.channels ?? 0, `${path}.channels`),
        live: f.live === true,
        budget: orNull(number)(f.budget ?? null, `${path}.budget`),
        frames: number(f.frames ?? 0, `${path}.frames`),
      };
    case 'part':
      return {
        kind,
        node: number(f.node, `${path}.node`),
        nodes: items(node)(f.nodes, `${path}.nodes`),
        layout: layout(f.layout, `${path}.layout`),
        listeners: items(listener)(f.listeners, `${path}.listeners`),
        gone: items(number)(f.gone, `${path}.gone`),
        silent: items(number)(f.silent, `${path}.silent`),
        outer: items(outer)(f.outer, `${path}.outer`),
      };
    case 'overload':
      return { kind, node: number(f.node, `${path}.node`), ms: number(f.ms, `${path}.ms`) };
    case 'command':
      return { kind, node: number(f.node, `${path}.node`), command: text(f.command, `${path}.command`) };
    case 'js':
      return {
        kind,
        listener: number(f.listener, `${path}.listener`),
        request: number(f.request, `${path}.request`),
      };
  }
}

/** One text frame as a message. Throws WireError for anything outside the protocol. */
function operatorFigures(value: Json | undefined, path: string): OperatorFigures {
  const f = fields(value, path);
  const rate = number(f.rate, `${path}.rate`);
  const ms = (frames: number) => (rate > 0 ? (1000 * frames) / rate : 0);
  return {
    name: text(f.operator, `${path}.operator`),
    latency: ms(number(f.latency, `${path}.latency`)),
    load: number(f.load, `${path}.load`),
    late: ms(number(f.late, `${path}.late`)),
  };
}

function chainFigures(value: Json | undefined, path: string): ChainFigures {
  const f = fields(value, path);
  return { faults: number(f.faults, `${path}.faults`), operators: items(operatorFigures)(f.operators, `${path}.operators`) };
}

function callFigures(value: Json | undefined, path: string): CallFigures {
  const f = fields(value, path);
  return {
    name: text(f.listener, `${path}.listener`),
    waiting: number(f.waiting, `${path}.waiting`),
    dropped: number(f.dropped, `${path}.dropped`),
    failed: number(f.failed, `${path}.failed`),
    load: number(f.load, `${path}.load`),
  };
}

export function decode(frame: string): ServerMessage {
  let raw: Json;
  try {
    raw = JSON.parse(frame) as Json;
  } catch {
    throw new WireError(`a frame that is not JSON: ${frame.slice(0, 80)}`);
  }
  const f = fields(raw, 'message');
  const type = oneOf(['open', 'resume', 'gone', 'got', 'patches', 'figures', 'refused'], f.type, 'message.type');
  switch (type) {
    case 'open':
      return {
        type,
        session: text(f.session, 'open.session'),
        seq: number(f.seq ?? 0, 'open.seq'),
        got: number(f.got ?? 0, 'open.got'),
        app: app(f.app, 'open.app'),
      };
    case 'resume':
      return { type, session: text(f.session, 'resume.session'), seq: number(f.seq, 'resume.seq'), got: number(f.got ?? 0, 'resume.got') };
    case 'gone':
      return { type };
    case 'got':
      return { type, n: number(f.n, 'got.n') };
    case 'patches':
      return {
        type,
        seq: number(f.seq, 'patches.seq'),
        got: orNull(number)(f.got, 'patches.got'),
        patches: items(patch)(f.patches, 'patches'),
      };
    case 'figures':
      return {
        type,
        node: number(f.node, 'figures.node'),
        chains: items(chainFigures)(f.chains, 'figures.chains'),
        calls: items(callFigures)(f.calls, 'figures.calls'),
        clipped: number(f.clipped, 'figures.clipped'),
      };
    case 'refused':
      return { type, message: text(f.message, 'refused.message') };
  }
}

/** A sound's description, or null for "no sound". Throws WireError if it is neither. */
export function decodeClip(value: Json | undefined): ClipInfo | null {
  if (value === null || value === undefined) return null;
  const f = fields(value, 'clip');
  return {
    clip: text(f.clip, 'clip.clip'),
    name: text(f.name, 'clip.name'),
    url: text(f.url, 'clip.url'),
    peaks: text(f.peaks, 'clip.peaks'),
    rate: number(f.rate, 'clip.rate'),
    channels: number(f.channels, 'clip.channels'),
    frames: number(f.frames, 'clip.frames'),
    format: text(f.format, 'clip.format'),
    bytes: number(f.bytes ?? 0, 'clip.bytes'),
    peak: number(f.peak ?? 0, 'clip.peak'),
    clipped: number(f.clipped ?? 0, 'clip.clipped'),
  };
}
