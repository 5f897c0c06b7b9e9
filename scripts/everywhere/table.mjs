/** The results as a table, and the page that keeps the last ones. */

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CACHE, ROOT } from '../setup/run.mjs';

const PAGE = join(ROOT, 'docs/everywhere.md');
const KEPT = join(CACHE, 'everywhere.json');
const BEGIN = '<!-- begin of what scripts/everywhere.mjs writes -->';
const END = '<!-- end of what scripts/everywhere.mjs writes -->';

/** `12 passed, 0 failed, 1 skipped`, or why there is no such thing. */
export function resultOf({ totals, reason }) {
  if (totals === undefined) return `not run: ${reason}`;
  const skipped = totals.skipped > 0 ? `, ${totals.skipped} skipped` : '';
  return `${totals.passed} passed, ${totals.failed} failed${skipped}`;
}

/**
 * Keeps these results and writes the page from the last ones of every environment.
 *
 * @param {{ name: string, what: string, date: string, totals?: object, reason?: string }[]} results
 * @param {string[]} names of all environments, in the page's order
 */
export function writePage(results, names) {
  const kept = existsSync(KEPT) ? JSON.parse(readFileSync(KEPT, 'utf8')) : {};
  for (const result of results) kept[result.name] = result;
  writeFileSync(KEPT, JSON.stringify(kept));
  const rows = names.flatMap((name) => (kept[name] === undefined ? [] : [rowOf(kept[name])]));
  const table = ['| where | Node, FIPS module, libcrypto | result | date |', '|---|---|---|---|', ...rows].join('\n');
  const page = readFileSync(PAGE, 'utf8');
  const [before, after] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (before < 0 || after < before) throw new Error(`${PAGE} has lost its marks`);
  writeFileSync(PAGE, `${page.slice(0, before)}${BEGIN}\n${table}\n${page.slice(after)}`);
}

function rowOf(result) {
  return `| ${result.name} | ${result.what} | ${resultOf(result)} | ${result.date} |`;
}
