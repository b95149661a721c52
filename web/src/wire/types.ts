/** The messages between page and server, as types. */

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type Props = Readonly<Record<string, Json>>;

export interface NodeInfo {
  id: number;
  type: string;
  props: Props;
  /** The ports somebody listens to: cheap acts go out only when their port is here. */
  ports: string[];
}

export interface LayoutNode {
  id: number;
  children: LayoutNode[];
}

export type ShowProgress = 'full' | 'minimal' | 'hidden';

export interface ListenerInfo {
  id: number;
  name: string;
  triggers: [node: number, port: string][];
  inputs: number[];
  outputs: number[];
  show_progress: ShowProgress;
  scroll_to_output: boolean;
  js: string | null;
  backend: boolean;
  /** What starts its js here, without the server: (node, act, only if the act moved the node's value). */
  alone: [number, string, boolean][];
}

export interface AppInfo {
  title: string;
  description: string | null;
  css: string | null;
  /** Code of the app for this page, run once when it opens. */
  js: string | null;
  /** Elements for the page's head: name and attributes, already checked by the app. */
  head: [name: string, attributes: Props][];
  /** CSS variables by name. */
  theme: Props;
  /** The content may be as wide as the window. */
  fill_width: boolean;
  /** The content is at least as high as the window. */
  fill_height: boolean;
  /** The language of the app, as in HTML. */
  lang: string;
  /** Words in place of `strings.ts`. */
  strings: Record<string, string>;
  /** For WebRTC, where one's own network is not enough. */
  ice_servers: string[];
  /** The kinds of sound files that the server can read. */
  sounds: { names: string[]; accept: string };
  nodes: NodeInfo[];
  layout: LayoutNode;
  listeners: ListenerInfo[];
}

export const RUN_STATES = [
  'queued',
  'started',
  'progress',
  'yielded',
  'succeeded',
  'failed',
  'cancelled',
  'dropped',
  'rejected',
  'merged',
] as const;
export type RunStateName = (typeof RUN_STATES)[number];

export interface ProgressStep {
  desc: string | null;
  value: number | null;
  total: number | null;
  unit: string | null;
}

export interface RunError {
  title: string;
  /** Null when the app does not show its errors to users. */
  message: string | null;
  duration: number | null;
  /** False: an end that nobody is to be told of. */
  visible: boolean;
}

export interface RunPatch {
  kind: 'run';
  listener: number;
  request: number;
  outputs: number[];
  state: RunStateName;
  rank: number | null;
  size: number | null;
  /** Seconds until it is this request's turn to be done, where known. */
  eta: number | null;
  progress: ProgressStep[] | null;
  error: RunError | null;
}

export interface SetPatch {
  kind: 'set';
  node: number;
  props: Props;
}

export type ToastLevel = 'info' | 'success' | 'warning' | 'error';

export interface ToastPatch {
  kind: 'toast';
  level: ToastLevel;
  title: string;
  message: string;
  /** Seconds; null stays until it is closed. */
  duration: number | null;
}

export interface JsPatch {
  kind: 'js';
  listener: number;
  request: number;
}

export const STREAM_STATES = ['start', 'end', 'flush'] as const;

/** A node's sound comes as a stream, has ended, or is cut off. */
export interface StreamPatch {
  kind: 'stream';
  node: number;
  /** Of the stream: what is left of an older one is void. */
  epoch: number;
  state: (typeof STREAM_STATES)[number];
  /** Hertz and channels, when it starts. */
  rate: number;
  channels: number;
  /** Whether what waits too long is worth nothing any more. */
  live: boolean;
  /** Milliseconds that it may be late from the microphone to the speaker; null is any. */
  budget: number | null;
  /** Its length, when it is over. */
  frames: number;
}

/** The app was too slow for so many milliseconds of the node's recording: no function got them. */
export interface OverloadPatch {
  kind: 'overload';
  node: number;
  ms: number;
}

/** The page is asked to do what its user could. */
export interface CommandPatch {
  kind: 'command';
  node: number;
  command: string;
}

/** What a part's listeners change about a node that stands elsewhere. */
export interface OuterInfo {
  id: number;
  ports: string[];
  interactive: boolean;
}

/** The page below a node is another one. */
export interface PartPatch {
  kind: 'part';
  node: number;
  nodes: NodeInfo[];
  layout: LayoutNode;
  listeners: ListenerInfo[];
  /** Nodes and listeners that are no more. */
  gone: number[];
  silent: number[];
  outer: OuterInfo[];
}

export type Patch = SetPatch | RunPatch | ToastPatch | JsPatch | StreamPatch | OverloadPatch | CommandPatch | PartPatch;

export type ServerMessage =
  /** `got`: the number of the page's last message that came. */
  | { type: 'open'; session: string; seq: number; got: number; app: AppInfo }
  | { type: 'resume'; session: string; seq: number; got: number }
  | { type: 'gone' }
  | { type: 'got'; n: number }
  | { type: 'patches'; seq: number; got: number | null; patches: Patch[] }
  | { type: 'figures'; node: number; chains: ChainFigures[]; calls: CallFigures[]; clipped: number }
  | { type: 'refused'; message: string };

/** What the server does with the live sound of one node. */
export type Workings = Extract<ServerMessage, { type: 'figures' }>;

/** What one operator does; `load` is a share of real time. */
export interface OperatorFigures {
  name: string;
  /** Milliseconds that it says it holds back. */
  latency: number;
  load: number;
  /** Milliseconds that came too late to be mixed with other streams. */
  late: number;
}

/** What the operators on one stream of this session do. */
export interface ChainFigures {
  /** Blocks that were left out because of an error. */
  faults: number;
  operators: OperatorFigures[];
}

/** What a function does that gets chunks. */
export interface CallFigures {
  name: string;
  waiting: number;
  dropped: number;
  failed: number;
  load: number;
}

export interface Act {
  type: 'act';
  node: number;
  act: string;
  value?: Json;
  data?: Json;
}

export type ClientMessage =
  | Act
  | { type: 'cancel'; request: number }
  | { type: 'ack'; seq: number }
  /** Asks for the figures of what the server does at a node; answered once. */
  | { type: 'figures'; node: number }
  | { type: 'js'; request: number; values: Json[] }
  | { type: 'js'; request: number; error: string };

/** A sound as the server describes it; the page names it back by its handle alone. */
export interface ClipInfo {
  clip: string;
  name: string;
  url: string;
  peaks: string;
  /** Hertz. */
  rate: number;
  channels: number;
  frames: number;
  format: string;
  bytes: number;
  /** Largest magnitude, 1 is full scale. */
  peak: number;
  /** Number of samples at full scale. */
  clipped: number;
}
