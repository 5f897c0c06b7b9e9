/** `callseal protect` and `unprotect`: what goes in comes out, for its entity only, and nothing else ever does. */

import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { onTerminal, shell } from './helpers/cli.ts';
import { sparseFile } from './helpers/files.ts';
import { makeSite, type Site, withKey } from './helpers/keys-cli.ts';

const ENTITY = ['models', '--type', 'claimant', '--id', 'c-41', '--tenant', 'acme', '--field', 'template'];
const SECRET = 'a voice model';

let site: Site;
let sealed: Buffer;

beforeAll(async () => {
  site = await makeSite();
  sealed = (await site.run(withKey(['protect', ...ENTITY]), { input: SECRET })).stdout;
});

beforeEach(() => {
  for (const name of readdirSync(site.cwd)) expect(name).not.toMatch(/callseal-tmp$/);
});

const at = (name: string): string => join(site.cwd, name);
const unprotect = (args: readonly string[], input: Uint8Array = sealed) =>
  site.run(withKey(['unprotect', ...args]), { input });

describe('protect', () => {
  it('makes the first keys of an empty store', async () => {
    const fresh = await makeSite();
    const run = await fresh.run(withKey(['protect', ...ENTITY]), { input: SECRET });
    expect([run.status, run.stderr]).toEqual([0, '']);
    expect(run.stdout.subarray(0, 4).toString()).toBe('CSRD');
    expect(run.stdout.includes(SECRET)).toBe(false);
  });

  it('gives back every byte', async () => {
    for (const length of [0, 1, 100_000]) {
      const input = randomBytes(length);
      const { stdout } = await site.run(withKey(['protect', ...ENTITY]), { input });
      expect((await unprotect(ENTITY, stdout)).stdout.equals(input)).toBe(true);
    }
  });

  it('takes and makes files: complete, for their owner only, and never over others', async () => {
    writeFileSync(at('in'), SECRET);
    await site.ok(['protect', ...ENTITY, '--in', 'in', '--out', 'record']);
    expect(statSync(at('record')).mode & 0o777).toBe(0o600);
    await site.ok(['unprotect', ...ENTITY, '--in', 'record', '--out', 'out']);
    expect([readFileSync(at('out'), 'utf8'), statSync(at('out')).mode & 0o777]).toEqual([SECRET, 0o600]);
    const again = await site.run(withKey(['protect', ...ENTITY, '--in', 'in', '--out', 'record']));
    expect([again.status, again.stderr]).toEqual([13, expect.stringContaining('--force')]);
    await site.ok(['protect', ...ENTITY, '--in', 'in', '--out', 'record', '--force']);
  });

  it('writes no binary to a terminal', async () => {
    writeFileSync(at('terminal-in'), SECRET);
    const args = withKey(['protect', ...ENTITY, '--in', 'terminal-in']);
    const { status, screen } = await onTerminal(args, site);
    expect([status, screen]).toEqual([2, expect.stringContaining('give --out FILE')]);
  });

  it('refuses what is too long for a record, and what is not there', async () => {
    sparseFile(at('long'), 64 * 1024 * 1024 + 1);
    const long = await site.run(withKey(['protect', ...ENTITY, '--in', 'long', '--out', 'never']));
    expect([long.status, long.stderr]).toEqual([2, expect.stringContaining('more than 67.1 MB')]);
    expect(existsSync(at('never'))).toBe(false);
    const none = await site.run(withKey(['protect', ...ENTITY, '--in', 'none']));
    expect([none.status, none.stderr]).toEqual([13, expect.stringContaining('none: cannot be read (ENOENT)')]);
  });

  it.each([
    [['models', '--id', 'a'], /required option '--type <type>' not specified/],
    [['models', '--type', 'a'], /required option '--id <id>' not specified/],
    [['--type', 'a', '--id', 'b'], /missing required argument 'area'/],
    [['Models', '--type', 'a', '--id', 'b'], /an area has 1 to 64/],
    [['models', '--type', 'a', '--id', ''], /the entity's id must not be empty/],
    [['models', '--type', 'a', '--id', 'x'.repeat(1025)], /more than 1024 bytes/],
  ])('%j is wrong usage', async (args, message) => {
    const run = await site.run(withKey(['protect', ...args]), { input: SECRET });
    expect([run.status, run.stdout.length, run.stderr]).toEqual([2, 0, expect.stringMatching(message)]);
  });
});

describe('unprotect', () => {
  it.each([
    ['tenant', ENTITY.with(6, 'emca')],
    ['type', ENTITY.with(2, 'user')],
    ['id', ENTITY.with(4, 'c-42')],
    ['field', ENTITY.with(8, 'picture')],
  ])('of another %s ends with 16 and writes nothing', async (_part, args) => {
    const run = await unprotect([...args, '--out', 'stolen']);
    expect([run.status, run.stdout.length, existsSync(at('stolen'))]).toEqual([16, 0, false]);
  });

  it('of another area ends with 16', async () => {
    expect((await unprotect(ENTITY.with(0, 'features'))).status).toBe(16);
  });

  it('of something altered, cut or foreign ends with its own code and writes nothing', async () => {
    const altered = Buffer.from(sealed);
    altered[60]! ^= 1;
    const cases: [Uint8Array, number][] = [
      [altered, 7],
      [sealed.subarray(0, 80), 8],
      [Buffer.from('hello'), 9],
      [Buffer.alloc(0), 9],
    ];
    for (const [input, status] of cases) {
      const run = await unprotect([...ENTITY, '--out', 'stolen'], input);
      expect([run.status, run.stdout.length, existsSync(at('stolen'))]).toEqual([status, 0, false]);
    }
  });

  it('reads a pipe and feeds one', async () => {
    const words = withKey(ENTITY).map((word) => `'${word}'`);
    const line = `printf '${SECRET}' | callseal protect ${words.join(' ')} | callseal unprotect ${words.join(' ')} | tr a-z A-Z`;
    const run = await shell(line, { cwd: site.cwd, env: site.env });
    expect([run.stdout.toString(), run.stderr]).toEqual([SECRET.toUpperCase(), '']);
  });
});
