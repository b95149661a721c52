import { concat, NEVER, Observable, of, Subject } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { backoff, keep, Link, type Dial, type LinkEvent, type Resume, type SocketEvent } from '../src/wire/link';
import type { ClientMessage } from '../src/wire/types';
import { opening } from './build';

let sent: string[];
let dialled: (Resume | null)[];

beforeEach(() => {
  sent = [];
  dialled = [];
});

const up: SocketEvent = { kind: 'up', send: (text) => sent.push(text) > 0 };
const text = (message: object | string): SocketEvent => ({
  kind: 'text',
  data: typeof message === 'string' ? message : JSON.stringify(message),
});
const patches = (seq: number) => ({ type: 'patches', seq, patches: [] });

/** Each dial takes the next of these sockets. */
function dialing(...sockets: Observable<SocketEvent>[]): Dial {
  return (resume) => {
    dialled.push(resume);
    return sockets[dialled.length - 1] ?? NEVER;
  };
}

const names = (event: LinkEvent): string =>
  event.kind === 'message' ? `${event.message.type}${'seq' in event.message ? event.message.seq : ''}` : event.kind;

function marbles(body: (helpers: { scheduler: TestScheduler; at: (time: number, dial: Dial, hurry?: Observable<unknown>) => [number, string][] }) => void) {
  const scheduler = new TestScheduler((a, b) => expect(a).toEqual(b));
  body({
    scheduler,
    at: (time, dial, hurry) => {
      const seen: [number, string][] = [];
      const link = new Link(dial, hurry ? { scheduler, hurry } : { scheduler });
      scheduler.run(({ cold }) => {
        const life = link.events.subscribe((event) => seen.push([scheduler.now(), names(event)]));
        cold(`${time}ms (x|)`).subscribe(() => life.unsubscribe());
      });
      return seen;
    },
  });
}

it('waits twice as long each time, up to five seconds', () => {
  expect([1, 2, 3, 4, 5, 6, 20].map(backoff)).toEqual([250, 500, 1000, 2000, 4000, 5000, 5000]);
});

describe('a link', () => {
  it('opens a session, loses it and takes it up again where it was', () => {
    marbles(({ at }) => {
      const first = of(up, text(opening()), text(patches(1)), text(patches(2)));
      const second = concat(of(up, text({ type: 'resume', session: 'abc', seq: 2 }), text(patches(3))), NEVER);
      expect(at(1000, dialing(first, second))).toEqual([
        [0, 'online'],
        [0, 'open0'],
        [0, 'patches1'],
        [0, 'patches2'],
        [0, 'lost'],
        [250, 'online'],
        [250, 'patches3'],
      ]);
    });
    expect(dialled).toEqual([null, { session: 'abc', seq: 2 }]);
  });

  it('shows nothing twice that is sent again after a resume', () => {
    marbles(({ at }) => {
      const first = of(up, text(opening()), text(patches(1)), text(patches(2)));
      const second = concat(
        of(up, text({ type: 'resume', session: 'abc', seq: 3 }), text(patches(2)), text(patches(3))),
        NEVER,
      );
      const shown = at(1000, dialing(first, second)).map(([, name]) => name);
      expect(shown.filter((name) => name === 'patches2')).toHaveLength(1);
      expect(shown.at(-1)).toBe('patches3');
    });
  });

  it('backs off while nobody answers, and starts over after a message', () => {
    marbles(({ at }) => {
      const dead: Observable<SocketEvent> = of();
      const alive = of(up, text(opening()));
      const lost = at(3000, dialing(dead, dead, dead, alive, dead, NEVER)).filter(([, name]) => name === 'lost');
      //      250 after 0, 500 after 250, 1000 after 750; then from the start again
      expect(lost.map(([time]) => time)).toEqual([0, 250, 750, 1750, 2000]);
    });
  });

  it('does not take a socket that opens and closes at once for a success', () => {
    marbles(({ at }) => {
      const lost = at(900, dialing(of(up), of(up), of(up))).filter(([, name]) => name === 'lost');
      expect(lost.map(([time]) => time)).toEqual([0, 250, 750]);
    });
  });

  it('tries at once when it is told to hurry', () => {
    const scheduler = new TestScheduler((a, b) => expect(a).toEqual(b));
    scheduler.run(({ cold }) => {
      const hurry = new Subject<void>();
      const link = new Link(dialing(of(), of(), of(), of()), { scheduler, hurry });
      const life = link.events.subscribe();
      cold('800ms (x|)').subscribe(() => {
        expect(dialled).toHaveLength(3); // at 0, 250 and 750; the next would come at 1750
        hurry.next();
        expect(dialled).toHaveLength(4);
        life.unsubscribe();
      });
    });
  });

  it('gives up when the session is gone', () => {
    marbles(({ at }) => {
      const first = of(up, text(opening()));
      const second = of(up, text({ type: 'gone' }));
      const events = at(60_000, dialing(first, second));
      expect(events.map(([, name]) => name)).toEqual(['online', 'open0', 'lost', 'gone']);
    });
    expect(dialled).toHaveLength(2);
  });

  it('goes on after a frame that it does not understand', () => {
    marbles(({ at }) => {
      const socket = concat(of(up, text(opening()), text('{"type":"news"}'), text(patches(1))), NEVER);
      expect(at(10, dialing(socket)).map(([, name]) => name)).toEqual(['online', 'open0', 'puzzled', 'patches1']);
    });
  });
});

describe('what the page sends', () => {
  const act = (node: number, name: string, value?: string): ClientMessage =>
    value === undefined ? { type: 'act', node, act: name } : { type: 'act', node, act: name, value };

  it('waits for the session and then keeps its order', () => {
    const socket = new Subject<SocketEvent>();
    const link = new Link(() => socket);
    const life = link.events.subscribe();
    link.send(act(1, 'input', 'a'));
    link.send(act(2, 'click'));
    socket.next(up);
    expect(sent).toEqual([]);
    socket.next(text(opening()));
    link.send(act(3, 'click'));
    expect(sent.map((frame) => (JSON.parse(frame) as { node: number }).node)).toEqual([1, 2, 3]);
    life.unsubscribe();
  });

  it('into a socket that is closing is kept for the next one', () => {
    const sockets = [new Subject<SocketEvent>(), new Subject<SocketEvent>()];
    let dials = 0;
    const hurry = new Subject<void>();
    const link = new Link(() => sockets[dials++] ?? NEVER, { hurry });
    const life = link.events.subscribe();
    sockets[0]?.next({ kind: 'up', send: () => false });
    sockets[0]?.next(text(opening()));
    link.send(act(1, 'click'));
    sockets[0]?.complete();
    hurry.next();
    sockets[1]?.next(up);
    sockets[1]?.next(text({ type: 'resume', session: 'abc', seq: 0 }));
    expect(sent).toEqual([JSON.stringify(act(1, 'click'))]);
    life.unsubscribe();
  });

  it('while offline is kept: of typing the last state, of impatient clicks one', () => {
    const waiting: ClientMessage[] = [];
    for (const message of [act(1, 'input', 'a'), act(1, 'input', 'ab'), act(2, 'click'), act(2, 'click'), act(1, 'input', 'abc')])
      keep(waiting, message);
    expect(waiting).toEqual([act(1, 'input', 'ab'), act(2, 'click'), act(1, 'input', 'abc')]);
  });

  it('is not an old acknowledgement after a loss', () => {
    const socket = new Subject<SocketEvent>();
    const link = new Link(() => socket);
    const life = link.events.subscribe();
    link.send({ type: 'ack', seq: 4 });
    socket.next(up);
    socket.next(text(opening()));
    expect(sent).toEqual([]);
    life.unsubscribe();
  });
});
