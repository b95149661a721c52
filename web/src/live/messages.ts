/** What page, audio thread and the socket's worker say to each other about live sound. */
import type { PlayoutStats } from './playout';

/** How sound is sent while it is recorded. */
export interface LiveOptions {
  node: number;
  /** Milliseconds of one frame on the wire. */
  frameMs: number;
  /** Milliseconds to add to the context's time for the page's clock. */
  origin: number;
}

export interface CaptureOptions {
  channels: number;
  /** Frames after which the recording is complete; 0 is no limit. */
  limit: number;
  live: LiveOptions | null;
}

export interface PlaybackOptions {
  node: number;
  epoch: number;
  channels: number;
  live: boolean;
  /** Milliseconds to add to the context's time for the page's clock. */
  origin: number;
}

export interface PlaybackReport extends PlayoutStats {
  flushed: boolean;
  columns: number[];
  latencies: number[];
}

/** To the server. */
export interface Played {
  type: 'played';
  node: number;
  epoch: number;
  /** Sample frames of the stream that were heard. */
  frames: number;
  underruns: number;
  flushed?: true;
  /** Milliseconds that wait to be heard, and that should; sample frames that were left out here or never came. */
  fill?: number;
  target?: number;
  skipped?: number;
  /** Milliseconds from the microphone to here: in the middle and at worst of those since the last message. */
  latency?: number;
  worst?: number;
}
