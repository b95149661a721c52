/** A drawn sound one can seek, select and zoom in: wavesurfer.js with our drawing and our outline. */
import WaveSurfer from 'wavesurfer.js';
import Regions, { type Region } from 'wavesurfer.js/dist/plugins/regions.esm.js';
import { clippedSpans, drawPeaks, fetchPeaks, type Peaks } from './peaks';

export interface Span {
  /** Seconds. */
  start: number;
  end: number;
}

export interface WaveOptions {
  host: HTMLElement;
  media: HTMLAudioElement;
  url: string;
  peaksUrl: string;
  frames: number;
  rate: number;
  height: number;
  colours: () => { wave: string; played: string; cursor: string; selection: string };
  onSelect: (span: Span | null) => void;
  /** The part that is on screen, in seconds. */
  onView: (view: Span) => void;
  onReady: () => void;
  onError: (error: Error) => void;
}

/**
 * wavesurfer is given this ramp in place of samples: what it hands to the drawing function then says which part of the
 * sound to draw, and a finer outline can be put in without loading anything again.
 */
const RAMP = Float32Array.from({ length: 1 << 16 }, (_, i) => i / (1 << 16));

/** The server's outlines are asked up to this width; beyond it the columns get broader. */
const MOST_COLUMNS = 1 << 14;

export class Wave {
  private readonly surfer: WaveSurfer;
  private readonly regions = Regions.create();
  private readonly life = new AbortController();
  private readonly duration: number;
  private peaks: Peaks | null = null;
  private region: Region | null = null;
  private factor = 1;
  private marks: HTMLElement | null = null;
  private width = 0;

  constructor(private readonly options: WaveOptions) {
    this.duration = options.frames / options.rate;
    const { wave, played, cursor } = options.colours();
    this.surfer = WaveSurfer.create({
      container: options.host,
      media: options.media,
      height: options.height,
      waveColor: wave,
      progressColor: played,
      cursorColor: cursor,
      cursorWidth: 1,
      hideScrollbar: false,
      // A click seeks; a drag selects, which is the regions' affair.
      dragToSeek: false,
      renderFunction: (channels, ctx) => this.draw(channels[0] ?? [], ctx),
      plugins: [this.regions],
    });
    this.surfer.on('scroll', () => this.tellView());
    this.surfer.on('resize', () => {
      this.tellView();
      void this.refine();
    });
    // A media element's own refusal is told by the player; this is about everything else.
    this.surfer.on('error', (error) => this.options.onError(error));
    this.adoptStyles();
    this.watchRegions();
    this.surfer
      .load(options.url, [RAMP], this.duration)
      .catch((error: unknown) => this.options.onError(asError(error)));
    void this.refine();
  }

  destroy(): void {
    this.life.abort();
    this.surfer.destroy();
  }

  recolour(): void {
    const { wave, played, cursor, selection } = this.options.colours();
    this.surfer.setOptions({ waveColor: wave, progressColor: played, cursorColor: cursor });
    this.region?.setOptions({ color: selection });
  }

  select(span: Span): void {
    const start = Math.max(0, Math.min(span.start, span.end));
    const end = Math.min(this.duration, Math.max(span.start, span.end));
    if (this.region) this.region.setOptions({ start, end });
    else this.regions.addRegion({ start, end, color: this.options.colours().selection, drag: true, resize: true });
    this.options.onSelect({ start, end });
  }

  deselect(): void {
    this.regions.clearRegions();
  }

  /** Zooms by a factor, holding the time at `x` (CSS pixels from the left of the view) in its place. */
  zoomBy(by: number, x?: number): void {
    const view = this.surfer.getWidth();
    // Closer than four pixels to a column there is nothing more to see.
    const columns = Math.min(MOST_COLUMNS, this.options.frames);
    const most = Math.max(1, (columns * 4) / Math.max(1, view));
    const factor = Math.min(Math.max(1, this.factor * by), most);
    if (factor === this.factor) return;
    const at = x ?? this.cursorX() ?? view / 2;
    const time = (this.surfer.getScroll() + at) / (view * this.factor); // as a part of the whole
    this.factor = factor;
    this.surfer.zoom(factor === 1 ? 0 : (view * factor) / this.duration);
    this.surfer.setScroll(time * view * factor - at);
    this.tellView();
    void this.refine();
  }

  get zoomed(): boolean {
    return this.factor > 1;
  }

  /** Brings a time into view. */
  reveal(time: number): void {
    const view = this.surfer.getWidth();
    const x = (time / this.duration) * view * this.factor - this.surfer.getScroll();
    if (x < 0 || x > view) this.surfer.setScroll((time / this.duration) * view * this.factor - view / 2);
  }

  private tellView(): void {
    const view = this.surfer.getWidth();
    if (view <= 0) return; // on a hidden tab
    const perPixel = this.duration / (view * this.factor);
    const start = this.surfer.getScroll() * perPixel;
    this.options.onView({ start, end: Math.min(this.duration, start + view * perPixel) });
  }

  private cursorX(): number | null {
    const view = this.surfer.getWidth();
    const x = (this.options.media.currentTime / this.duration) * view * this.factor - this.surfer.getScroll();
    return x >= 0 && x <= view ? x : null;
  }

  /** Gets an outline as fine as the pixels on screen. */
  private async refine(): Promise<void> {
    const pixels = this.surfer.getWidth() * this.factor * (window.devicePixelRatio || 1);
    // Powers of two, so that a slow zoom does not ask at every step.
    const wanted = Math.min(MOST_COLUMNS, this.options.frames, 2 ** Math.ceil(Math.log2(Math.max(256, pixels))));
    if (wanted <= this.width) return;
    const before = this.width;
    this.width = wanted;
    try {
      this.peaks = await fetchPeaks(this.options.peaksUrl, wanted, this.life.signal);
    } catch (error) {
      if (this.life.signal.aborted) return;
      this.width = before;
      if (!this.peaks) this.options.onError(asError(error));
      return;
    }
    if (this.life.signal.aborted) return;
    this.surfer.setOptions({}); // draws again
    this.mark(this.peaks);
    if (before === 0) this.options.onReady();
  }

  private draw(ramp: Float32Array | number[], ctx: CanvasRenderingContext2D): void {
    const from = ramp[0];
    const last = ramp[ramp.length - 1];
    if (!this.peaks || from === undefined || last === undefined) return;
    drawPeaks(this.peaks, from, last + 1 / RAMP.length, ctx);
  }

  /** Marks of clipped places are elements, because wavesurfer paints all that is played in one colour. */
  private mark(peaks: Peaks): void {
    this.marks?.remove();
    const layer = document.createElement('div');
    layer.setAttribute('part', 'marks');
    for (const [from, to] of clippedSpans(peaks).slice(0, 500)) {
      const mark = document.createElement('div');
      mark.setAttribute('part', 'clip');
      mark.style.left = `${from * 100}%`;
      mark.style.width = `max(2px, ${(to - from) * 100}%)`;
      layer.append(mark);
    }
    this.surfer.getWrapper().append(layer);
    this.marks = layer;
  }

  private watchRegions(): void {
    this.regions.on('region-created', (region) => {
      if (this.region && this.region !== region) this.region.remove(); // one selection at a time
      this.region = region;
      this.options.onSelect({ start: region.start, end: region.end });
    });
    this.regions.on('region-update', (region) => this.options.onSelect({ start: region.start, end: region.end }));
    this.regions.on('region-updated', (region) => this.options.onSelect({ start: region.start, end: region.end }));
    this.regions.on('region-removed', (region) => {
      if (this.region !== region) return;
      this.region = null;
      this.options.onSelect(null);
    });
    // The selection lies over the wave and takes its clicks: they seek all the same.
    this.regions.on('region-clicked', (_region, event) => {
      event.stopPropagation();
      const box = this.surfer.getWrapper().getBoundingClientRect();
      this.options.media.currentTime = ((event.clientX - box.left) / box.width) * this.duration;
    });
    this.surfer.once('ready', () => {
      this.regions.enableDragSelection({ color: this.options.colours().selection, drag: true, resize: true });
    });
    // A click beside the selection drops it, as in every editor.
    this.surfer.on('click', () => {
      if (this.region) this.deselect();
    });
  }

  /** Where a content security policy refuses the shadow root's own <style>, this one works. */
  private adoptStyles(): void {
    const root = this.surfer.getWrapper().getRootNode();
    if (!(root instanceof ShadowRoot)) return;
    const own = root.querySelector('style');
    if (!own?.textContent || own.sheet) return;
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(own.textContent);
    root.adoptedStyleSheets = [sheet];
  }
}

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));
