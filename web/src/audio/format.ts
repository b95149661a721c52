/** Times, sizes and levels in figures. */

/** Seconds as 0:12.40, or 1:02:03.40 from an hour on; cut, not rounded, as a clock does. */
export function clock(seconds: number, decimals = 2): string {
  const unit = 10 ** decimals;
  // A hair of tolerance: 12.4 s must not read 12.39 because of binary fractions.
  const ticks = Math.max(0, Math.floor(seconds * unit + 1e-6));
  const whole = Math.floor(ticks / unit);
  const rest = decimals ? `.${String(ticks % unit).padStart(decimals, '0')}` : '';
  const s = String(whole % 60).padStart(2, '0');
  const m = Math.floor(whole / 60) % 60;
  const h = Math.floor(whole / 3600);
  return h ? `${h}:${String(m).padStart(2, '0')}:${s}${rest}` : `${m}:${s}${rest}`;
}

/** A bound in words: 0.5 s, 30 s, 2:00. */
export function bound(seconds: number): string {
  return seconds < 60 ? `${Number(seconds.toFixed(2))} s` : clock(seconds, seconds % 1 ? 1 : 0);
}

/** Hertz as 44.1 kHz; exact, with no more digits than it needs. */
export function kilohertz(rate: number): string {
  return `${Number((rate / 1000).toFixed(3))} kHz`;
}

export function bytes(n: number): string {
  // By 1024, as limits are read: "20 MB" must come back as 20 MB.
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let size = n;
  while (size >= 1000 && units.length > 1) {
    size /= 1024;
    units.shift();
  }
  return `${Number(size.toPrecision(3))} ${units[0]}`;
}

/** 2000000, "2mb", "1.5 GB" as bytes; null when there is no limit. */
export function byteLimit(limit: unknown): number | null {
  if (typeof limit === 'number') return limit;
  if (typeof limit !== 'string') return null;
  const match = /^\s*([\d.]+)\s*([kmgt]?)i?b?\s*$/i.exec(limit);
  if (!match) return null;
  const power = ['', 'k', 'm', 'g', 't'].indexOf((match[2] ?? '').toLowerCase());
  return Math.floor(Number(match[1]) * 1024 ** power);
}

/** Magnitude (1 is full scale) in decibels. */
export function decibels(magnitude: number): number {
  return 20 * Math.log10(magnitude);
}
