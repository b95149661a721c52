/** The outline of a sound that grows: smallest and largest value per column, of which there are never too many. */

/** The outline never has more columns than this; then two become one. */
const MOST_COLUMNS = 4096;

export class Outline {
  /** Smallest and largest value per column, in turn. */
  values: number[] = [];
  private per = 1; // stretches in a column
  private filled = 0;

  /** More stretches of equal length: smallest and largest value of each, in turn. */
  add(stretches: readonly number[]): void {
    for (let i = 0; i + 1 < stretches.length; i += 2) this.push(stretches[i] ?? 0, stretches[i + 1] ?? 0);
  }

  push(low: number, high: number): void {
    const at = this.values.length - 2;
    if (this.filled === 0) {
      this.values.push(low, high);
    } else {
      if (low < (this.values[at] ?? 0)) this.values[at] = low;
      if (high > (this.values[at + 1] ?? 0)) this.values[at + 1] = high;
    }
    this.filled = (this.filled + 1) % this.per;
    if (this.filled === 0 && this.values.length >= MOST_COLUMNS * 2) this.halve();
  }

  private halve(): void {
    const o = this.values;
    const next: number[] = [];
    for (let i = 0; i + 3 < o.length; i += 4) {
      next.push(Math.min(o[i] ?? 0, o[i + 2] ?? 0), Math.max(o[i + 1] ?? 0, o[i + 3] ?? 0));
    }
    this.values = next;
    this.per *= 2;
  }
}

/** Draws it: it grows to the right until the width is full, then the whole is drawn closer together. */
export function drawOutline(values: readonly number[], canvas: HTMLCanvasElement, colour: string): void {
  const ratio = window.devicePixelRatio || 1;
  const width = Math.round(canvas.clientWidth * ratio);
  const height = Math.round(canvas.clientHeight * ratio);
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const ctx = canvas.getContext('2d');
  if (!ctx) return;
  ctx.clearRect(0, 0, width, height);
  const style = getComputedStyle(canvas);
  ctx.fillStyle = style.getPropertyValue('--line').trim();
  ctx.fillRect(0, Math.floor(height / 2), width, 1);
  ctx.fillStyle = colour || style.getPropertyValue('--wave-played').trim();
  const columns = values.length / 2;
  const middle = height / 2;
  const per = Math.max(1, columns / width);
  for (let x = 0; x < Math.min(width, columns / per); x++) {
    let low = 1;
    let high = -1;
    for (let i = Math.floor(x * per); i < Math.min(columns, Math.ceil((x + 1) * per)); i++) {
      low = Math.min(low, values[i * 2] ?? 0);
      high = Math.max(high, values[i * 2 + 1] ?? 0);
    }
    const top = middle - high * middle * 0.94;
    ctx.fillRect(x, top, 1, Math.max(1, (high - low) * middle * 0.94));
  }
}
