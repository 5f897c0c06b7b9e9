/** `callseal status`, and what every command does when the module is not what it should be. */

import { copyFileSync, cpSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { status } from '../lib/status.ts';
import { callseal, shell } from './helpers/cli.ts';
import { makeKeyPair } from './helpers/keys.ts';
import { tempDir } from './helpers/temp.ts';

describe('status', () => {
  it('names module, libcrypto and every operation', async () => {
    const run = await callseal(['status']);
    expect([run.status, run.stderr]).toEqual([0, '']);
    const text = run.stdout.toString();
    const expected = status();
    expect(text).toMatch(/^FIPS +required$/m);
    for (const fact of [
      expected.provider.path,
      expected.provider.sha256,
      expected.libcrypto.path,
      expected.validation.sentence,
      'self-tests: passed',
    ]) {
      expect(text).toContain(fact);
    }
    for (const { name } of expected.algorithms) expect(text).toContain(name);
    expect(text).toMatch(/not approved +DES-EDE3-CBC +encrypt/);
  });

  it('writes the same as JSON', async () => {
    const run = await callseal(['status', '--json']);
    expect(JSON.parse(run.stdout.toString())).toEqual(JSON.parse(JSON.stringify(status())));
  });

  it('writes JSON when there is no module, too, and fails', async () => {
    const run = await callseal(['status', '--json'], { env: { CALLSEAL_FIPS_DIR: tempDir() } });
    expect(run.status).toBe(11);
    expect(JSON.parse(run.stdout.toString())).toMatchObject({ exitCode: 11, error: { code: 'ERR_FIPS_UNAVAILABLE' } });
  });

  it('says that FIPS is off', async () => {
    const run = await callseal(['status'], { env: { CALLSEAL_FIPS: 'off' } });
    expect(run.status).toBe(0);
    expect(run.stdout.toString()).toMatch(/^FIPS +OFF \(CALLSEAL_FIPS=off\)/m);
    expect(run.stdout.toString()).not.toMatch(/^ {2}approved/m);
  });
});

describe('without a FIPS module', () => {
  it('everything that needs one ends with 11 and writes nothing', async () => {
    const cwd = tempDir();
    makeKeyPair(cwd);
    writeFileSync(join(cwd, 'call.callsre'), 'audio');
    const env = { CALLSEAL_FIPS_DIR: join(cwd, 'empty') };
    mkdirSync(env.CALLSEAL_FIPS_DIR);
    for (const args of [
      ['status'],
      ['encrypt', '-r', 'my_cert.crt', 'call.callsre'],
      ['decrypt', '-k', 'my_private.key', '-o', 'out', 'my_cert.crt'],
      ['verify', '-k', 'my_private.key', 'a', 'b', 'c'],
      ['keygen', '--subject', '/CN=a', '--key', 'k', '--cert', 'c', '--no-passphrase'],
    ]) {
      const run = await callseal(args, { cwd, env });
      expect([run.status, run.stdout.toString()]).toEqual([11, '']);
      expect(run.stderr).toContain('callseal fips install');
    }
  });

  it('a wrong setting is wrong usage', async () => {
    const run = await callseal(['status'], { env: { CALLSEAL_FIPS: 'maybe' } });
    expect([run.status, run.stderr]).toEqual([2, expect.stringContaining('CALLSEAL_FIPS is "maybe"')]);
  });
});

describe('fips install', () => {
  it('ends with its own code for a module that is none', async () => {
    const cwd = tempDir();
    const run = await callseal(['fips', 'install', '--module', '/bin/true', '--dir', 'fips'], { cwd });
    expect([run.status, run.stderr]).toEqual([11, expect.stringContaining('callseal: fips install: ')]);
    expect(existsSync(join(cwd, 'fips'))).toBe(false);
  });

  it('installs the module given', async () => {
    const cwd = tempDir();
    copyFileSync(status().provider.path, join(cwd, 'given.so'));
    const run = await callseal(['fips', 'install', '--module', 'given.so', '--dir', 'fips'], { cwd });
    expect(run.status, run.stderr).toBe(0);
    expect(run.stderr).toContain('callseal: fips install: Installed ');
    const installed = await callseal(['status', '--json'], { env: { CALLSEAL_FIPS_DIR: join(cwd, 'fips') } });
    expect(JSON.parse(installed.stdout.toString()).provider.path).toContain(join(cwd, 'fips'));
  });
});

describe('a copy that was not built', () => {
  /** The package without its native module, or without dist/. */
  function copyOf(...parts: string[]): string {
    const [copy, root] = [tempDir(), fileURLToPath(new URL('..', import.meta.url))];
    for (const part of ['bin', 'package.json', ...parts])
      cpSync(join(root, part), join(copy, part), { recursive: true });
    symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
    return copy;
  }

  it('without native module ends with 12 where one is needed', async () => {
    const copy = copyOf('dist');
    // Not the one that counts lines, either (`npm run coverage`).
    const run = await shell(`CALLSEAL_PREBUILD= node '${copy}/bin/callseal' status`);
    expect([run.status, run.stderr]).toEqual([12, expect.stringContaining('no native module')]);
    const version = await shell(`node '${copy}/bin/callseal' --version`);
    expect(version.status).toBe(0);
  });

  it('without dist says how to build it', async () => {
    const run = await shell(`node '${copyOf()}/bin/callseal' --version`);
    expect([run.status, run.stderr]).toEqual([1, expect.stringContaining('callseal: hint: npm run compile')]);
  });
});
