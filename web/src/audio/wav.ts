/** Samples into 16-bit WAV, exactly. */

/** Full scale of 16 bits: what came from an int16 as n / 32768 becomes n again. */
const SCALE = 32768;

/** Float samples as int16: rounded to the nearest, beyond full scale held there, never wrapped. */
export function int16(samples: Float32Array): Int16Array<ArrayBuffer> {
  const out = new Int16Array(samples.length);
  for (let i = 0; i < samples.length; i++) {
    const scaled = Math.round((samples[i] ?? 0) * SCALE);
    out[i] = scaled > 32767 ? 32767 : scaled < -32768 ? -32768 : scaled;
  }
  return out;
}

/** The 44 bytes before the samples. */
export function wavHeader(rate: number, channels: number, frames: number): ArrayBuffer {
  const data = frames * channels * 2;
  const view = new DataView(new ArrayBuffer(44));
  const ascii = (at: number, word: string) => {
    for (let i = 0; i < word.length; i++) view.setUint8(at + i, word.charCodeAt(i));
  };
  ascii(0, 'RIFF');
  view.setUint32(4, 36 + data, true);
  ascii(8, 'WAVEfmt ');
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true); // PCM
  view.setUint16(22, channels, true);
  view.setUint32(24, rate, true);
  view.setUint32(28, rate * channels * 2, true);
  view.setUint16(32, channels * 2, true);
  view.setUint16(34, 16, true);
  ascii(36, 'data');
  view.setUint32(40, data, true);
  return view.buffer;
}

/** Channels woven into frames. All must have the length of the first. */
export function interleave(channels: Int16Array<ArrayBuffer>[]): Int16Array<ArrayBuffer> {
  const first = channels[0];
  if (!first || channels.length === 1) return first ?? new Int16Array(0);
  const out = new Int16Array(first.length * channels.length);
  channels.forEach((channel, c) => {
    for (let i = 0; i < channel.length; i++) out[i * channels.length + c] = channel[i] ?? 0;
  });
  return out;
}
