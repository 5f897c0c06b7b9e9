/**
 * A short form of `npm run test:everywhere`: a few tests of the core part where everything is unusual at once, and what
 * a locale must not change.
 */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { CORE, SHORT } from '../scripts/everywhere/core-tests.mjs';
import { COMBINED } from '../scripts/everywhere/environments.mjs';
import { localeEnvironment } from '../scripts/everywhere/locales.mjs';
import { runTests, type Setting } from '../scripts/everywhere/run-tests.mjs';
import { PROJECT } from './helpers/native-build.ts';
import { DIST, inNode } from './helpers/native-child.ts';
import { tempDir } from './helpers/temp.ts';

/** What a preparation gives, or the reason why it gives nothing. */
async function attempt<T>(prepare: () => T | Promise<T>): Promise<{ value: T } | { reason: string }> {
  try {
    return { value: await prepare() };
  } catch (error) {
    return { reason: `cannot be had here: ${(error as Error).message}` };
  }
}

it('the core part names tests that there are', () => {
  expect([...CORE, ...SHORT].filter((file) => !existsSync(join(PROJECT, file)))).toEqual([]);
});

it(COMBINED.name, { timeout: 120_000 }, async ({ skip }) => {
  const prepared = await attempt<Setting>(() => COMBINED.prepare());
  if ('reason' in prepared) return skip(prepared.reason);
  const { passed, failures } = await runTests(SHORT, prepared.value);
  expect(failures).toEqual([]);
  expect(passed).toBeGreaterThan(SHORT.length);
});

describe('native code in a process with a Turkish locale', () => {
  it('words the system’s errors as everywhere', async ({ skip }) => {
    const prepared = await attempt(() => localeEnvironment('tr_TR.ISO-8859-9'));
    if ('reason' in prepared) return skip(prepared.reason);
    const found = await inNode<{ located: boolean; message: string }>(
      `
        import { readFileSync } from 'node:fs';
        import { Passphrase } from '${DIST}index.js';
        const located = readFileSync('/proc/self/maps', 'utf8').includes('tr_TR.ISO-8859-9/LC_CTYPE');
        const { message } = attempt(() => Passphrase.fromFile(${JSON.stringify(tempDir())}));
        report({ located, message });
      `,
      { env: prepared.value },
    );
    expect(found.located).toBe(true);
    expect(found.message).toMatch(/: is a directory \(EISDIR\)/);
  });
});
