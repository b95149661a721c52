/** What is seen of a sound, and what is selected in it. */
import { Wave, type Span, type WaveOptions } from './wave';

type Where = Omit<WaveOptions, 'onSelect' | 'onView' | 'onReady' | 'onError'>;

export class Viewport {
  wave: Wave | null = $state.raw(null);
  /** Seconds. */
  seen: Span = $state.raw({ start: 0, end: 0 });
  selection: Span | null = $state.raw(null);
  zoomed = $state(false);
  /** There is something to see. */
  drawn = $state(false);

  /** deselected: called when there is no selection any more. */
  constructor(
    duration: number,
    private readonly deselected: () => void,
  ) {
    this.seen = { start: 0, end: duration };
  }

  /** Draws; what it returns ends it. */
  open(where: Where): () => void {
    const wave = new Wave({
      ...where,
      onSelect: (to) => {
        this.selection = to;
        if (!to) this.deselected();
      },
      onView: (to) => {
        this.seen = to;
        this.zoomed = wave.zoomed;
      },
      onReady: () => (this.drawn = true),
      onError: (error) => {
        console.error(error);
        this.drawn = true;
      },
    });
    this.wave = wave;
    return () => wave.destroy();
  }

  zoom(by: number, x?: number): void {
    this.wave?.zoomBy(by, x);
    this.zoomed = this.wave?.zoomed ?? false;
  }

  /** One step of the arrow keys (seconds): fine when zoomed in, never more than a second. */
  get step(): number {
    return Math.min(1, (this.seen.end - this.seen.start) / 50);
  }
}
