/**
 * How long live sound must wait so that it does not run dry, learned from when its pieces come.
 *
 * A piece's lateness is the player's clock when the piece came, less the piece's index; the player's is its clock less the
 * index that is heard. As long as the player's is the larger one, nothing runs dry. All in frames of the player's clock.
 *
 * What it goes by is the worst of the last two seconds but for the one worst moment of them: a hiccup says nothing about
 * the next second, a second hiccup does. A standstill says nothing at all, because no waiting outlasts it.
 *
 * Pure.
 */

/** Seconds that are remembered, in slots of so many seconds; the last few are what is coming right now. */
const MEMORY = 2;
export const SLOT = 0.1;
const NOW = 3;
/** Seconds beyond the ordinary from which on it is a standstill: live sound never waits for longer. */
export const MOST_WAIT = 0.1;
/** Seconds in which pieces count as sent together. */
const TOGETHER = 0.015;

interface Slot {
  start: number;
  /** The lateness of its latest piece. */
  worst: number;
}

export class Arrivals {
  /** The lateness that cannot be helped. */
  least = 0;
  /** What the player's lateness must be for all that came lately, but for rarities. */
  needed = 0;
  /** What it must be for all that comes right now, so that a way which grew longer for good is known at once. */
  now = 0;
  private slots: Slot[] = [];
  private batch = { start: -Infinity, frames: 0, before: Infinity };

  constructor(private readonly rate: number) {}

  /** A piece of so many frames, the first of this index, came when the player's clock stood there. */
  came(clock: number, index: number, frames: number): void {
    const { batch, slots } = this;
    if (clock - batch.start < TOGETHER * this.rate) batch.frames += frames;
    else this.batch = { start: clock, frames, before: batch.frames || frames };
    const lateness = clock - index;
    const last = slots.at(-1);
    if (!last || clock - last.start >= SLOT * this.rate) slots.push({ start: clock, worst: lateness });
    else last.worst = Math.max(last.worst, lateness);
    while ((slots[0]?.start ?? clock) < clock - MEMORY * this.rate) slots.shift();
    this.judge();
  }

  /** Nothing that came says anything about what will come. */
  forget(): void {
    this.slots = [];
  }

  /** Frames that usually come at once. */
  get together(): number {
    return Math.min(this.batch.before, this.batch.frames);
  }

  private judge(): void {
    const worst = this.slots.map((slot) => slot.worst);
    this.least = Math.min(...worst);
    this.now = Math.min(...worst.slice(-NOW));
    // What was held up comes in a heap, which may reach into the next slot.
    const leaveOut = (at: number) => worst.fill(-Infinity, at, at + 2);
    worst.forEach((lateness, at) => {
      if (lateness - this.least > MOST_WAIT * this.rate) leaveOut(at);
    });
    leaveOut(worst.indexOf(Math.max(...worst)));
    this.needed = Math.max(this.least, ...worst);
  }
}
