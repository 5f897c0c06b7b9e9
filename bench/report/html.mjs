/** Text that is safe in HTML, and tables. */

const ESCAPES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

export function escapeHtml(text) {
  return String(text).replace(/[&<>"']/g, (character) => ESCAPES[character]);
}

/** Escaped, with `code` between backquotes. */
export function rich(text) {
  return escapeHtml(text).replace(/`([^`]*)`/g, '<code>$1</code>');
}

/**
 * @param {string[]} head HTML
 * @param {string[][]} rows HTML of whole cells, `<td>` included, or their content
 */
export function table(head, rows, { className = '' } = {}) {
  const cell = (content) => (/^<t[dh]/.test(content) ? content : `<td>${content}</td>`);
  const body = rows.map((row) => `<tr>${row.map(cell).join('')}</tr>`).join('\n');
  const heads = head.map((content) => (/^<th/.test(content) ? content : `<th>${content}</th>`)).join('');
  return `<div class="scroll"><table class="${className}"><thead><tr>${heads}</tr></thead><tbody>\n${body}\n</tbody></table></div>`;
}

/** A part of the page; nothing when it has no content. */
export function section(title, text, ...content) {
  const inside = content.filter(Boolean).join('\n');
  return inside === ''
    ? ''
    : `<section>\n<h2>${escapeHtml(title)}</h2>\n<p class="say">${rich(text)}</p>\n${inside}\n</section>`;
}
