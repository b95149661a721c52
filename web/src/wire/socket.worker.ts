/**
 * The socket itself, away from the page: sound goes between it and the audio thread without the page's own thread, which
 * may be busy.
 *
 * When to dial and what to do about a loss is the page's (see `link.ts`). Law of this file: one order. Text goes out as it
 * came, sound of a recording only after the text that began it, and the end of a recording is told to the page when all of
 * its sound has come to the server, so that the text which ends it comes after. Text that a dying socket swallows is lost
 * here, and sent again by the page.
 */
import { addressOf } from '../live/frame';
import type { Played } from '../live/messages';
import { Uplink } from '../live/uplink';

/** From the page. */
export type ToWorker =
  /** To take up a session, or with none to begin one. */
  | { kind: 'dial'; url: string; session: string | null }
  | { kind: 'hangup' }
  | { kind: 'text'; data: string }
  /** The session is there again, and what the page had kept for it was sent. */
  | { kind: 'ready' }
  /** Something is under way at the server, and the page says so; or nothing is any more. */
  | { kind: 'awaiting'; anything: boolean }
  /** A recording: its frames come through the port. `lossy`: they may take the way that loses. */
  | { kind: 'record'; node: number; port: MessagePort; lossy: boolean }
  | { kind: 'recorded'; node: number }
  /** A stream's frames and orders go through the port. */
  | { kind: 'play'; node: number; epoch: number; port: MessagePort }
  | { kind: 'played'; node: number; epoch: number }
  /** A way beside the socket that loses rather than waits, or its end. */
  | { kind: 'peer'; port: MessagePort | null };

/** To the page. */
export type FromWorker =
  | { kind: 'up' }
  | { kind: 'text'; data: string }
  | { kind: 'down' }
  /** The server's answer to an offer; without one it was refused. */
  | { kind: 'answer'; sdp: string | null }
  /** All sound of a recording came to the server. */
  | { kind: 'ended'; node: number; why: 'stop' | 'limit' }
  /** Milliseconds of a recording that were dropped so far because there was no line, and that wait for it. */
  | { kind: 'uplink'; node: number; dropped: number; waiting: number }
  /** Milliseconds to the server and back; so far, while nothing comes back. */
  | { kind: 'trip'; ms: number };

/** What is spoken; the server answers with it, and with nothing else that was offered. */
const PROTOCOL = 'ossicle';
/** Bytes that may wait in the socket: beyond them the line is too slow, and a recording waits where it can be dropped. */
const CLOGGED = 96_000;
/** Milliseconds between two tries to send what waits, and between two measurements of the line. */
const RETRY = 20;
const PING = 1000;
/** Milliseconds in which something comes back for what is said; after them the line is asked whether it is there. */
const QUIET = 2000;
/** Milliseconds without an answer after which a line is taken for dead: some never say so. */
const DEAD = 6000;
/** Milliseconds in which a socket opens; a browser alone would wait for minutes on a line that takes all and says nothing. */
const DIAL = 8000;
/** Milliseconds between two looks at a line from which something is awaited; one that was silent since is asked. */
const LOOK = 5000;
/** Bytes of a stream that wait until the page has made its player. */
const EARLY = 1 << 20;

interface Recording {
  uplink: Uplink;
  /** What was told of it, to say nothing twice. */
  told: string;
  ended: 'stop' | 'limit' | null;
  /** The server was asked whether all of it came. */
  last: boolean;
  /** It may go the way that loses, and does. Its end does not: what was lost last is then sent again. */
  lossy: boolean;
  byPeer: boolean;
  /** Nothing is sent until all that went by the socket came: what is faster would overtake it. */
  changing: boolean;
}

interface Playing {
  epoch: number;
  port: MessagePort;
  /** How far it was when it last said so. */
  last: Played | null;
}

interface Early {
  epoch: number;
  bytes: number;
  frames: ArrayBuffer[];
}

const page = self as unknown as {
  postMessage(message: FromWorker): void;
  onmessage: ((event: MessageEvent<ToWorker>) => void) | null;
};

let socket: WebSocket | null = null;
let peer: MessagePort | null = null;
let ready = false;
let retry = 0;
let pings = 0;
/** Tenths of milliseconds that the last question took. */
let trip: number | null = null;
let doubt = 0;
let looks = 0;
/** When the server was heard last. */
let heard = 0;
/** The question that is under way, by its time. */
let asked: number | null = null;
const recordings = new Map<number, Recording>();
const players = new Map<number, Playing>();
const early = new Map<number, Early>();
/** The last word on streams that are over, should the line have lost it: the server then sends their end again. */
const finished = new Map<number, Played>();

/** Tenths of a millisecond. */
const tenths = () => Math.round(performance.now() * 10);

const open = () => socket?.readyState === WebSocket.OPEN;

/** The token goes as a subprotocol, the one header a page can set: logs keep addresses. */
function dial(url: string, session: string | null): void {
  hangup();
  const made = new WebSocket(url, session === null ? [PROTOCOL] : [PROTOCOL, `session.${session}`]);
  made.binaryType = 'arraybuffer';
  made.onopen = () => page.postMessage({ kind: 'up' });
  made.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
    heard = tenths();
    if (typeof data === 'string') hearText(data);
    else hearSound(data);
  };
  made.onclose = () => {
    ready = false;
    page.postMessage({ kind: 'down' });
  };
  socket = made;
  self.setTimeout(() => {
    if (socket !== made || made.readyState !== WebSocket.CONNECTING) return;
    hangup();
    page.postMessage({ kind: 'down' });
  }, DIAL);
}

function hangup(): void {
  ready = false;
  asked = null;
  clearTimeout(doubt);
  doubt = 0;
  if (!socket) return;
  socket.onclose = socket.onmessage = socket.onopen = null;
  socket.close();
  socket = null;
}

function hearText(data: string): void {
  if (data.startsWith('{"type":"pong"')) {
    const { at } = JSON.parse(data) as { at: number };
    trip = tenths() - at;
    page.postMessage({ kind: 'trip', ms: trip / 10 });
    allCame(at);
    return;
  }
  if (data.startsWith('{"type":"rtc"')) {
    page.postMessage({ kind: 'answer', sdp: (JSON.parse(data) as { sdp?: string }).sdp ?? null });
    return;
  }
  page.postMessage({ kind: 'text', data });
  // Silence must not wait for a busy page.
  if (data.includes('"flush"')) flush(data);
}

/** What was sent before this ping was received. */
function allCame(at: number): void {
  if (at !== asked) return;
  asked = null;
  for (const [node, recording] of recordings) {
    recording.uplink.came();
    if (recording.changing && recording.uplink.clear) {
      recording.changing = false;
      recording.byPeer = peer !== null;
    }
    if (!recording.ended || !recording.last) continue;
    page.postMessage({ kind: 'ended', node, why: recording.ended });
    recording.ended = null;
  }
  pump();
}

function flush(data: string): void {
  const message = JSON.parse(data) as { patches?: { kind: string; state?: string; node?: number; epoch?: number }[] };
  for (const patch of message.patches ?? []) {
    if (patch.kind !== 'stream' || patch.state !== 'flush') continue;
    const node = patch.node ?? -1;
    if (early.get(node)?.epoch === patch.epoch) early.delete(node);
    const player = players.get(node);
    if (player && player.epoch === patch.epoch) player.port.postMessage('flush');
  }
}

function hearSound(data: ArrayBuffer): void {
  const { node, epoch } = addressOf(data);
  const player = players.get(node);
  if (player?.epoch === epoch) {
    player.port.postMessage(data, [data]);
    return;
  }
  const over = finished.get(node);
  if (over?.epoch === epoch) {
    tell(over);
    return;
  }
  if ((player?.epoch ?? over?.epoch ?? 0) > epoch) return;
  let waiting = early.get(node);
  if (!waiting || waiting.epoch !== epoch) {
    waiting = { epoch, bytes: 0, frames: [] };
    early.set(node, waiting);
  }
  waiting.bytes += data.byteLength;
  waiting.frames.push(data);
  while (waiting.bytes > EARLY && waiting.frames.length > 1) {
    waiting.bytes -= waiting.frames.shift()?.byteLength ?? 0;
  }
}

function tell(played: Played): void {
  if (ready && open()) socket?.send(JSON.stringify(played));
}

function sendText(data: string): void {
  if (!open()) return;
  socket?.send(data);
  listen();
}

/** Something was said. When nothing is heard from then on, the line is asked, and one that does not answer is dead. */
function listen(): void {
  if (doubt) return;
  const since = tenths();
  doubt = self.setTimeout(
    () => {
      doubt = 0;
      if (heard >= since || !open()) return;
      if (asked === null || tenths() - asked < 10 * DEAD) {
        ping();
        listen();
        return;
      }
      hangup();
      page.postMessage({ kind: 'down' });
    },
    asked === null ? QUIET : DEAD,
  );
}

/** Who waits says nothing, so nothing would be doubted. A page that awaits nothing leaves the line in peace. */
function awaiting(anything: boolean): void {
  clearInterval(looks);
  looks = 0;
  if (!anything) return;
  looks = self.setInterval(() => {
    if (tenths() - heard >= 10 * LOOK) ping();
  }, LOOK);
}

/** Sends what waits of all recordings, as far as the line takes it. */
function pump(): void {
  let left = false;
  let ending = false;
  for (const [node, recording] of recordings) {
    while (ready && open() && !recording.changing && (socket?.bufferedAmount ?? 0) < CLOGGED) {
      const data = recording.uplink.next();
      if (!data) break;
      if (recording.byPeer) peer?.postMessage(data);
      else socket?.send(data);
    }
    tellOf(node, recording);
    if (recording.changing) ending = true; // asks, and goes on with the answer
    else if (!recording.uplink.idle) left = true;
    else if (recording.ended && !recording.last) ending = true;
  }
  if (ending) ping();
  // Mostly the next frame drives this; the last one of a recording has no next.
  if (left && ready && !retry) {
    retry = self.setTimeout(() => {
      retry = 0;
      pump();
    }, RETRY);
  }
}

/** In tenths of a second, so that the page is not told of each piece. */
function tellOf(node: number, { uplink, told }: Recording): void {
  const dropped = Math.round(uplink.droppedSeconds * 1000);
  const waiting = Math.round(uplink.waiting * 10) * 100;
  const now = `${dropped} ${waiting}`;
  if (now === told) return;
  const recording = recordings.get(node);
  if (recording) recording.told = now;
  page.postMessage({ kind: 'uplink', node, dropped, waiting });
}

function becomeReady(): void {
  ready = true;
  for (const recording of recordings.values()) {
    recording.uplink.rewind();
    recording.last = false;
  }
  for (const { port } of players.values()) port.postMessage('report');
  for (const played of finished.values()) tell(played);
  pump();
}

function record(node: number, port: MessagePort, lossy: boolean): void {
  const recording: Recording = { uplink: new Uplink(), told: '', ended: null, last: false, lossy, byPeer: false, changing: lossy && peer !== null };
  recordings.set(node, recording);
  port.onmessage = ({ data }: MessageEvent<ArrayBuffer | { ended: 'stop' | 'limit' }>) => {
    if (data instanceof ArrayBuffer) recording.uplink.push(data);
    else {
      recording.ended = data.ended;
      unpeer(recording);
    }
    pump();
  };
  measure();
}

function setPeer(port: MessagePort | null): void {
  peer?.close();
  peer = port;
  if (port) port.onmessage = ({ data }: MessageEvent<ArrayBuffer>) => hearSound(data);
  for (const recording of recordings.values()) {
    unpeer(recording);
    recording.changing = port !== null && recording.lossy && recording.ended === null;
  }
  pump();
}

/** A recording goes on by the socket, with all that may not have come. */
function unpeer(recording: Recording): void {
  recording.changing = false;
  if (!recording.byPeer) return;
  recording.byPeer = false;
  recording.uplink.rewind();
}

function play(node: number, epoch: number, port: MessagePort): void {
  players.get(node)?.port.close();
  const playing: Playing = { epoch, port, last: null };
  players.set(node, playing);
  finished.delete(node);
  port.onmessage = ({ data }: MessageEvent<Played>) => {
    playing.last = data;
    tell(data);
  };
  const waiting = early.get(node);
  early.delete(node);
  if (waiting?.epoch === epoch) for (const data of waiting.frames) port.postMessage(data, [data]);
  measure();
}

/** The line is measured while sound is on it, and only then. */
function measure(): void {
  if (pings) return;
  const turn = () => {
    if (recordings.size + players.size === 0) {
      clearInterval(pings);
      pings = 0;
    } else if (asked === null) {
      ping();
    } else {
      page.postMessage({ kind: 'trip', ms: (tenths() - asked) / 10 });
    }
  };
  pings = self.setInterval(turn, PING);
  turn();
}

/** Asks how long the line is, and whether what was sent came. One question at a time. */
function ping(): void {
  if (asked !== null || !ready || !open()) return;
  asked = tenths();
  for (const recording of recordings.values()) {
    recording.uplink.mark();
    recording.last = recording.ended !== null && recording.uplink.idle;
  }
  socket?.send(JSON.stringify({ type: 'ping', at: asked, ...(trip === null ? {} : { trip }) }));
  listen();
}

page.onmessage = ({ data: said }) => {
  switch (said.kind) {
    case 'dial':
      return dial(said.url, said.session);
    case 'hangup':
      return hangup();
    case 'text':
      return sendText(said.data);
    case 'ready':
      return becomeReady();
    case 'awaiting':
      return awaiting(said.anything);
    case 'record':
      return record(said.node, said.port, said.lossy);
    case 'recorded':
      recordings.delete(said.node);
      return;
    case 'peer':
      return setPeer(said.port);
    case 'play':
      return play(said.node, said.epoch, said.port);
    case 'played': {
      const player = players.get(said.node);
      if (player?.epoch !== said.epoch) return;
      if (player.last) finished.set(said.node, player.last);
      player.port.close();
      players.delete(said.node);
    }
  }
};
