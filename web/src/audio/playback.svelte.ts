/** A sound's play head: the element that plays it, where it stands, and what the server is told of it. */
import { flag, record, text } from '../components/props';
import type { NodeState } from '../state/node.svelte';
import type { Page } from '../state/page.svelte';
import { strings } from '../strings';
import type { ClipInfo, Json } from '../wire/types';
import type { Span } from './wave';

/** Milliseconds. */
const TELL_EVERY = 1000;

/** Browsers cut times to microseconds or worse; a smaller difference (seconds) is no other place. */
const SAME_PLACE = 0.002;

export class Playback {
  media: HTMLAudioElement | undefined = $state.raw();
  playing = $state(false);
  /** Seconds. */
  time = $state(0);
  speed = $state(1);
  volume = $state(1);
  muted = $state(false);
  looping = $derived.by(() => flag(this.node.props.loop, false)); // the user may choose otherwise
  trouble: string | null = $state(null);
  /** Seconds. */
  readonly duration: number;

  /** Playback stops at the end of the selection. */
  private within = $state(false);
  private teller: number | null = null;
  private over = false;

  /** Made by a component, in its beginning: what is watched here is watched as long as that stands. */
  constructor(
    private readonly node: NodeState,
    private readonly page: Page,
    private readonly clip: ClipInfo,
    private readonly selection: () => Span | null,
  ) {
    this.duration = clip.frames / clip.rate;
    $effect(() => this.follow());
    $effect(() => this.tune());
    // What a user's act reads is told before it; what a timer reads is at most this old.
    $effect(() => {
      void this.time;
      this.teller ??= window.setTimeout(() => {
        this.teller = null;
        this.tell();
      }, TELL_EVERY);
    });
  }

  /** Loads the sound; what it returns ends it all. */
  open(media: HTMLAudioElement, autoplay: boolean): () => void {
    const { node, page } = this;
    media.src = new URL(this.clip.url, document.baseURI).href;
    page.players.set(node.id, this.tell);
    if (autoplay) this.play();
    return () => {
      if (this.playing) this.paused(); // what is emptied says nothing more itself
      // Out of the page it would still load its sound, which the server may soon have no more.
      this.over = true;
      media.removeAttribute('src');
      media.load();
      if (this.teller !== null) clearTimeout(this.teller);
      if (page.players.get(node.id) === this.tell) page.players.delete(node.id);
    };
  }

  // -- what people do

  play(): void {
    this.trouble = null;
    if (this.media?.error) this.media.load(); // what failed may have been the line
    this.media?.play().catch((error: unknown) => {
      if (error instanceof DOMException && error.name === 'AbortError') return; // paused before it began
      const unasked = error instanceof DOMException && error.name === 'NotAllowedError';
      if (unasked) this.trouble = strings.clickToPlay;
      else void this.broken();
    });
  }

  /** Somebody may play it soon. */
  load = (): void => {
    if (this.media?.preload === 'none') this.media.preload = 'metadata';
  };

  toggle(): void {
    if (!this.media) return;
    this.within = false;
    if (this.media.paused) this.play();
    else this.media.pause();
  }

  seek(to: number): void {
    if (!this.media) return;
    if (to !== this.time) this.load();
    this.media.currentTime = this.time = Math.min(this.duration, Math.max(0, to));
  }

  /** From here to the end of the selection. */
  playWithin(): void {
    this.within = true;
    this.play();
  }

  /** There is no selection any more. */
  leave(): void {
    this.within = false;
  }

  // -- what the element says

  began = (): void => {
    this.playing = true;
    this.say('play');
  };

  paused = (): void => {
    this.playing = false;
    if (!this.media) return;
    this.moved();
    // At the natural end the browser pauses first; that is told as `end` alone.
    if (!this.media.ended) this.say('pause');
  };

  ended = (): void => this.say('end');

  /** A place that was asked for is kept as it was asked. */
  moved = (): void => {
    const now = this.media?.currentTime ?? 0;
    if (this.playing || Math.abs(now - this.time) > SAME_PLACE) this.time = now;
  };

  /** The element only knows that it cannot play it; the server may know why. */
  broken = async (): Promise<void> => {
    if (this.over) return;
    const answer = await fetch(this.clip.url, { headers: { Range: 'bytes=0-0' } }).catch(() => null);
    const said: unknown = answer?.ok ? null : await answer?.json().catch(() => null);
    this.trouble = answer ? text(record(said as Json).error, strings.unplayable) : strings.unreachable;
  };

  // -- what the server is told

  /** Where the play head is, if somebody could read it there. */
  private readonly tell = (): void => {
    if (this.node.told === this.time || !this.page.watched(this.node)) return;
    this.node.told = this.time;
    this.page.act(this.node, 'moved', { data: { playback_position: this.time } });
  };

  private say(act: 'play' | 'pause' | 'end'): void {
    if (!this.page.heard(this.node, act)) return this.tell();
    this.node.told = this.time;
    this.page.act(this.node, act, { data: { playback_position: this.time } });
  }

  // -- what follows from it

  private tune(): void {
    if (!this.media) return;
    this.media.playbackRate = this.speed;
    this.media.preservesPitch = true;
    this.media.volume = this.volume;
    this.media.muted = this.muted;
    this.media.loop = this.looping && !this.within;
  }

  /** `timeupdate` comes four times a second: a play head needs every frame. */
  private follow(): (() => void) | undefined {
    const { media } = this;
    if (!this.playing || !media) return;
    const step = () => {
      this.time = media.currentTime;
      const span = this.selection();
      if (this.within && span && this.time >= span.end) this.stopAt(media, span);
      frame = requestAnimationFrame(step);
    };
    let frame = requestAnimationFrame(step);
    return () => cancelAnimationFrame(frame);
  }

  private stopAt(media: HTMLAudioElement, span: Span): void {
    if (this.looping) media.currentTime = span.start;
    else {
      media.pause();
      media.currentTime = span.end;
      this.within = false;
    }
  }
}
