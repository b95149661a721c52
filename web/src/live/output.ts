/** What plays a stream: the audio thread where the page has one, pieces scheduled ahead where it has none. */
import playbackUrl from '../worklets/playback.worklet.ts?worker&url';
import { acquire, acquireLikely, release, type Clock } from './contexts';
import type { PlaybackOptions, PlaybackReport } from './messages';
import { scheduledOutput } from './scheduled';
import type { Output, Stream } from './stream';

/** Milliseconds for which the device stays open for sound that somebody asked for. */
const EXPECTED = 10_000;
let expected: { clock: Clock; over: number } | null = null;

/**
 * Somebody did what will be heard. To open the device and to load the player takes longer than the whole way of a sound, so
 * it is done while the server works, and not when its sound is there.
 */
export function expectSound(): void {
  // Without a gesture a browser opens nothing, and complains.
  if (!('audioWorklet' in BaseAudioContext.prototype) || !navigator.userActivation?.hasBeenActive) return;
  if (expected) clearTimeout(expected.over);
  // What fails here fails again where the sound comes, and is told there: the act itself must not fail of it.
  const clock = expected?.clock ?? attempt(acquireLikely);
  if (!clock) return;
  if (!expected) clock.context.audioWorklet.addModule(playbackUrl).catch(() => undefined);
  const over = window.setTimeout(() => {
    release(clock);
    expected = null;
  }, EXPECTED);
  expected = { clock, over };
}

function attempt<T>(make: () => T): T | null {
  try {
    return make();
  } catch {
    return null;
  }
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
