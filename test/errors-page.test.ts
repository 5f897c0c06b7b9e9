/** docs/errors.md lists every code with what lib/errors.ts says of it, and the exit code that a command ends with. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { exitCodeOf } from '../lib/cli/exit-codes.ts';
import { ERROR_CODES } from '../lib/errors.ts';

const ROOT = join(import.meta.dirname, '..');
const rows = readFileSync(join(ROOT, 'docs/errors.md'), 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('| `ERR_'))
  .map((line) => line.split(/(?<!\\) ?\| ?/).slice(1, -1));
const source = readFileSync(join(ROOT, 'lib/errors.ts'), 'utf8');

it('has every code, once, in the order of the source', () => {
  expect(rows.map(([code]) => code)).toEqual(ERROR_CODES.map((code) => `\`${code}\``));
});

it.each(ERROR_CODES.map((code, index) => [code, index] as const))(
  '%s: meaning, advice and exit code',
  (code, index) => {
    const [, meaning, advice, exit] = rows[index]!;
    const documented = new RegExp(String.raw`/\*\* (.*) \*/\n  '${code}',`).exec(source)?.[1];
    expect(meaning).toBe(documented);
    expect(advice!.length).toBeGreaterThan(15);
    expect(exit).toBe(String(exitCodeOf(code)));
  },
);
