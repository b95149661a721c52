/** The colours of an outline, out of the page's theme. */
import type { Tones } from './peaks';

/** The value of a custom property of the page now. */
export function token(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** Of an outline whose peaks have that colour; of a sound that was not `cut`, full scale is only as loud as it can be. */
export function tones(peak: string, cut: boolean): Tones {
  // The body of the sound stands out from its peaks: nearer to the text than to the ground.
  return { peak, rms: `color-mix(in srgb, ${peak} 65%, ${token('--text')})`, clipped: cut ? token('--bad') : 'transparent' };
}
