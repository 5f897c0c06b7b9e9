/** Keys and passphrases that every user of the host may read: the commands work, and say so. */

import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { callseal } from './helpers/cli.ts';
import { makeKeyPair } from './helpers/keys.ts';
import { tempDir } from './helpers/temp.ts';

const dir = tempDir();
const at = (name: string): string => join(dir, name);

beforeAll(async () => {
  mkdirSync(at('private'), { mode: 0o700 });
  makeKeyPair(dir);
  makeKeyPair(at('private'));
  makeKeyPair(dir, { name: 'locked', passphrase: 'secret' });
  writeFileSync(at('passphrase'), 'secret\n');
  writeFileSync(at('call'), 'what the caller said');
  expect((await callseal(['encrypt', '-r', at('my_cert.crt'), '-r', at('locked_cert.crt'), at('call')])).status).toBe(
    0,
  );
});

async function warningsOf(mode: number, dirMode: number, key: string, ...more: string[]): Promise<string[]> {
  chmodSync(dir, dirMode);
  for (const name of [key, 'passphrase']) chmodSync(at(name), mode);
  const run = await callseal(['verify', '-k', at(key), ...more, at('call.sealed')]);
  expect(run.status, run.stderr).toBe(0);
  return run.stderr.split('\n').filter((line) => line.includes('warning:'));
}

it('an unencrypted private key', async () => {
  const [warning, ...others] = await warningsOf(0o644, 0o755, 'my_private.key');
  expect(warning).toBe(
    `callseal: verify: warning: every user of this host may read ${at('my_private.key')}, which holds a private key ` +
      `without a passphrase; chmod go-r ${at('my_private.key')}`,
  );
  expect(others).toEqual([]);
});

it('a file with a passphrase', async () => {
  const warnings = await warningsOf(0o644, 0o755, 'locked_private.key', '--passphrase-file', at('passphrase'));
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).toContain(`every user of this host may read ${at('passphrase')}, which holds a passphrase`);
});

it('not what others may not read, what lies where they cannot go, or what a passphrase protects', async () => {
  expect(await warningsOf(0o640, 0o755, 'my_private.key')).toEqual([]);
  expect(await warningsOf(0o644, 0o700, 'my_private.key')).toEqual([]);
  expect(await warningsOf(0o644, 0o755, 'private/my_private.key')).toEqual([]);
  chmodSync(at('passphrase'), 0o600);
  const run = await callseal([
    'verify',
    '-k',
    at('locked_private.key'),
    '--passphrase-file',
    at('passphrase'),
    at('call.sealed'),
  ]);
  expect([run.status, run.stderr.includes('warning')]).toEqual([0, false]);
});
