/** A browser WebSocket as an Observable that ends with the socket. */
import { Observable } from 'rxjs';
import type { Dial, SocketEvent } from './link';

/** `ws` beside the page, whatever prefix the page is mounted under. */
export function socketUrl(page: string, query: Record<string, string | number>): string {
  const url = new URL('ws', page);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  url.hash = '';
  for (const [key, value] of Object.entries(query)) url.searchParams.set(key, String(value));
  return url.href;
}

export const dialPage: Dial = (resume) =>
  new Observable<SocketEvent>((out) => {
    const socket = new WebSocket(socketUrl(document.baseURI, resume ? { ...resume } : {}));
    const send = (text: string) => {
      // A closing socket would swallow it without a word.
      if (socket.readyState !== WebSocket.OPEN) return false;
      socket.send(text);
      return true;
    };
    socket.onopen = () => out.next({ kind: 'up', send });
    socket.onmessage = (event: MessageEvent<unknown>) => {
      if (typeof event.data === 'string') out.next({ kind: 'text', data: event.data });
    };
    socket.onclose = () => out.complete(); // an error is always followed by a close
    return () => {
      socket.onclose = null;
      socket.close();
    };
  });
