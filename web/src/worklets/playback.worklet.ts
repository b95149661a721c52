/**
 * Plays one stream of sound as it comes, on the audio thread, and tells how far it is.
 *
 * From the page: `{wire: MessagePort}`, "pause", "resume", "flush", "close". To the page: `PlaybackReport`.
 * From the wire: packed frames, "flush", "report". To the wire: `Played`, every 100 ms while it goes on.
 */
import { unpack } from '../live/frame';
import type { PlaybackOptions, PlaybackReport, Played } from '../live/messages';
import { Playout } from '../live/playout';

/** Seconds between two reports. */
const REPORT = 0.1;

class Playback extends AudioWorkletProcessor {
  private readonly options: PlaybackOptions;
  private readonly playout: Playout;
  private wire: MessagePort | null = null;
  private next = 0; // context time of the next report
  private told = ''; // the last report, to say nothing twice
  private flushed = false;
  private over = false;
  private closed = false;

  constructor(options: { processorOptions: PlaybackOptions }) {
    super();
    this.options = options.processorOptions;
    this.playout = new Playout(sampleRate, this.options.channels, this.options.live);
    this.port.onmessage = ({ data }: MessageEvent<'pause' | 'resume' | 'flush' | 'close' | { wire: MessagePort }>) => {
      if (typeof data === 'object') this.listen(data.wire);
      else if (data === 'close') this.closed = true;
      else if (data === 'flush') this.flush();
      else if (data === 'pause') this.playout.pause();
      else this.playout.resume();
      this.next = 0;
    };
  }

  process(_inputs: Float32Array[][], outputs: Float32Array[][]): boolean {
    if (this.closed) return false;
    this.playout.pull(outputs[0] ?? [], this.options.origin + currentTime * 1000);
    const over = this.playout.silent;
    if (over && !this.over) {
      this.over = true;
      this.report(true);
    } else if (currentTime >= this.next) {
      this.next = currentTime + REPORT;
      this.report(false);
    }
    return true;
  }

  private listen(wire: MessagePort): void {
    this.wire = wire;
    wire.onmessage = ({ data }: MessageEvent<ArrayBuffer | 'flush' | 'report'>) => {
      if (data === 'report') this.report(true);
      else if (data === 'flush') this.flush();
      // What comes twice comes because the server does not know how far this is.
      else if (!this.playout.push(unpack(data))) this.report(true);
    };
  }

  private flush(): void {
    if (this.playout.state === 'ended') return;
    this.flushed = true;
    this.playout.flush();
    // What fades is told when it has faded.
    if (this.playout.silent) {
      this.over = true;
      this.report(true);
    }
  }

  private report(always: boolean): void {
    const { playout } = this;
    const { node, epoch } = this.options;
    const { stats } = playout;
    const now = `${stats.at} ${stats.fill} ${stats.state}`;
    if (now === this.told && !always) return;
    this.told = now;
    const played: Played = { type: 'played', node, epoch, frames: playout.at, underruns: playout.underruns };
    if (this.flushed && playout.silent) played.flushed = true;
    played.fill = Math.round(stats.fill * 1000);
    played.target = Math.round(stats.target * 1000);
    played.skipped = stats.skipped + stats.lost;
    const latencies = playout.latencies.splice(0);
    if (latencies.length) {
      const sorted = [...latencies].sort((a, b) => a - b);
      const rounded = (ms = 0) => Math.max(0, Math.round(10 * ms) / 10);
      played.latency = rounded(sorted[sorted.length >> 1]);
      played.worst = rounded(sorted.at(-1));
    }
    this.wire?.postMessage(played);
    const report: PlaybackReport = {
      ...stats,
      flushed: this.flushed,
      columns: playout.columns.splice(0),
      latencies,
    };
    this.port.postMessage(report);
  }
}

registerProcessor('ossicle-playback', Playback);
