/** A drawn sound one can seek, select, pan and zoom into, down to its samples. */
import { drawPeaks, fetchPeaks, type Drawn, type Peaks, type Tones } from './peaks';

export interface Span {
  /** Seconds. */
  start: number;
  end: number;
}

export interface WaveOptions {
  host: HTMLElement;
  peaksUrl: string;
  frames: number;
  rate: number;
  colours: () => { wave: Tones; played: Tones; cursor: string; selection: string };
  onSeek: (time: number) => void;
  onSelect: (span: Span | null) => void;
  /** The part that is on screen. */
  onView: (view: Span) => void;
  onReady: () => void;
  onError: (error: Error) => void;
}

/** The server gives no more columns at once. */
const MOST_COLUMNS = 8192;
/** Frames that are never divided further: closer there is nothing more to see. */
const CLOSEST = 24;
/** So long (ms) until an outline is asked for again that did not come. */
const AGAIN = 2000;
/** A finer outline is asked for when the view has stood still for so long, in ms. */
const CALM = 80;
/** A pointer that moved less, in CSS pixels, has clicked. */
const STILL = 3;

type Grip = 'new' | 'start' | 'end' | 'move' | 'pan';

export class Wave {
  /** What is still to be played, and over it, cut off at the play head, what was. */
  private readonly canvases = [document.createElement('canvas'), document.createElement('canvas')] as const;
  private readonly selection = piece('selection', piece('grip'), piece('grip'));
  private readonly cursor = piece('cursor');
  private readonly bar = piece('bar', piece('thumb'));
  private readonly life = new AbortController();
  private readonly sizes = new ResizeObserver(() => this.show());
  private whole: Peaks | null = null;
  private detail: Peaks | null = null;
  /** Columns per frame that were asked for; the server may have given fewer. */
  private asked = 0;
  private request: AbortController | null = null;
  private timer = 0;
  private frame = 0;
  /** The view, in frames. */
  private from = 0;
  private to: number;
  private time = 0;
  private span: Span | null = null;
  private drag: { grip: Grip; x: number; anchor: number; from: number; span: Span | null; moved: boolean } | null = null;

  constructor(private readonly options: WaveOptions) {
    const { host, frames } = options;
    this.to = frames;
    this.canvases[1].className = 'played';
    host.append(...this.canvases, this.selection, this.cursor, this.bar);
    const { signal } = this.life;
    host.addEventListener('pointerdown', (event) => this.grab(event), { signal });
    host.addEventListener('pointermove', (event) => this.pull(event), { signal });
    host.addEventListener('pointerup', (event) => this.drop(event), { signal });
    host.addEventListener('pointercancel', () => (this.drag = null), { signal });
    this.recolour();
    this.sizes.observe(host);
  }

  destroy(): void {
    this.life.abort();
    this.request?.abort();
    this.sizes.disconnect();
    clearTimeout(this.timer);
    cancelAnimationFrame(this.frame);
    this.options.host.replaceChildren();
  }

  recolour(): void {
    const { cursor, selection } = this.options.colours();
    this.cursor.style.background = cursor;
    this.selection.style.background = selection;
    this.redraw();
  }

  select(span: Span): void {
    const { frames, rate } = this.options;
    const start = Math.max(0, Math.min(span.start, span.end));
    this.span = { start, end: Math.min(frames / rate, Math.max(span.start, span.end)) };
    this.place();
    this.options.onSelect(this.span);
  }

  deselect(): void {
    if (!this.span) return;
    this.span = null;
    this.place();
    this.options.onSelect(null);
  }

  /** Zooms by a factor, holding the time at `x` (CSS pixels from the left of the view) in its place. */
  zoomBy(by: number, x?: number): void {
    const length = this.to - this.from;
    const head = this.time * this.options.rate;
    const middle = head >= this.from && head <= this.to ? head : this.from + length / 2;
    const held = x === undefined ? middle : this.at(x);
    const next = Math.min(this.options.frames, Math.max(Math.min(CLOSEST, this.options.frames), length / by));
    this.view(held - ((held - this.from) * next) / length, next);
  }

  /** Moves the view by CSS pixels. */
  pan(by: number): void {
    this.view(this.from + by * this.perPixel, this.to - this.from);
  }

  get zoomed(): boolean {
    return this.to - this.from < this.options.frames;
  }

  /** Brings a time into view. */
  reveal(time: number): void {
    const at = time * this.options.rate;
    const length = this.to - this.from;
    if (at < this.from || at > this.to) this.view(at - length / 2, length);
  }

  /** Where the play head is; while it plays, the view turns the page when the head leaves it. */
  progress(time: number, playing: boolean): void {
    const [before, now] = [this.time, time].map((t) => t * this.options.rate) as [number, number];
    this.time = time;
    if (playing && before <= this.to && now > this.to) this.view(now, this.to - this.from);
    else this.place();
  }

  private get width(): number {
    return this.options.host.clientWidth;
  }

  private get perPixel(): number {
    return (this.to - this.from) / Math.max(1, this.width);
  }

  private get pixels(): number {
    return Math.round(this.width * (window.devicePixelRatio || 1));
  }

  /** The frame at CSS pixels from the left. */
  private at(x: number): number {
    return Math.min(this.options.frames, Math.max(0, this.from + x * this.perPixel));
  }

  private view(from: number, length: number): void {
    this.from = Math.min(this.options.frames - length, Math.max(0, from));
    this.to = this.from + length;
    this.show();
  }

  private show(): void {
    if (this.width <= 0) return; // on a hidden tab
    const { rate } = this.options;
    this.place();
    this.redraw();
    this.options.onView({ start: this.from / rate, end: this.to / rate });
    clearTimeout(this.timer);
    if (!this.whole) void this.refine();
    else this.timer = window.setTimeout(() => void this.refine(), CALM);
  }

  /** Gets an outline as fine as the pixels on screen; until it is there, the one before is drawn. */
  private async refine(): Promise<void> {
    const { frames, peaksUrl } = this.options;
    const { from, to, pixels } = this;
    const wanted = Math.min(1, pixels / (to - from)); // columns per frame
    const all = Math.min(pixels, frames, MOST_COLUMNS);
    const first = !this.whole;
    let [start, end] = [0, frames];
    if (!first && (wanted * frames > all * 1.01 || all > (this.whole?.width ?? 0))) {
      if (this.detail && this.asked >= wanted * 0.99 && this.detail.start <= from && to <= this.detail.end) return;
      // Half a view more on either side, so that a little panning needs nothing.
      const margin = (to - from) / 2;
      start = Math.max(0, Math.floor(from - margin));
      end = Math.min(frames, Math.ceil(to + margin));
    } else if (!first) return;
    this.request?.abort();
    const request = (this.request = new AbortController());
    const width = first ? all : Math.min(MOST_COLUMNS, Math.ceil((end - start) * wanted));
    try {
      const got = await fetchPeaks(peaksUrl, Math.max(1, width), start, end, request.signal);
      if (first) this.whole = got;
      else [this.detail, this.asked] = [got, wanted];
    } catch (error) {
      if (request.signal.aborted) return;
      // No answer at all (that is a TypeError) is the line; what the server refuses it refuses again.
      if (first && error instanceof TypeError) this.timer = window.setTimeout(() => void this.refine(), AGAIN);
      else this.options.onError(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    this.redraw();
    if (!first) return;
    this.options.onReady();
    void this.refine(); // the view may have changed meanwhile
  }

  /** Once per picture on screen, however often it is called. */
  private redraw(): void {
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => {
      const { wave, played } = this.options.colours();
      const outlines = [this.detail, this.whole].filter((o) => o !== null);
      const width = this.pixels;
      const height = Math.round(this.options.host.clientHeight * (window.devicePixelRatio || 1));
      const drawn: Drawn[] = [];
      for (const [i, canvas] of this.canvases.entries()) {
        if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
        const ctx = canvas.getContext('2d');
        if (ctx) drawn.push([ctx, i ? played : wave]);
      }
      drawPeaks(this.from, this.to, outlines, drawn);
    });
  }

  /** Puts what lies over the picture into its place. */
  private place(): void {
    const { frames, rate } = this.options;
    const part = (seconds: number) => ((seconds * rate - this.from) / (this.to - this.from)) * 100;
    const head = part(this.time);
    this.canvases[1].style.clipPath = `inset(0 ${Math.max(0, 100 - head)}% 0 0)`;
    this.cursor.style.left = `${head}%`;
    this.cursor.hidden = head < 0 || head > 100;
    this.selection.hidden = !this.span;
    if (this.span) {
      // Cut to a little more than the view: zoomed in, an hour would be a million pixels.
      const [left, right] = [Math.max(-5, part(this.span.start)), Math.min(105, part(this.span.end))];
      this.selection.style.left = `${left}%`;
      this.selection.style.width = `${Math.max(0, right - left)}%`;
      this.selection.hidden = right < 0 || left > 100;
    }
    this.bar.hidden = !this.zoomed;
    const thumb = this.bar.firstElementChild as HTMLElement;
    const share = Math.max(0.02, (this.to - this.from) / frames);
    thumb.style.width = `${share * 100}%`;
    thumb.style.left = `${(this.from / Math.max(1, frames - (this.to - this.from))) * (1 - share) * 100}%`;
  }

  private grab(event: PointerEvent): void {
    if (!event.isPrimary || event.button !== 0) {
      this.drag = null; // a second finger zooms
      return;
    }
    const target = event.target as HTMLElement;
    const [first, last] = this.selection.children;
    const grip: Grip = this.bar.contains(target)
      ? 'pan'
      : target === first
        ? 'start'
        : target === last
          ? 'end'
          : target === this.selection
            ? 'move'
            : 'new';
    const x = event.clientX - this.options.host.getBoundingClientRect().left;
    this.drag = { grip, x, anchor: this.at(x), from: this.from, span: this.span, moved: false };
    this.options.host.setPointerCapture(event.pointerId);
  }

  private pull(event: PointerEvent): void {
    const { drag } = this;
    if (!drag || !event.isPrimary) return;
    const { frames, rate, host } = this.options;
    const x = event.clientX - host.getBoundingClientRect().left;
    drag.moved ||= Math.abs(x - drag.x) > STILL;
    if (!drag.moved) return;
    if (drag.grip === 'pan') {
      this.view(drag.from + ((x - drag.x) / this.width) * frames, this.to - this.from);
      return;
    }
    const now = this.at(x) / rate;
    const { span } = drag;
    if (!span || drag.grip === 'new') this.select({ start: drag.anchor / rate, end: now });
    else if (drag.grip === 'start') this.select({ start: Math.min(now, span.end), end: span.end });
    else if (drag.grip === 'end') this.select({ start: span.start, end: Math.max(now, span.start) });
    else {
      const by = Math.max(-span.start, Math.min(frames / rate - span.end, now - drag.anchor / rate));
      this.select({ start: span.start + by, end: span.end + by });
    }
  }

  private drop(event: PointerEvent): void {
    const { drag } = this;
    if (!drag || !event.isPrimary) return;
    this.drag = null;
    if (drag.moved || drag.grip === 'pan') return;
    // A click beside the selection drops it, as in every editor; one inside only seeks.
    if (drag.grip === 'new') this.deselect();
    this.options.onSeek(drag.anchor / this.options.rate);
  }
}

function piece(name: string, ...inside: HTMLElement[]): HTMLElement {
  const made = document.createElement('div');
  made.className = name;
  made.append(...inside);
  return made;
}
