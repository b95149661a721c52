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

/**
 * Milliseconds that a player of what was sent leaves to what the app answers: one thread makes both, and it is the
 * answer that is waited for.
 */
const ANSWER_FIRST = 150;

export class Transfer {
  going: { name: string; sent: number; total: number } | null = $state.raw(null);
  /** What the server has seen so far of the sound that is being sent. */
  sketch: Sketch | null = $state.raw(null);
  /** A take that did not arrive is not lost: it can be sent again or saved. */
  kept: Blob | null = $state.raw(null);
  /** What went wrong. */
  words: string | null = $state(null);

  /** The handle of the sound that was sent last. */
  sent: string | null = $state(null);

  private life: Subscription | null = null;
  /** All is there, and an answer may come: `given` of the node as it was then. */
  private leaves: number | null = $state(null);
  private pause = 0;
  private over = false;

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

  /** What is shown of it: no more once the app put another value here. */
  get shown(): typeof this.going {
    return this.leaves === null || this.leaves === this.node.given ? this.going : null;
  }

  /** Sends a recording that was made here. */
  async sendTake(take: Take): Promise<void> {
    const made = await this.file(take);
    if (made && !this.over) this.sendAgain(made);
  }

  /** Sends a recording that was made here, and is still kept. */
  sendAgain(take: Blob): void {
    this.kept = take;
    this.send(take, strings.takeName, 'stop_recording');
  }

  /** A recording went to a session that is over: what is still here can be saved. */
  async lost(take: Take): Promise<void> {
    const whole = take.keptSeconds === take.seconds;
    const [all, kept] = [take.seconds, take.keptSeconds].map((seconds) => seconds.toFixed(1));
    this.words = whole ? strings.takeGone : strings.takeGonePart(all ?? '', kept ?? '');
    this.kept = await this.file(take);
  }

  abort(): void {
    this.stop();
    this.going = null;
  }

  dismiss(): void {
    this.words = this.kept = null;
  }

  /** Its component is gone. */
  close(): void {
    this.over = true;
    this.stop();
  }

  /** A take as a file; null, and what went wrong, where the browser does not give back what it was given. */
  private async file(take: Take): Promise<Blob | null> {
    try {
      return await take.wav();
    } catch (error) {
      this.words = strings.takeUnread(error instanceof Error ? error.message : String(error));
      return null;
    }
  }

  private stop(): void {
    this.life?.unsubscribe();
    clearTimeout(this.pause);
  }

  private send(body: Blob, name: string, act: 'upload' | 'stop_recording'): void {
    const { node, page } = this;
    const session = page.token();
    this.words = null;
    if (session === null) {
      this.words = strings.noSession;
      return;
    }
    this.stop();
    this.going = { name, sent: 0, total: body.size };
    this.sketch = this.leaves = null;
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
        this.sent = got.clip;
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
      complete: () => {
        if (!['input', 'change'].some((port) => node.ports.has(port)) && !node.ports.has(act)) {
          this.going = null;
          return;
        }
        this.leaves = node.given;
        this.pause = window.setTimeout(() => (this.going = null), ANSWER_FIRST);
      },
    });
    this.life.add(() => settle(false));
    if (body.size >= WATCHED) this.life.add(sketches(session, watch).subscribe((seen) => (this.sketch = seen)));
  }
}
