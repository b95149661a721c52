/** A file on its way to the server, with progress; unsubscribing cancels it. */
import { Observable } from 'rxjs';
import { strings } from '../strings';
import type { Json } from './types';

export type UploadEvent =
  | { kind: 'sent'; bytes: number; total: number }
  | { kind: 'done'; value: Json };

export class UploadError extends Error {}

/** `watch` is what it can be asked for by while it runs. XMLHttpRequest, because fetch cannot tell how much has been sent. */
export function upload(
  node: number,
  session: string,
  body: Blob,
  name: string,
  watch?: string,
): Observable<UploadEvent> {
  return new Observable<UploadEvent>((out) => {
    const url = new URL('upload', document.baseURI);
    url.hash = '';
    url.searchParams.set('node', String(node));
    url.searchParams.set('name', name);
    if (watch !== undefined) url.searchParams.set('watch', watch);
    const request = new XMLHttpRequest();
    request.open('POST', url);
    request.setRequestHeader('X-Ossicle-Session', session);
    request.setRequestHeader('Content-Type', 'application/octet-stream');
    request.upload.onprogress = (event) =>
      out.next({ kind: 'sent', bytes: event.loaded, total: body.size });
    request.onload = () => {
      const answer = parse(request.responseText);
      if (request.status === 200 && answer !== undefined) {
        out.next({ kind: 'done', value: answer });
        out.complete();
      } else {
        out.error(new UploadError(errorIn(answer) ?? strings.uploadFailed(request.status)));
      }
    };
    request.onerror = () => out.error(new UploadError(strings.uploadLost));
    request.send(body);
    return () => {
      if (request.readyState !== XMLHttpRequest.DONE) request.abort();
    };
  });
}

function parse(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined; // a proxy's HTML error page, for one
  }
}

function errorIn(answer: Json | undefined): string | null {
  if (answer === null || typeof answer !== 'object' || Array.isArray(answer)) return null;
  return typeof answer.error === 'string' ? answer.error : null;
}
