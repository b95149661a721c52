/**
 * How long live sound must wait so that it does not run dry, learned from when its pieces come.
 *
 * A piece's lateness is the player's clock when the piece came, less the piece's index; the player's is its clock less the
 * index that is heard. As long as the player's is the larger one, nothing runs dry. All in frames of the player's clock.
 *
 * Lateness has two parts. The floor is the least at which a piece's *end* was there: it moves when the way grows longer, and
 * for as long as the source makes less sound than time goes by. What is above it is what waiting is good for: the length of
 * what comes at once, and the line's trembling. Of that part it goes by the worst of the last two seconds but for the one
 * worst moment of them: a hiccup says nothing about the next second, a second hiccup does. A standstill says nothing at all,
 * because no waiting outlasts it.
 *
 * Pure.
 */

/** Seconds that are remembered, in slots of so many seconds; the last few are what is coming right now. */
const MEMORY = 2;
export const SLOT = 0.1;
const NOW = 3;
/** Seconds beyond the ordinary from which on it is a standstill: live sound never waits for longer. */
export const MOST_WAIT = 0.1;
/** Seconds of the longest frame that a server sends: what lasts longer comes as several of them at once. */
export const PIECE = 0.1;

interface Slot {
  start: number;
  /** The lateness of its latest piece. */
  worst: number;
  /** The least lateness of a piece's end. */
  end: number;
}

export class Arrivals {
  /** What waits just after a piece came in time, for all that came lately, but for rarities. */
  wait = 0;
  /** The same, but for a heap of which nobody can know why it came as one. */
  together = 0;
  /** What the player's lateness must be for all that came lately. */
  needed = 0;
  /** And for what came in the last moment, which may come later than all before it. */
  now = 0;
  /** How much later it became within what is remembered: so much is used up soon by a source that is slow. */
  growth = 0;
  /** The worst of what is coming right now: no sound that is heard no later than this is too late. */
  recent = 0;
  private slots: Slot[] = [];

  constructor(private readonly rate: number) {}

  /** A piece of so many frames, the first of this index, came when the player's clock stood there. */
  came(clock: number, index: number, frames: number): void {
    const { slots } = this;
    const worst = clock - index;
    const end = worst - frames;
    const last = slots.at(-1);
    if (!last || clock - last.start >= SLOT * this.rate) slots.push({ start: clock, worst, end });
    else {
      last.worst = Math.max(last.worst, worst);
      last.end = Math.min(last.end, end);
    }
    while ((slots[0]?.start ?? clock) < clock - MEMORY * this.rate) slots.shift();
    this.judge(frames);
  }

  /** Nothing that came says anything about what will come. */
  forget(): void {
    this.slots = [];
  }

  private judge(frames: number): void {
    const { slots, rate } = this;
    let floor = Infinity; // of all that came since
    const waits = slots.map(() => 0);
    for (let at = slots.length - 1; at >= 0; at--) {
      const { worst, end } = slots[at] as Slot;
      floor = Math.min(floor, end);
      waits[at] = worst - floor;
    }
    const least = Math.min(...waits);
    // What was held up comes in a heap, which may reach into the next slot.
    const leaveOut = (at: number) => waits.fill(-Infinity, at, at + 2);
    waits.forEach((wait, at) => {
      if (wait - least > MOST_WAIT * rate) leaveOut(at);
    });
    leaveOut(waits.indexOf(Math.max(...waits)));
    const late = slots.slice(-NOW);
    this.wait = Math.max(least, ...waits);
    // A first heap waited for its player, unless it is one long piece.
    this.together = slots.length === 1 && frames < PIECE * rate ? frames : this.wait;
    const lately = Math.min(...late.map((slot) => slot.end));
    this.needed = lately + this.wait;
    this.growth = lately - floor;
    this.now = (late.at(-1)?.end ?? 0) + this.wait;
    this.recent = Math.max(...late.map((slot) => slot.worst));
  }
}
