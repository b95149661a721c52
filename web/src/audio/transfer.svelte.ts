/** A sound on its way to the server, and what went wrong with it. */
import type { Subscription } from 'rxjs';
import type { NodeState } from '../state/node.svelte';
import type { Page } from '../state/page.svelte';
import { strings } from '../strings';
import { decodeClip } from '../wire/decode';
import { drawName, type Sketch, sketches } from '../wire/sketches';
import type { ClipInfo } from '../wire/types';
import { upload } from '../wire/upload';
import { bytes } from './format';
import type { Take } from './take';

/** Bytes from which on a sound is shown while it comes: shorter ones are there before the first answer. */
const WATCHED = 1 << 20;

export class Transfer {
  going: { name: string; sent: number; total: number } | null = $state.raw(null);
  /** What the server has seen so far of the sound that is being sent. */
  sketch: Sketch | null = $state.raw(null);
  /** A take that did not arrive is not lost: it can be sent again or saved. */
  kept: Blob | null = $state.raw(null);
  /** What went wrong. */
  words: string | null = $state(null);

  private life: Subscription | null = null;

  /** arrived: called before the sound that was sent is shown. */
  constructor(
    private readonly node: NodeState,
    private readonly page: Page,
    private readonly arrived: (clip: ClipInfo) => void,
  ) {}

  /** Sends what was chosen, dropped or pasted, if it can be a sound of at most `limit` bytes. */
  offer(files: Iterable<File> | undefined, limit: number | null): void {
    const all = [...(files ?? [])];
    const file = all[0];
    if (!file) return;
    this.words = null;
    if (all.length > 1) this.words = strings.oneFile;
    // No type at all may still be a sound; the server looks at the content.
    else if (file.type && !/^(audio|video)\/|octet-stream/.test(file.type)) this.words = strings.notAudio(file.name);
    else if (limit !== null && file.size > limit) this.words = strings.tooLarge(bytes(file.size), bytes(limit));
    else this.send(file, file.name, 'upload');
  }

  /** Sends a recording that was made here. */
  sendTake(take: Blob): void {
    this.kept = take;
    this.send(take, strings.takeName, 'stop_recording');
  }

  /** A recording went to a session that is over: what is still here can be saved. */
  lost(take: Take): void {
    const whole = take.keptSeconds === take.seconds;
    const [all, kept] = [take.seconds, take.keptSeconds].map((seconds) => seconds.toFixed(1));
    this.words = whole ? strings.takeGone : strings.takeGonePart(all ?? '', kept ?? '');
    this.kept = take.wav();
  }

  abort(): void {
    this.close();
    this.going = null;
  }

  dismiss(): void {
    this.words = this.kept = null;
  }

  close(): void {
    this.life?.unsubscribe();
  }

  private send(body: Blob, name: string, act: 'upload' | 'stop_recording'): void {
    const { node, page } = this;
    const session = page.token();
    this.words = null;
    if (session === null) {
      this.words = strings.noSession;
      return;
    }
    this.life?.unsubscribe();
    this.going = { name, sent: 0, total: body.size };
    this.sketch = null;
    const settle = page.expect(node);
    const watch = drawName();
    this.life = upload(node.id, session, body, name, watch).subscribe({
      next: (event) => {
        if (event.kind === 'sent') {
          this.going = { name, sent: event.bytes, total: event.total };
          return;
        }
        const got = decodeClip(event.value);
        if (!got) return;
        this.kept = null;
        this.arrived(got);
        node.told = 0;
        node.own(event.value);
        page.act(node, act, { value: { clip: got.clip } });
        settle(true);
      },
      error: (error: unknown) => {
        this.going = null;
        this.words = error instanceof Error ? error.message : String(error);
      },
      complete: () => (this.going = null),
    });
    this.life.add(() => settle(false));
    if (body.size >= WATCHED) this.life.add(sketches(session, watch).subscribe((seen) => (this.sketch = seen)));
  }
}
