/** Markdown and HTML from the app into HTML that can do no harm. */
import DOMPurify from 'dompurify';
import { Marked, type TokenizerAndRendererExtension } from 'marked';
import './rich.css';

/** What stands between two signs is a formula in LaTeX; `display` gives it a line of its own. */
export interface Delimiter {
  left: string;
  right: string;
  display: boolean;
}

type Formula = (tex: string, options: { displayMode: boolean; throwOnError: boolean }) => string;

/** Fetched for the first page that has a formula. */
let fetched: Promise<Formula> | null = null;
export const fetchFormulas = (): Promise<Formula> =>
  (fetched ??= import('temml').then(
    ({ default: temml }) => temml.renderToString.bind(temml),
    (error: unknown) => {
      fetched = null;
      throw error;
    },
  ));

/** Longer signs first: `$$` is no empty formula between two `$`. */
const ordered = (delimiters: Delimiter[]) => [...delimiters].sort((a, b) => b.left.length - a.left.length);

export const hasFormula = (text: string, delimiters: Delimiter[]): boolean =>
  delimiters.some(({ left, right }) => {
    const at = text.indexOf(left);
    return at >= 0 && text.indexOf(right, at + left.length) > at;
  });

/** What Markdown leaves alone: `_` and `\\` in a formula are its own. In code there are no formulas. */
function formulas(delimiters: Delimiter[], formula: Formula): TokenizerAndRendererExtension {
  const signs = ordered(delimiters);
  return {
    name: 'formula',
    level: 'inline',
    start: (src) => {
      const found = signs.map(({ left }) => src.indexOf(left)).filter((at) => at >= 0);
      return found.length ? Math.min(...found) : undefined;
    },
    tokenizer(src) {
      for (const { left, right, display } of signs) {
        if (!src.startsWith(left)) continue;
        const end = src.indexOf(right, left.length);
        const tex = src.slice(left.length, end).trim();
        if (end > 0 && tex) return { type: 'formula', raw: src.slice(0, end + right.length), tex, display };
      }
      return undefined;
    },
    renderer: (token) => formula(String(token.tex), { displayMode: token.display === true, throwOnError: false }),
  };
}

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

/** `formula` is given where there are formulas to draw. */
export function markdownToHtml(
  markdown: string,
  lineBreaks = false,
  delimiters: Delimiter[] = [],
  formula: Formula | null = null,
): string {
  const marked = new Marked({ gfm: true, breaks: lineBreaks });
  if (formula) marked.use({ extensions: [formulas(delimiters, formula)] });
  return sanitise(marked.parse(markdown, { async: false }));
}
