/** The trims of the sound that stands here: how many can be undone, and whether one is at the server. */
import { untrack } from 'svelte';
import type { NodeState } from '../state/node.svelte';
import type { Page } from '../state/page.svelte';

export class Trims {
  count = $state(0);
  /** A trim is at the server. */
  trimming = $state(false);

  private undoing = false;
  private shown: string | null = null;

  /** Made by a component, in its beginning. clip: the handle of what stands there. */
  constructor(
    private readonly node: NodeState,
    private readonly page: Page,
    clip: () => string | null,
  ) {
    // A value from the server ends what waited for it; one that is not our trim has no trims to undo.
    $effect(() => {
      void node.writes;
      const now = clip();
      if (now === this.shown) return;
      if (!this.trimming && !this.undoing) this.count = 0;
      this.settle();
      this.shown = now;
    });
    // The server refused, or the connection went: nobody waits for ever.
    $effect(() => {
      if (page.connection.kind !== 'online') this.settle();
    });
    $effect(() => {
      if (page.refusals > 0) untrack(() => this.refused());
    });
  }

  /** Keeps frames start..end. */
  trim(start: number, end: number): void {
    this.trimming = true;
    this.count += 1;
    this.page.act(this.node, 'trim', { value: { start, end } });
  }

  undo(): void {
    this.undoing = true;
    this.count = Math.max(0, this.count - 1);
    this.page.act(this.node, 'undo');
  }

  /** Another sound stands here, by what was done here. */
  begin(clip: string | null): void {
    this.count = 0;
    this.shown = clip;
  }

  private refused(): void {
    if (this.trimming) this.count = Math.max(0, this.count - 1);
    this.settle();
  }

  private settle(): void {
    this.trimming = this.undoing = false;
  }
}
