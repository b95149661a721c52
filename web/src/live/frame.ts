/** One piece of live sound as it travels: a 32-byte little-endian header, then woven samples. */

export const HEADER = 32;
export const START = 1;
export const END = 2;
export const DISCONTINUITY = 4;

const VERSION = 1;
const SOUND = 1;
const INT16 = 1;
const FLOAT32 = 2;

export interface Frame {
  node: number;
  flags: number;
  /** To the server: the frame's number. From it: when the sound was captured, see `stampOf`; 0 is not known. */
  seq: number;
  /** Hertz. */
  rate: number;
  /** Of the first sample frame, on the source's own clock. */
  index: number;
  /** To the server: milliseconds when it was captured. From it: the stream's epoch. */
  time: number;
  channels: number;
  /** Channels woven: frames times channels. */
  samples: Int16Array | Float32Array;
}

/** The frame as one buffer of its own, which can be handed over without a copy. */
export function pack(frame: Frame): ArrayBuffer {
  const { samples } = frame;
  const buffer = new ArrayBuffer(HEADER + samples.byteLength);
  const view = new DataView(buffer);
  view.setUint8(0, VERSION);
  view.setUint8(1, SOUND);
  view.setUint8(2, samples instanceof Int16Array ? INT16 : FLOAT32);
  view.setUint8(3, frame.channels);
  view.setUint16(4, frame.node, true);
  view.setUint16(6, frame.flags, true);
  view.setUint32(8, frame.seq, true);
  view.setUint32(12, frame.rate, true);
  view.setBigUint64(16, BigInt(frame.index), true);
  view.setFloat64(24, frame.time, true);
  if (samples instanceof Int16Array) new Int16Array(buffer, HEADER).set(samples);
  else new Float32Array(buffer, HEADER).set(samples);
  return buffer;
}

/** A frame from bytes; its samples are a view of them. Throws an Error that says what is wrong. */
export function unpack(buffer: ArrayBuffer): Frame {
  if (buffer.byteLength < HEADER) throw new Error(`a frame of ${buffer.byteLength} bytes`);
  const view = new DataView(buffer);
  const form = view.getUint8(2);
  if (view.getUint8(0) !== VERSION || view.getUint8(1) !== SOUND || (form !== INT16 && form !== FLOAT32)) {
    throw new Error(`a frame of version ${view.getUint8(0)}, kind ${view.getUint8(1)}, format ${form}`);
  }
  return {
    channels: view.getUint8(3),
    node: view.getUint16(4, true),
    flags: view.getUint16(6, true),
    seq: view.getUint32(8, true),
    rate: view.getUint32(12, true),
    index: Number(view.getBigUint64(16, true)),
    time: view.getFloat64(24, true),
    samples: form === INT16 ? new Int16Array(buffer, HEADER) : new Float32Array(buffer, HEADER),
  };
}

/** Whose frame it is, without unpacking it. */
export function addressOf(buffer: ArrayBuffer): { node: number; epoch: number } {
  const view = new DataView(buffer);
  return { node: view.getUint16(4, true), epoch: view.getFloat64(24, true) };
}

/** Sample frames and hertz of a packed frame. */
export function lengthOf(buffer: ArrayBuffer): { frames: number; rate: number } {
  const view = new DataView(buffer);
  const width = view.getUint8(2) === INT16 ? 2 : 4;
  const frames = (buffer.byteLength - HEADER) / (width * Math.max(1, view.getUint8(3)));
  return { frames, rate: view.getUint32(12, true) };
}

/** Takes START off a packed frame. */
export function unstarted(buffer: ArrayBuffer): void {
  const view = new DataView(buffer);
  view.setUint16(6, view.getUint16(6, true) & ~START, true);
}

const WRAP = 2 ** 32;

/** Milliseconds from a stamp (tenths of a millisecond, modulo 2^32, as the server sends them back) to `now`. */
export function since(stamp: number, now: number): number {
  const past = (((Math.round(now * 10) - stamp) % WRAP) + WRAP) % WRAP;
  // A hair of rounding must not become five days.
  return (past > WRAP / 2 ? past - WRAP : past) / 10;
}
