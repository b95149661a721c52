/** The outline of a sound that is being sent, as far as the server has looked through it. */
import { catchError, EMPTY, exhaustMap, type Observable, timer } from 'rxjs';
import { fromFetch } from 'rxjs/fetch';
import { decodePeaks, type Peaks } from '../audio/peaks';

export interface Sketch {
  /** From the first frame on. */
  peaks: Peaks;
  /** Frames, from the first on, of which every sample was looked at; of the others some were. */
  exact: number;
  /** Frames that there will be, as the file says. */
  of: number;
}

/** Between two questions, in ms. */
const EVERY = 300;
/** As many columns as the widest sound on a page has pixels, nearly. */
const WIDTH = 2048;

/** A name for an upload that nobody can guess: 128 bits. */
export function drawName(): string {
  // Not randomUUID: pages that came over plain http have none.
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, '0')).join('');
}

/** Asks again and again until it is unsubscribed; one question at a time. A missing answer is no error. */
export function sketches(session: string, name: string): Observable<Sketch> {
  return timer(EVERY, EVERY).pipe(
    exhaustMap(() => ask(session, name).pipe(catchError(() => EMPTY))), // the upload itself says what is wrong
  );
}

function ask(session: string, name: string): Observable<Sketch> {
  const url = new URL('upload/peaks', document.baseURI);
  url.searchParams.set('watch', name);
  url.searchParams.set('width', String(WIDTH));
  return fromFetch(url.href, {
    headers: { 'X-Ossicle-Session': session },
    selector: (answer) => (answer.status === 200 ? read(answer) : EMPTY),
  });
}

async function read(answer: Response): Promise<Sketch> {
  const got = (name: string) => Number(answer.headers.get(`X-Ossicle-${name}`));
  const body = await answer.arrayBuffer();
  return { peaks: decodePeaks(body, got('Channels'), got('Width'), 0, got('Frames')), exact: got('Exact'), of: got('Of') };
}
