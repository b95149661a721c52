/**
 * The page's one connection as a stream of events, kept alive over losses.
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

/** Milliseconds before attempt number `count` (1 is the first after a loss). */
export function backoff(count: number): number {
  return Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** (count - 1));
}

export type SocketEvent =
  /** `send` answers whether the socket still took it. */
  | { kind: 'up'; send: (text: string) => boolean }
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
  | { kind: 'gone' }
  | { kind: 'message'; message: ServerMessage }
  | { kind: 'puzzled'; error: WireError };

export interface LinkOptions {
  scheduler?: SchedulerLike;
  /** Emits when it is worth trying at once: the network is back, or somebody pressed a button. */
  hurry?: Observable<unknown>;
}

class Lost extends Error {}

export class Link {
  private session: string | null = null;
  private seq = 0;
  private transmit: ((text: string) => boolean) | null = null;
  private ready = false;
  private over = false;
  private readonly waiting: ClientMessage[] = [];

  constructor(
    private readonly dial: Dial,
    private readonly options: LinkOptions = {},
  ) {}

  /** The connection's life; subscribing dials, unsubscribing hangs up. To be subscribed once. */
  readonly events: Observable<LinkEvent> = new Observable<LinkEvent>((out) => {
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
          const wait = backoff(count);
          out.next({ kind: 'lost', attempt: count, wait });
          const pause = timer(wait, scheduler);
          return this.options.hurry ? race(pause, this.options.hurry) : pause;
        },
      }),
    );
    const life = messages.subscribe({
      next: (message) => {
        this.receive(message, (event) => out.next(event));
        if (this.over) life.unsubscribe();
      },
      error: (error: unknown) => out.error(error),
    });
    return () => life.unsubscribe();
  });

  /** Sends now, or as soon as the session is back. */
  send(message: ClientMessage): void {
    if (this.over) return;
    if (this.ready && this.transmit?.(JSON.stringify(message))) return;
    if (message.type !== 'ack') keep(this.waiting, message);
  }

  /** The session's token, which uploads carry. */
  token(): string | null {
    return this.session;
  }

  private resume(): Resume | null {
    return this.session === null ? null : { session: this.session, seq: this.seq };
  }

  private receive(message: ServerMessage, emit: (event: LinkEvent) => void): void {
    switch (message.type) {
      case 'open':
        this.session = message.session;
        this.seq = message.seq;
        this.flush();
        emit({ kind: 'online' });
        emit({ kind: 'message', message });
        return;
      case 'resume':
        this.flush();
        emit({ kind: 'online' });
        return;
      case 'gone':
        this.over = true;
        this.waiting.length = 0;
        emit({ kind: 'gone' });
        return;
      case 'patches':
        if (message.seq <= this.seq) return; // sent again after a resume, and already shown
        this.seq = message.seq;
        emit({ kind: 'message', message });
        return;
      case 'refused':
        emit({ kind: 'message', message });
    }
  }

  private flush(): void {
    this.ready = true;
    for (const message of this.waiting.splice(0)) this.send(message);
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

const same = (a: Act, b: Act) => a.node === b.node && a.act === b.act;
