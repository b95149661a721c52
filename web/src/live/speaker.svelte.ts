/** One stream of sound that the server makes, from its first frame to its last. */
import type { Sounds } from '../wire/socket';
import { Outline } from '../audio/outline';
import type { PlaybackReport } from './messages';
import { openOutput } from './output';
import { none, Recent, troubled, worse, type Figures } from './figures';
import type { Output, Stream } from './stream';

export type SpeakerPhase =
  /** Nothing was heard yet. */
  | 'starting'
  /** The browser wants a click first. */
  | 'blocked'
  | 'playing'
  /** Sound is late. */
  | 'starving'
  | 'paused'
  | 'ended'
  | 'failed';

/** What the app is told of sound that plays: the acts of its component. */
export type Told = (act: 'play' | 'pause' | 'end') => void;

export class Speaker {
  phase: SpeakerPhase = $state('starting');
  /** Seconds that were heard. */
  heard = $state(0);
  /** Seconds that there are, once it is known. */
  total: number | null = $state(null);
  frames: number | null = $state(null);
  figures: Figures = $state.raw(none);
  /** When something went wrong, on the page's clock. */
  troubles: readonly number[] = $state.raw([]);
  words: string | null = $state(null);
  readonly outline = new Outline();

  private readonly latencies = new Recent();
  private output: Output | null = null;
  private begun = false;
  private cut = false;

  constructor(
    readonly stream: Stream,
    private readonly sounds: Sounds,
    private readonly tell: Told,
  ) {
    this.start().catch((error: unknown) => {
      this.phase = 'failed';
      this.words = error instanceof Error ? error.message : String(error);
    });
  }

  get over(): boolean {
    return this.phase === 'ended' || this.phase === 'failed';
  }

  toggle(): void {
    if (this.phase === 'blocked') {
      void this.output?.context.resume().then(() => this.unblock());
    } else if (this.phase === 'paused') {
      this.output?.say('resume');
      this.phase = 'starving';
    } else if (!this.over) {
      this.output?.say('pause');
      this.phase = 'paused';
      this.tell('pause');
    }
  }

  /** The server has made the last of it. */
  complete(frames: number): void {
    this.frames = frames;
    this.total = frames / this.stream.rate;
  }

  /** Silence, at once; it ends when its player has said how far it came. */
  flush(): void {
    this.cut = true;
    this.output?.say('flush');
  }

  /** Nothing more is heard of it, and its means are given back. */
  close(): void {
    if (!this.over) this.phase = 'ended';
    this.sounds.played(this.stream.node, this.stream.epoch);
    this.output?.close();
    this.output = null;
  }

  trip(ms: number): void {
    this.figures = { ...this.figures, trip: ms };
  }

  private async start(): Promise<void> {
    const channel = new MessageChannel();
    // From now on frames wait in the port, not in the socket's worker.
    this.sounds.play(this.stream.node, this.stream.epoch, channel.port1);
    const output = await openOutput(this.stream, channel.port2, (report) => this.hear(report));
    if (this.over) {
      output.close();
      return;
    }
    this.output = output;
    if (this.cut) output.say('flush');
    if (output.context.state !== 'running') {
      // Others may share it, so there is more than one who waits.
      output.context.addEventListener('statechange', () => this.unblock());
      // A context that may run does so within a few milliseconds.
      setTimeout(() => {
        if (output.context.state !== 'running' && !this.over && this.phase !== 'paused') this.phase = 'blocked';
      }, 300);
    }
  }

  private unblock(): void {
    if (this.phase === 'blocked' && this.output?.context.state === 'running') this.phase = 'starting';
  }

  private hear(report: PlaybackReport): void {
    const { rate } = this.stream;
    this.latencies.add(...report.latencies);
    this.outline.add(report.columns);
    this.heard = report.at / rate;
    const before = this.figures;
    this.figures = {
      ...before,
      budget: this.stream.budget ?? null,
      latency: this.latencies.percentile(50),
      late: this.latencies.percentile(95),
      skipped: ((report.skipped + report.lost) / rate) * 1000,
      underruns: report.underruns,
      fill: report.fill * 1000,
      target: report.target * 1000,
    };
    // What came before there was a player to hear it is left out in any case.
    if (this.begun && worse(before, this.figures)) this.troubles = troubled(this.troubles, performance.now());
    if (!this.begun && report.at > 0) {
      this.begun = true;
      this.tell('play');
    }
    if (report.state === 'ended') {
      // What fades still sounds for a moment.
      if (this.phase !== 'ended') {
        this.phase = 'ended';
        this.tell(report.flushed ? 'pause' : 'end');
        this.close();
      }
    } else if (report.state === 'paused') {
      this.phase = 'paused';
    } else if (this.phase !== 'paused') {
      this.phase = report.state === 'playing' ? 'playing' : this.begun ? 'starving' : 'starting';
    }
  }
}
