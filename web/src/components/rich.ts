/** Markdown and HTML from the app into HTML that can do no harm. */
import DOMPurify from 'dompurify';
import { Marked } from 'marked';
import './rich.css';

const plain = new Marked({ gfm: true });
const broken = new Marked({ gfm: true, breaks: true });

// A link out of the page opens beside it: the session lives in this tab.
DOMPurify.addHook('afterSanitizeAttributes', (element) => {
  if (element.tagName === 'A' && element.getAttribute('href')?.startsWith('#') === false) {
    element.setAttribute('target', '_blank');
    element.setAttribute('rel', 'noopener noreferrer');
  }
});

/** HTML without scripts, handlers, frames and forms. */
export function sanitise(html: string): string {
  return DOMPurify.sanitize(html, {
    USE_PROFILES: { html: true, svg: true, mathMl: true },
    FORBID_TAGS: ['style', 'form'],
    ADD_ATTR: ['target'],
  });
}

export function markdownToHtml(markdown: string, lineBreaks = false): string {
  const html = (lineBreaks ? broken : plain).parse(markdown, { async: false });
  return sanitise(html);
}
