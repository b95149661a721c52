/** A recording that goes out while it is made: begun in order, ended in order, its losses told. */
import { filter, type Subscription } from 'rxjs';
import type { NodeState } from '../state/node.svelte';
import type { Page } from '../state/page.svelte';
import { none, troubled, worse, type Figures } from './figures';

export class Recording {
  /** Sound goes out, or still has to. */
  begun = $state(false);
  figures: Figures = $state.raw(none);
  /** When something was lost, on the page's clock. */
  troubles: readonly number[] = $state.raw([]);

  private asked: { writes: number; refusals: number } | null = $state.raw(null);
  private readonly life: Subscription;

  constructor(
    private readonly node: NodeState,
    private readonly page: Page,
  ) {
    this.life = page.sounds.events
      .pipe(filter((event) => event.kind === 'trip' || event.node === node.id))
      .subscribe((event) => {
        if (event.kind === 'trip') this.show({ ...this.figures, trip: event.ms });
        else if (event.kind === 'uplink') this.show({ ...this.figures, dropped: event.dropped, waiting: event.waiting });
        else if (event.kind === 'missed') this.show({ ...this.figures, missed: event.ms });
        else this.finish();
      });
  }

  /** The server makes a whole of it, which has not come back yet. */
  get storing(): boolean {
    const { asked } = this;
    return asked !== null && asked.writes === this.node.writes && asked.refusals === this.page.refusals;
  }

  /** Frames come out of `wire`. The act that starts the recording was sent before. */
  begin(wire: MessagePort): void {
    this.begun = true;
    this.figures = none;
    this.troubles = [];
    const lossy = this.node.props.transport === 'webrtc';
    if (lossy) this.page.sounds.connect(this.node.id, this.page.app?.ice_servers ?? []);
    this.page.sounds.record(this.node.id, wire, lossy);
  }

  close(): void {
    this.life.unsubscribe();
    this.finish();
  }

  private show(figures: Figures): void {
    if (worse(this.figures, figures)) this.troubles = troubled(this.troubles, performance.now());
    this.figures = figures;
  }

  private finish(): void {
    if (!this.begun) return;
    this.begun = false;
    this.asked = { writes: this.node.writes, refusals: this.page.refusals };
    this.page.act(this.node, 'stop_recording');
    this.page.sounds.recorded(this.node.id);
    if (this.node.props.transport === 'webrtc') this.page.sounds.disconnect(this.node.id);
  }
}
