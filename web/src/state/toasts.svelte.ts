/** Words that have no place on the page, shown for a while in a corner. */
import type { ToastLevel } from '../wire/types';

export interface Toast {
  id: number;
  level: ToastLevel;
  title: string;
  message: string;
  /** Seconds; null stays until closed. */
  duration: number | null;
}

/** More than these would be a wall of boxes: the oldest goes. */
const MOST = 5;

export class Toasts {
  list: Toast[] = $state.raw([]);
  private next = 1;

  add(toast: Omit<Toast, 'id'>): void {
    // The same words again renew what is there.
    const others = this.list.filter((t) => t.title !== toast.title || t.message !== toast.message);
    this.list = [...others, { ...toast, id: this.next++ }].slice(-MOST);
  }

  close(id: number): void {
    this.list = this.list.filter((t) => t.id !== id);
  }
}
