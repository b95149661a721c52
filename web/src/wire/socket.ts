/** The page's side of the socket's worker: a socket as an Observable, and the way of sound past the page. */
import { Observable, Subject } from 'rxjs';
import { Peer } from '../live/peer';
import type { Dial, SocketEvent } from './link';
import type { FromWorker, ToWorker } from './socket.worker';

/** `ws` beside the page, whatever prefix the page is mounted under. */
export function socketUrl(page: string, query: Record<string, string | number>): string {
  const url = new URL('ws', page);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  url.hash = '';
  for (const [key, value] of Object.entries(query)) url.searchParams.set(key, String(value));
  return url.href;
}

export type SoundEvent =
  | Extract<FromWorker, { kind: 'ended' | 'uplink' | 'trip' }>
  /** Milliseconds of a recording that no function got so far, because the app is too slow. */
  | { kind: 'missed'; node: number; ms: number };

/** The way of live sound between the audio thread and the server. */
export interface Sounds {
  readonly events: Observable<SoundEvent>;
  /** Whether something is recorded or heard. */
  sounding(): boolean;
  /** The session is there, and what was kept for it was sent: sound may follow. */
  ready(): void;
  /** Whether the server owes something: then a line that died in silence is noticed by itself. */
  awaiting(anything: boolean): void;
  /**
   * Sends what comes out of `port` as a recording of a node. Text that was sent before goes before it. `lossy`: the way
   * that loses may be taken once it is open.
   */
  record(node: number, port: MessagePort, lossy: boolean): void;
  recorded(node: number): void;
  /** The app was too slow for so much of a recording. */
  missed(node: number, ms: number): void;
  /** Gives a stream's frames to `port`. */
  play(node: number, epoch: number, port: MessagePort): void;
  played(node: number, epoch: number): void;
  /** Tries to open a way that loses rather than waits; one for all recordings that may take it. */
  connect(node: number, iceServers: string[]): void;
  /** This node needs that way no more. */
  disconnect(node: number): void;
}

export class Wire implements Sounds {
  readonly events = new Subject<SoundEvent>();
  private readonly worker = new Worker(new URL('./socket.worker.ts', import.meta.url), { type: 'module' });
  private socket: ((event: FromWorker) => void) | null = null;
  private peer: Peer | null = null;
  private readonly recordings = new Set<number>();
  private readonly streams = new Set<number>();
  /** Who records, and may take the way that loses. */
  private readonly lossy = new Set<number>();
  private iceServers: string[] = [];

  constructor() {
    this.worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      switch (data.kind) {
        case 'up':
        case 'text':
        case 'down':
          if (data.kind === 'down') this.hangUp();
          this.socket?.(data);
          return;
        case 'answer':
          this.peer?.answered(data.sdp);
          return;
        default:
          this.events.next(data);
      }
    };
    // Without its worker the page has no line; it goes on trying.
    this.worker.onerror = () => this.socket?.({ kind: 'down' });
  }

  readonly dial: Dial = (resume) =>
    new Observable<SocketEvent>((out) => {
      const send = (text: string) => this.say({ kind: 'text', data: text });
      this.socket = (event) => {
        if (event.kind === 'up') out.next({ kind: 'up', send });
        else if (event.kind === 'text') out.next({ kind: 'text', data: event.data });
        else out.complete();
      };
      const url = socketUrl(document.baseURI, resume ? { seq: resume.seq } : {});
      this.say({ kind: 'dial', url, session: resume?.session ?? null });
      return () => {
        this.socket = null;
        this.say({ kind: 'hangup' });
      };
    });

  sounding(): boolean {
    return this.recordings.size + this.streams.size > 0;
  }

  ready(): void {
    this.say({ kind: 'ready' });
    // It ended with the line before.
    if (this.lossy.size > 0) this.open();
  }

  awaiting(anything: boolean): void {
    this.say({ kind: 'awaiting', anything });
  }

  record(node: number, port: MessagePort, lossy: boolean): void {
    this.recordings.add(node);
    this.say({ kind: 'record', node, port, lossy }, port);
  }

  recorded(node: number): void {
    this.recordings.delete(node);
    this.say({ kind: 'recorded', node });
  }

  missed(node: number, ms: number): void {
    this.events.next({ kind: 'missed', node, ms });
  }

  play(node: number, epoch: number, port: MessagePort): void {
    this.streams.add(node);
    this.say({ kind: 'play', node, epoch, port }, port);
  }

  played(node: number, epoch: number): void {
    this.streams.delete(node);
    this.say({ kind: 'played', node, epoch });
  }

  connect(node: number, iceServers: string[]): void {
    this.lossy.add(node);
    this.iceServers = iceServers;
    this.open();
  }

  private open(): void {
    if (this.peer) return;
    const peer = (this.peer = new Peer(this.iceServers, {
      offer: (sdp) => this.say({ kind: 'text', data: JSON.stringify({ type: 'rtc', sdp }) }),
      open: (port) => this.say({ kind: 'peer', port }, port),
      closed: () => this.peer === peer && this.hangUp(),
    }));
  }

  disconnect(node: number): void {
    this.lossy.delete(node);
    if (this.lossy.size === 0) this.hangUp();
  }

  private hangUp(): void {
    if (!this.peer) return;
    this.peer.close();
    this.peer = null;
    this.say({ kind: 'peer', port: null });
  }

  private say(message: ToWorker, ...ports: MessagePort[]): void {
    this.worker.postMessage(message, ports);
  }
}

/** For a page without sound: nothing goes anywhere. */
export const noSounds: Sounds = {
  events: new Observable(),
  sounding: () => false,
  ready: () => undefined,
  awaiting: () => undefined,
  record: () => undefined,
  recorded: () => undefined,
  missed: () => undefined,
  play: () => undefined,
  played: () => undefined,
  connect: () => undefined,
  disconnect: () => undefined,
};
