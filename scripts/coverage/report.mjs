/** What was counted, for people: a table by folder, and the lines that no test ran. */

import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ROOT } from './place.mjs';

const PAGE = join(ROOT, 'docs/coverage.md');
const [BEGIN, END] = ['<!-- figures: npm run coverage -- --write -->', '<!-- end of figures -->'];

/** A table in Markdown: lines with code, and how many of them were run. @param {Record<string, Map<number, boolean>>} lines */
export function figuresOf(lines) {
  const folders = new Map();
  for (const [file, counted] of Object.entries(lines)) {
    for (const folder of [dirname(file), `all of ${file.split('/')[0] === 'lib' ? 'lib' : 'native'}`]) {
      const sum = folders.get(folder) ?? { files: 0, lines: 0, run: 0 };
      sum.files += 1;
      sum.lines += counted.size;
      sum.run += [...counted.values()].filter(Boolean).length;
      folders.set(folder, sum);
    }
  }
  const rows = [...folders].sort(([a], [b]) => (a < b ? -1 : 1)).map(row);
  return ['| folder | files | lines | run | |', '|---|--:|--:|--:|--:|', ...rows].join('\n');
}

const row = ([folder, { files, lines, run }]) =>
  `| \`${folder}\` | ${files} | ${lines} | ${run} | ${((100 * run) / Math.max(1, lines)).toFixed(1)} % |`;

/** The lines of each file that nothing ran: `lib/x.ts: 12-14, 30`. */
export function gapsOf(lines) {
  const told = Object.entries(lines).map(([file, counted]) => [file, rangesOf(counted)]);
  return told
    .filter(([, ranges]) => ranges.length > 0)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([file, ranges]) => `${file}: ${ranges.join(', ')}\n`)
    .join('');
}

/** Runs of lines with code; lines without code between them do not part them. */
function rangesOf(counted) {
  const ranges = [];
  let open = null;
  for (const [line, wasRun] of [...counted].sort(([a], [b]) => a - b)) {
    if (wasRun) {
      open = null;
    } else if (open === null) {
      open = [line, line];
      ranges.push(open);
    } else {
      open[1] = line;
    }
  }
  return ranges.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`));
}

export function writePage(figures) {
  const page = readFileSync(PAGE, 'utf8');
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`${PAGE} has no place for the figures`);
  const date = new Date().toISOString().slice(0, 10);
  const measured = `${BEGIN}\n\nMeasured ${date} on Node ${process.versions.node}.\n\n${figures}\n\n`;
  writeFileSync(PAGE, page.slice(0, begin) + measured + page.slice(end));
}
