/** Text that is safe in HTML, tables, and the frame of a page. */

import { STYLE } from './style.ts';

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

export function escapeHtml(text: string | number): string {
  return String(text).replace(/[&<>"']/g, (character) => ESCAPES[character] as string);
}

/** Escaped, with `code` between backquotes. */
export function rich(text: string): string {
  return escapeHtml(text).replace(/`([^`]*)`/g, '<code>$1</code>');
}

/**
 * @param head HTML of whole cells, `<th>` included, or their content
 * @param rows HTML of whole cells, `<td>` included, or their content
 */
export function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  { className = '' }: { className?: string } = {},
): string {
  const cell = (content: string): string => (/^<t[dh]/.test(content) ? content : `<td>${content}</td>`);
  const header = head.every((content) => content === '') ? '' : `<thead><tr>${heads(head)}</tr></thead>`;
  const body = rows.map((row) => `<tr>${row.map(cell).join('')}</tr>`).join('\n');
  return `<div class="scroll"><table class="${className}">${header}<tbody>\n${body}\n</tbody></table></div>`;
}

const heads = (head: readonly string[]): string =>
  head.map((content) => (/^<th/.test(content) ? content : `<th>${content}</th>`)).join('');

/** A bar that is full at 1. `mark`: a line across it. */
export function share(part: number, { colour = 'own', mark }: { colour?: string; mark?: number } = {}): string {
  const percent = (value: number): string => `${Math.min(100, Math.max(0, 100 * value)).toFixed(1)}%`;
  const line = mark === undefined ? '' : `<b style="left:calc(${percent(mark)} - 1px)"></b>`;
  return `<div class="track" style="--c:var(--${colour})"><i style="width:${percent(part)}"></i>${line}</div>`;
}

/** A part of the page; nothing when it has no content. */
export function section(title: string, text: string, ...content: (string | false | undefined)[]): string {
  const inside = content.filter(Boolean).join('\n');
  const say = text === '' ? '' : `<p class="say">${rich(text)}</p>\n`;
  return inside === '' ? '' : `<section>\n<h2>${escapeHtml(title)}</h2>\n${say}${inside}\n</section>`;
}

/** Figures large enough to be read from afar, each with what it is: text, not HTML. */
export function tiles(figures: readonly (readonly [figure: string, text: string])[]): string {
  if (figures.length === 0) return '';
  const each = figures.map(
    ([figure, text]) => `<div class="tile"><b>${escapeHtml(figure)}</b><span>${rich(text)}</span></div>`,
  );
  return `<div class="tiles">${each.join('')}</div>`;
}

/** A whole page that needs nothing from outside. */
export function page(title: string, body: readonly string[]): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>
${STYLE}</style>
</head>
<body>
<main>
${body.filter((part) => part !== '').join('\n')}
</main>
</body>
</html>
`;
}
