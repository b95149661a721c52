/** What plays a stream: the audio thread where the page has one, pieces scheduled ahead where it has none. */
import playbackUrl from '../worklets/playback.worklet.ts?worker&url';
import { acquire, release } from './contexts';
import type { PlaybackOptions, PlaybackReport } from './messages';
import { scheduledOutput } from './scheduled';
import type { Stream } from './speaker.svelte';

export interface Output {
  /** What it plays in: suspended until the browser lets it run. */
  readonly context: AudioContext;
  say(order: 'pause' | 'resume' | 'flush'): void;
  /** Nothing more is heard of it, and its means are given back. */
  close(): void;
}

/** Plays what comes through `wire` (see the playback worklet), and tells `hear` how far it is. */
export async function openOutput(
  stream: Stream,
  wire: MessagePort,
  hear: (report: PlaybackReport) => void,
): Promise<Output> {
  // Missing on http pages from other machines, whatever the types say.
  if (!('audioWorklet' in BaseAudioContext.prototype)) return scheduledOutput(stream, wire, hear);
  const { node, epoch, rate, channels, live } = stream;
  const clock = acquire(rate);
  const { context } = clock;
  try {
    await context.audioWorklet.addModule(playbackUrl);
  } catch (error) {
    release(clock);
    throw error;
  }
  const processorOptions: PlaybackOptions = { node, epoch, channels, live, origin: clock.origin };
  const worklet = new AudioWorkletNode(context, 'ossicle-playback', {
    numberOfInputs: 0,
    outputChannelCount: [channels],
    processorOptions,
  });
  worklet.port.onmessage = ({ data }: MessageEvent<PlaybackReport>) => hear(data);
  worklet.port.postMessage({ wire }, [wire]);
  worklet.connect(context.destination);
  return {
    context,
    say: (order) => worklet.port.postMessage(order),
    close: () => {
      worklet.port.postMessage('close');
      worklet.disconnect();
      worklet.port.onmessage = null;
      release(clock);
    },
  };
}
