/** SECURITY.md names a test for what it says: each of them is there. */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..');
const page = readFileSync(join(ROOT, 'SECURITY.md'), 'utf8');

/** The last cells of the tables that say what shows a line. */
const evidence = page
  .split('\n\n')
  .filter((block) => block.startsWith('| wants | gets | shown by |'))
  .flatMap((table) => table.split('\n').slice(2))
  .map((row) => ({ row, cell: row.split('|').at(-2)! }));

it('has a table for each attacker', () => {
  expect(evidence.length).toBeGreaterThan(25);
});

it('names tests that exist, and only what an attacker can do has none', () => {
  for (const { row, cell } of evidence) {
    const names = [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name!);
    for (const name of names) {
      const path = name.includes('/') ? name : `test/${name}.test.ts`;
      expect(existsSync(join(ROOT, path)), path).toBe(true);
    }
    if (names.length === 0) expect(row).toContain('**he can**');
  }
});
