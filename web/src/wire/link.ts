/**
 * The page's one connection as a stream of events, kept alive over losses, and losing nothing in either direction.
 *
 * What the server says is numbered, and the page tells with each new socket what it has seen. What the page says is
 * numbered as well: it is kept until the server has told that it came, and sent again with the next socket.
 *
 * The socket itself is a parameter, and so is the scheduler: what happens *when* is tested with marbles.
 */
import {
  Observable,
  concat,
  defer,
  race,
  retry,
  tap,
  throwError,
  timer,
  type SchedulerLike,
  asyncScheduler,
} from 'rxjs';
import { decode, WireError } from './decode';
import type { Act, ClientMessage, ServerMessage } from './types';

/** First and longest wait before another attempt, in milliseconds. */
export const FIRST_WAIT = 250;
export const LONGEST_WAIT = 5000;
/** Longest wait while sound is under way, of which only so much is kept. */
export const LONGEST_WAIT_SOUNDING = 1000;

/** Messages that are kept until the server has them (policy: what is done beyond them is refused, and told). */
export const KEPT = 1000;

/** Milliseconds before attempt number `count` (1 is the first after a loss). */
export function backoff(count: number, longest: number): number {
  return Math.min(longest, FIRST_WAIT * 2 ** (count - 1));
}

export type SocketEvent =
  /** `send` may lose what it is given, if the socket is about to close. */
  | { kind: 'up'; send: (text: string) => void }
  | { kind: 'text'; data: string };

/** Where a lost session is taken up again: its token and the last message seen. */
export interface Resume {
  session: string;
  seq: number;
}

/** Opens a socket; the stream ends or fails when the socket does. */
export type Dial = (resume: Resume | null) => Observable<SocketEvent>;

export type LinkEvent =
  | { kind: 'online' }
  | { kind: 'lost'; attempt: number; wait: number }
  /** The session is over, and so many messages never came there. */
  | { kind: 'gone'; lost: number }
  /** No more is kept of what is done without a connection. */
  | { kind: 'full' }
  | { kind: 'message'; message: ServerMessage }
  | { kind: 'puzzled'; error: WireError };

export interface LinkOptions {
  scheduler?: SchedulerLike;
  /** Emits when it is worth trying at once: the network is back, or somebody pressed a button. */
  hurry?: Observable<unknown>;
  /** Whether sound is under way. */
  sounding?: () => boolean;
}

class Lost extends Error {}

export class Link {
  private session: string | null = null;
  private seq = 0;
  private transmit: ((text: string) => void) | null = null;
  private ready = false;
  private over = false;
  /** Done and not yet sent. */
  private readonly waiting: ClientMessage[] = [];
  /** Sent, and perhaps lost on the way. */
  private readonly unconfirmed: { n: number; text: string; gives: number | null }[] = [];
  private last = 0;
  private full = false;
  private emit: (event: LinkEvent) => void = () => undefined;

  constructor(
    private readonly dial: Dial,
    private readonly options: LinkOptions = {},
  ) {}

  /** The connection's life; subscribing dials, unsubscribing hangs up. To be subscribed once. */
  readonly events: Observable<LinkEvent> = new Observable<LinkEvent>((out) => {
    this.emit = (event) => out.next(event);
    const scheduler = this.options.scheduler ?? asyncScheduler;
    const attempt = defer(() =>
      concat(this.dial(this.resume()), throwError(() => new Lost('the socket closed'))),
    );
    const messages = attempt.pipe(
      tap({
        error: () => {
          this.ready = false;
          this.transmit = null;
        },
      }),
      // Only a message resets the wait: a socket that opens and closes again at once is no success.
      (source) =>
        new Observable<ServerMessage>((inner) =>
          source.subscribe({
            next: (event) => {
              if (event.kind === 'up') {
                this.transmit = event.send;
                return;
              }
              try {
                inner.next(decode(event.data));
              } catch (error) {
                if (!(error instanceof WireError)) throw error;
                out.next({ kind: 'puzzled', error });
              }
            },
            error: (error: unknown) => inner.error(error),
          }),
        ),
      retry({
        resetOnSuccess: true,
        delay: (_error, count) => {
          const wait = backoff(count, this.options.sounding?.() ? LONGEST_WAIT_SOUNDING : LONGEST_WAIT);
          out.next({ kind: 'lost', attempt: count, wait });
          const pause = timer(wait, scheduler);
          return this.options.hurry ? race(pause, this.options.hurry) : pause;
        },
      }),
    );
    const life = messages.subscribe({
      next: (message) => {
        this.receive(message);
        if (this.over) life.unsubscribe();
      },
      error: (error: unknown) => out.error(error),
    });
    return () => life.unsubscribe();
  });

  /** Sends now, or as soon as the session is back; either way it comes there once. */
  send(message: ClientMessage): void {
    if (this.over) return;
    if (message.type === 'ack' || message.type === 'figures') {
      // Worth nothing to another socket: one tells its own place, the other is asked again.
      if (this.ready) this.transmit?.(JSON.stringify(message));
    } else if (this.waiting.length + this.unconfirmed.length >= KEPT) {
      if (!this.full) this.emit({ kind: 'full' });
      this.full = true;
    } else if (this.ready) {
      this.post(message);
    } else {
      keep(this.waiting, message);
    }
  }

  /**
   * Whether the page gave a value to this node that the server did not have when it said its last: what it said about
   * that value is older.
   */
  ahead(node: number): boolean {
    return this.unconfirmed.some((each) => each.gives === node) || this.waiting.some((each) => gives(each) === node);
  }

  /** The session's token, which uploads carry. */
  token(): string | null {
    return this.session;
  }

  private resume(): Resume | null {
    return this.session === null ? null : { session: this.session, seq: this.seq };
  }

  private receive(message: ServerMessage): void {
    switch (message.type) {
      case 'open':
        this.session = message.session;
        this.seq = message.seq;
        this.back(message.got);
        this.emit({ kind: 'message', message });
        return;
      case 'resume':
        this.back(message.got);
        return;
      case 'gone':
        this.over = true;
        this.emit({ kind: 'gone', lost: this.waiting.length + this.unconfirmed.length });
        return;
      case 'got':
        this.confirm(message.n);
        return;
      case 'patches':
        if (message.got !== null) this.confirm(message.got);
        if (message.seq <= this.seq) return; // sent again after a resume, and already shown
        this.seq = message.seq;
        this.emit({ kind: 'message', message });
        return;
      case 'figures':
      case 'refused':
        this.emit({ kind: 'message', message });
    }
  }

  /** The session is there: what did not come goes out again, and then what waited. */
  private back(got: number): void {
    this.confirm(got);
    for (const { text } of this.unconfirmed) this.transmit?.(text);
    this.ready = true;
    for (const message of this.waiting.splice(0)) this.post(message);
    this.emit({ kind: 'online' });
  }

  private post(message: ClientMessage): void {
    this.last += 1;
    const text = JSON.stringify({ ...message, n: this.last });
    this.unconfirmed.push({ n: this.last, text, gives: gives(message) });
    this.transmit?.(text);
  }

  private confirm(got: number): void {
    while ((this.unconfirmed[0]?.n ?? Infinity) <= got) this.unconfirmed.shift();
    this.full = false;
  }
}

/** Puts what was done while offline into line: of typing only the last state, of impatient clicks only one. */
export function keep(waiting: ClientMessage[], message: ClientMessage): void {
  const last = waiting.at(-1);
  if (message.type === 'act' && last?.type === 'act' && same(last, message)) {
    waiting[waiting.length - 1] = message;
    return;
  }
  waiting.push(message);
}

/** The node whose value a message replaces, if it does. */
const gives = (message: ClientMessage) =>
  message.type === 'act' && (message.value !== undefined || message.act === 'clear') ? message.node : null;

const same = (a: Act, b: Act) => a.node === b.node && a.act === b.act;
