import { concat, NEVER, Observable, of, Subject } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { backoff, keep, KEPT, Link, LONGEST_WAIT, type Dial, type LinkEvent, type Resume, type SocketEvent } from '../src/wire/link';
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
  const waits = [1, 2, 3, 4, 5, 6, 20].map((count) => backoff(count, LONGEST_WAIT));
  expect(waits).toEqual([250, 500, 1000, 2000, 4000, 5000, 5000]);
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

  it('tries each second while sound is under way', () => {
    const scheduler = new TestScheduler((a, b) => expect(a).toEqual(b));
    scheduler.run(({ cold }) => {
      let sounding = true;
      const link = new Link(dialing(of(), of(), of(), of(), of(), of()), { scheduler, sounding: () => sounding });
      const waits: number[] = [];
      const life = link.events.subscribe((event) => event.kind === 'lost' && waits.push(event.wait));
      cold('3000ms (x|)').subscribe(() => (sounding = false));
      cold('9000ms (x|)').subscribe(() => {
        expect(waits).toEqual([250, 500, 1000, 1000, 1000, 5000]);
        life.unsubscribe();
      });
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
    expect(sent.map((frame) => JSON.parse(frame) as object)).toMatchObject([1, 2, 3].map((n) => ({ node: n, n })));
    life.unsubscribe();
  });

  /** A link whose sockets are in the test's hands; each is up and has found the session, where `got` messages came. */
  function living() {
    const sockets: Subject<SocketEvent>[] = [];
    const hurry = new Subject<void>();
    const events: LinkEvent[] = [];
    const link = new Link(
      () => {
        const socket = new Subject<SocketEvent>();
        sockets.push(socket);
        return socket;
      },
      { hurry },
    );
    const life = link.events.subscribe((event) => events.push(event));
    const say = (message: object) => sockets.at(-1)?.next(text(message));
    const resume = (got: number) => {
      sockets.at(-1)?.next(up);
      say({ type: 'resume', session: 'abc', seq: 0, got });
    };
    const cut = () => {
      sockets.at(-1)?.complete();
      hurry.next();
    };
    sockets[0]?.next(up);
    sockets[0]?.next(text(opening()));
    const numbers = () => sent.splice(0).map((frame) => (JSON.parse(frame) as { n: number }).n);
    return { link, life, events, say, resume, cut, numbers };
  }

  it('is sent again after a loss, unless it came', () => {
    const { link, life, resume, cut, numbers } = living();
    for (const node of [1, 2, 3, 4]) link.send(act(node, 'click'));
    expect(numbers()).toEqual([1, 2, 3, 4]);
    cut();
    link.send(act(5, 'click'));
    resume(2);
    link.send(act(6, 'click'));
    expect(numbers()).toEqual([3, 4, 5, 6]);
    cut();
    resume(6);
    expect(numbers()).toEqual([]);
    life.unsubscribe();
  });

  it('is not kept once the server has told that it came', () => {
    const { link, life, say, resume, cut, numbers } = living();
    for (const node of [1, 2, 3, 4, 5]) link.send(act(node, 'click'));
    say({ type: 'patches', seq: 1, got: 2, patches: [] });
    say({ type: 'got', n: 3 });
    numbers();
    cut();
    // An old patch that is sent again tells an old number.
    resume(0);
    say({ type: 'patches', seq: 2, got: 2, patches: [] });
    expect(numbers()).toEqual([4, 5]);
    life.unsubscribe();
  });

  it('without a connection is kept up to a bound, and what is beyond is told once', () => {
    const { link, life, events, resume, cut, numbers } = living();
    cut();
    for (let n = 0; n < KEPT + 10; n++) link.send(act(n % 7, 'click'));
    expect(events.filter((event) => event.kind === 'full')).toHaveLength(1);
    resume(0);
    expect(numbers()).toHaveLength(KEPT);
    life.unsubscribe();
  });

  it('and never came is counted when the session is over', () => {
    const { link, life, events, say, cut } = living();
    link.send(act(1, 'click'));
    say({ type: 'got', n: 1 });
    link.send(act(2, 'click'));
    cut();
    link.send(act(3, 'click'));
    say({ type: 'gone' });
    expect(events.at(-1)).toEqual({ kind: 'gone', lost: 2 });
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
