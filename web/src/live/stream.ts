/** A stream that is heard: what the server says of it, and what plays it here. */

export interface Stream {
  node: number;
  epoch: number;
  rate: number;
  channels: number;
  live: boolean;
  budget?: number | null;
}

export interface Output {
  /** What it plays in: suspended until the browser lets it run. */
  readonly context: AudioContext;
  say(order: 'pause' | 'resume' | 'flush'): void;
  /** Nothing more is heard of it, and its means are given back. */
  close(): void;
}
