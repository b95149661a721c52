/**
 * Keeps the focus where it was when what had it is replaced: Record becomes Stop, an upload becomes a waveform, a part of
 * the page is made anew. Without this the focus falls to the page, and who has no mouse begins at its head.
 */

const STOPS = 'button:not(:disabled), a[href], select:not(:disabled), summary, [tabindex="0"]';
/** Fields only where nothing else takes the focus: a phone would open its keyboard. */
const FIELDS = 'input:not(:disabled, [hidden], [type="file"]), textarea:not(:disabled)';

/** Watches what stands in `root`; call the result to stop. */
export function keepFocus(root: HTMLElement): () => void {
  let last: Element | null = null;
  /** Where it stood: its component, and what that stands in, from the inside out. */
  let homes: HTMLElement[] = [];

  function remember(event: FocusEvent) {
    const now = event.target instanceof Element && root.contains(event.target) ? event.target : null;
    last = now;
    homes = [];
    for (let at = now?.closest<HTMLElement>('[data-node]'); at; at = at.parentElement?.closest<HTMLElement>('[data-node]'))
      homes.push(at);
  }

  function forget() {
    if (!lost()) return; // the focus is about to move by itself
    last = null;
  }

  const lost = () => last !== null && (document.activeElement === null || document.activeElement === document.body);

  function mend() {
    if (!lost() || last?.isConnected) return;
    const home = homes.find((each) => each.isConnected);
    const next = home && first(home);
    if (next) next.focus({ preventScroll: true });
  }

  const observer = new MutationObserver(mend);
  observer.observe(root, { childList: true, subtree: true });
  document.addEventListener('focusin', remember);
  document.addEventListener('pointerdown', forget);
  return () => {
    observer.disconnect();
    document.removeEventListener('focusin', remember);
    document.removeEventListener('pointerdown', forget);
  };
}

/** What takes the focus first in a component: in its content before its head. */
export function first(home: HTMLElement): HTMLElement | undefined {
  const inside = home.querySelectorAll<HTMLElement>('.content');
  const among = (selector: string) => [
    ...[...inside].flatMap((each) => [...each.querySelectorAll<HTMLElement>(selector)]),
    ...home.querySelectorAll<HTMLElement>(selector),
  ];
  return [...among(STOPS), ...among(FIELDS)].find((each) => each.checkVisibility?.({ visibilityProperty: true }) ?? true);
}
