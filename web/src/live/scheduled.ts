/** Plays a stream on a page that has no audio thread, and tells how far it is as the playback worklet does. */
import { unpack } from './frame';
import type { PlaybackReport, Played } from './messages';
import { Playout } from './playout';
import { FADE, Schedule, type Sink } from './schedule';
import type { Output, Stream } from './stream';

/** Milliseconds between two looks at the clock, and between two reports. */
const TICK = 25;
const REPORT = 100;
/** Frames that an audio context may be in the middle of: what is told it now sounds behind them. */
const RENDERS = 512;

/** Buffers in an audio context, which begins each at the frame it is told. */
class Buffers implements Sink {
  private readonly out: GainNode;
  private readonly sources = new Set<AudioBufferSourceNode>();

  constructor(private readonly context: AudioContext) {
    this.out = context.createGain();
    this.out.connect(context.destination);
  }

  get rate(): number {
    return this.context.sampleRate;
  }

  now(): number {
    return Math.round(this.context.currentTime * this.rate);
  }

  play(channels: Float32Array<ArrayBuffer>[], at: number): number {
    const { context } = this;
    const before = this.now();
    const began = performance.now();
    const buffer = context.createBuffer(channels.length, channels[0]?.length ?? 0, this.rate);
    channels.forEach((channel, c) => buffer.copyToChannel(channel, c));
    const source = new AudioBufferSourceNode(context, { buffer });
    source.connect(this.out);
    source.start(at / this.rate);
    this.sources.add(source);
    source.onended = () => this.sources.delete(source);
    // The context's clock need not move while a task runs.
    const passed = Math.round(((performance.now() - began) / 1000) * this.rate);
    const begun = Math.max(this.now(), before + passed) + RENDERS;
    return begun > at ? begun : at;
  }

  cut(at: number): void {
    const end = at / this.rate;
    const fades = end - FADE;
    if (fades > this.context.currentTime) {
      this.out.gain.setValueAtTime(1, fades);
      this.out.gain.linearRampToValueAtTime(0, end);
    }
    for (const source of this.sources) source.stop(end);
  }
}

export function scheduledOutput(stream: Stream, wire: MessagePort, hear: (report: PlaybackReport) => void): Output {
  const { node, epoch, rate, channels } = stream;
  // A context of its own, at the stream's rate: nothing is resampled, and a pause is the context's.
  const context = new AudioContext({ sampleRate: rate });
  // No page without an audio thread has a microphone, so nothing is live in the sense of the playout.
  const playout = new Playout(rate, channels, false);
  const schedule = new Schedule(playout, new Buffers(context));
  let paused = false;
  let flushed = false;
  let over = false;
  let told = '';
  let next = 0;

  const report = (always: boolean) => {
    const { at, fill, underruns } = schedule;
    const state = over ? 'ended' : paused ? 'paused' : playout.state === 'waiting' ? 'waiting' : 'playing';
    const now = `${at} ${fill} ${state}`;
    if (now === told && !always) return;
    told = now;
    const { target, skipped, lost } = playout.stats;
    const ms = (seconds: number) => Math.round(seconds * 1000);
    const left = { fill: ms(fill), target: ms(target), skipped: skipped + lost };
    const played: Played = { type: 'played', node, epoch, frames: at, underruns, ...left };
    if (flushed && over) played.flushed = true;
    wire.postMessage(played);
    hear({ state, at, fill, target, underruns, skipped, lost, flushed, columns: playout.columns.splice(0), latencies: [] });
  };

  const tick = () => {
    if (!paused) schedule.tick();
    const ends = schedule.over && !over;
    over ||= ends;
    if (!ends && performance.now() < next) return;
    next = performance.now() + REPORT;
    report(ends);
  };
  const ticking = setInterval(tick, TICK);

  const flush = () => {
    if (over || flushed) return;
    flushed = true;
    schedule.flush(paused || context.state !== 'running');
    tick();
  };

  wire.onmessage = ({ data }: MessageEvent<ArrayBuffer | 'flush' | 'report'>) => {
    if (data === 'report') report(true);
    else if (data === 'flush') flush();
    else if (!playout.push(unpack(data))) report(true);
    else tick();
  };

  return {
    context,
    say: (order) => {
      if (order === 'flush') return flush();
      paused = order === 'pause';
      void (paused ? context.suspend() : context.resume());
      report(true);
    },
    close: () => {
      clearInterval(ticking);
      wire.onmessage = null;
      wire.close();
      void context.close();
    },
  };
}
