/** Handing on where a sound can be heard: by the browser's own way, else by a copied link. */
import type { Page } from '../state/page.svelte';
import { strings } from '../strings';
import type { ClipInfo } from '../wire/types';

export async function share(clip: ClipInfo, page: Page): Promise<void> {
  const url = new URL(clip.url, document.baseURI).href;
  try {
    if (typeof navigator.share === 'function') await navigator.share({ title: clip.name, url });
    else {
      await navigator.clipboard.writeText(url);
      page.toasts.add({ level: 'success', title: strings.shared, message: '', duration: 3 });
    }
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') return; // they thought better of it
    page.toasts.add({ level: 'warning', title: strings.shareFailed, message: '', duration: 6 });
  }
}
