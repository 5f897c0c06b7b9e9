/** Parses every Mermaid drawing of the pages with Mermaid itself: what it cannot draw is shown with its page and line. */

import { readdirSync, readFileSync } from 'node:fs';
import { JSDOM } from 'jsdom';

const ROOT = new URL('../../', import.meta.url).pathname;

// Mermaid takes its sanitizer from a browser's window.
const { window } = new JSDOM('');
Object.assign(globalThis, { window, document: window.document });
const { default: mermaid } = await import('mermaid');

let drawings = 0;
for (const page of ['README.md', 'SECURITY.md', 'CONTRIBUTING.md', ...pagesOfDocs()]) {
  const text = readFileSync(ROOT + page, 'utf8');
  for (const { 1: drawing, index } of text.matchAll(/^```mermaid\n([\s\S]*?)^```$/gm)) {
    drawings++;
    const line = text.slice(0, index).split('\n').length;
    await mermaid.parse(drawing).catch((error) => {
      console.error(`${page}:${line}: ${error.message}`);
      process.exitCode = 1;
    });
  }
}
console.error(`drawings: ${drawings} parsed`);
if (drawings === 0) process.exitCode = 1;

function pagesOfDocs() {
  return readdirSync(`${ROOT}docs`)
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`);
}
