/** The results as a table, and the page that keeps the last ones. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../setup/run.mjs';

const PAGE = join(ROOT, 'docs/everywhere.md');
const BEGIN = '<!-- begin of what scripts/everywhere.mjs writes -->';
const END = '<!-- end of what scripts/everywhere.mjs writes -->';

/** `12 passed, 0 failed, 1 skipped`, or why there is no such thing. */
export function resultOf({ totals, reason }) {
  if (totals === undefined) return `not run: ${reason}`;
  const skipped = totals.skipped > 0 ? `, ${totals.skipped} skipped` : '';
  return `${totals.passed} passed, ${totals.failed} failed${skipped}`;
}

/** The last lines, and the exit code. */
export function summary(results) {
  const sum = (key) => results.reduce((total, { totals }) => total + (totals?.[key] ?? 0), 0);
  const absent = results.filter(({ totals }) => totals === undefined).length;
  return {
    lines: [
      ...(absent > 0 ? [`${absent} of ${results.length} environments could not be had here`] : []),
      `${sum('passed')} passed, ${sum('failed')} failed, ${sum('skipped')} skipped`,
    ],
    exitCode: sum('failed') > 0 ? 1 : 0,
  };
}

/**
 * Puts a result on the page, which keeps the last one of every other environment.
 *
 * @param {{ name: string, what: string, date: string, totals?: object, reason?: string }} result
 * @param {string[]} names of all environments, in the page's order
 */
export function writePage(result, names) {
  const page = readFileSync(PAGE, 'utf8');
  const [before, after] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (before < 0 || after < before) throw new Error(`${PAGE} has lost its marks`);
  const rows = [...page.slice(before, after).split('\n'), rowOf(result)];
  const last = (name) => rows.findLast((row) => row.startsWith(`| ${name} |`)) ?? [];
  const table = [
    '| where | Node, FIPS module, libcrypto | result | date |',
    '|---|---|---|---|',
    ...names.flatMap(last),
  ].join('\n');
  writeFileSync(PAGE, `${page.slice(0, before)}${BEGIN}\n${table}\n${page.slice(after)}`);
}

function rowOf(result) {
  return `| ${result.name} | ${result.what} | ${resultOf(result)} | ${result.date} |`;
}
