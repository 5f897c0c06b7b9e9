/** `callseal decrypt --range`: parts of one file. */

import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parseRange, rangeWithin } from '../lib/cli/decrypt-range.ts';
import { encrypt } from '../lib/index.ts';
import { callseal } from './helpers/cli.ts';
import { codeOf } from './helpers/errors.ts';
import { makeParties, type Parties } from './helpers/parties.ts';
import { tempDir } from './helpers/temp.ts';

const SIZE = 5000;
const plaintext = randomBytes(SIZE);
let parties: Parties;
let sealed: Uint8Array;
let cwd: string;

beforeAll(async () => {
  parties = await makeParties();
  sealed = await encrypt(plaintext, { recipients: parties.recipients, segmentLength: 1024 });
});

beforeEach(() => {
  cwd = tempDir();
  writeFileSync(join(cwd, 'call.sealed'), sealed);
});

const range = (text: string, ...args: string[]) =>
  callseal(['decrypt', '-k', parties.mary.privateKey, `--range=${text}`, ...args], { cwd });

describe('what a range means', () => {
  it.each([
    ['0-0', 0, 1],
    ['10-19', 10, 20],
    ['4990-', 4990, SIZE],
    ['4990-99999999', 4990, SIZE],
    ['0-', 0, SIZE],
    ['-1', SIZE - 1, SIZE],
    ['-6000', 0, SIZE],
  ])('%s', (text, start, end) => {
    expect(rangeWithin(parseRange(text), SIZE, 'call')).toEqual({ start, end });
  });

  it.each(['', '-', '-0', '5-4', '1', 'a-b', '1-2-3', ' 1-2', '0x1-2', '1.5-2', '1-1e9', '9999999999999999-'])(
    '%j is refused',
    async (text) => {
      expect(await codeOf(() => parseRange(text))).toBe('ERR_INVALID_ARGUMENT');
    },
  );

  it.each([`${SIZE}-`, `${SIZE}-${SIZE}`, '99999-'])('%s begins behind the end', async (text) => {
    expect(await codeOf(() => rangeWithin(parseRange(text), SIZE, 'call'))).toBe('ERR_INVALID_ARGUMENT');
  });

  it('nothing has no part', async () => {
    for (const text of ['0-', '-1']) {
      expect(await codeOf(() => rangeWithin(parseRange(text), 0, 'call'))).toBe('ERR_INVALID_ARGUMENT');
    }
  });
});

describe('the command', () => {
  it('writes the bytes to a file or to standard output', async () => {
    const file = await range('1000-2999', '-o', 'part', 'call.sealed');
    expect([file.status, file.stdout.toString(), file.stderr]).toEqual([0, '', '']);
    expect(readFileSync(join(cwd, 'part')).equals(plaintext.subarray(1000, 3000))).toBe(true);
    const out = await range('-10', '-o', '-', 'call.sealed');
    expect([out.status, out.stderr]).toEqual([0, '']);
    expect(out.stdout.equals(plaintext.subarray(SIZE - 10))).toBe(true);
    const again = await range('0-9', '-o', 'part', 'call.sealed');
    expect([again.status, again.stderr]).toEqual([13, expect.stringContaining('exists')]);
  });

  it('leaves a damaged segment alone that it does not need, and writes nothing of one that it needs', async () => {
    const path = join(cwd, 'call.sealed');
    const altered = Buffer.from(sealed);
    altered[altered.length - 2000]! ^= 1; // in the segment before the last
    writeFileSync(path, altered);
    const good = await range('0-99', '-o', '-', 'call.sealed');
    expect([good.status, good.stdout.equals(plaintext.subarray(0, 100))]).toEqual([0, true]);
    const bad = await range('0-', '-o', 'part', 'call.sealed');
    expect([bad.status, bad.stderr]).toEqual([7, expect.stringContaining('call.sealed: segment')]);
    truncateSync(path, altered.length - 1);
    expect((await range('0-99', '-o', 'part', 'call.sealed')).status).toBe(8);
    expect(readdirSync(cwd)).toEqual(['call.sealed']);
  });

  it.each([
    [['0-9', 'call.sealed'], '-o OUT'],
    [['0-9', '-o', 'x', 'call.sealed', 'other'], '-o names one output'],
    [['0-9', '--output-dir', 'x', 'call.sealed', 'other'], 'one file'],
    [['0-9', '-o', 'x', '-R', '.'], 'one file'],
    [['0-9', '-o', 'x', '-'], 'standard input'],
    [['0-9', '-o', './call.sealed', '--force', 'call.sealed'], 'an input too'],
    [['9-0', '-o', 'x', 'call.sealed'], 'START-END'],
    [[`${SIZE}-`, '-o', 'x', 'call.sealed'], 'begins at byte 5,000'],
  ])('%j is wrong usage', async ([text, ...args], said) => {
    const run = await range(text!, ...args);
    expect([run.status, run.stderr]).toEqual([2, expect.stringContaining(said)]);
    expect(readdirSync(cwd)).toEqual(['call.sealed']);
  });

  it('gives what is there of a file whose end is missing, with --recover and 22', async () => {
    truncateSync(join(cwd, 'call.sealed'), sealed.length - 600);
    const without = await range('0-9', '-o', 'part', 'call.sealed');
    expect(without.status).toBe(8);
    const { status, stderr } = await range('0-9', '--recover', '-o', 'part', 'call.sealed');
    expect(stderr).toContain('its end is missing');
    expect(status).toBe(22);
    expect(readFileSync(join(cwd, 'part'))).toEqual(plaintext.subarray(0, 10));
  });
});
