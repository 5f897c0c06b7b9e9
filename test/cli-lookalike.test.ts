/** `callseal encrypt` on files that merely begin as a Callseal file does: they must not stay plaintext. */

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import { callseal } from './helpers/cli.ts';
import { makeKeyPair } from './helpers/keys.ts';
import { tempDir } from './helpers/temp.ts';

let cwd: string;
let genuine: Buffer;

beforeEach(async () => {
  cwd = tempDir();
  makeKeyPair(cwd, { name: 'mary' });
  const run = await callseal(['encrypt', '-r', 'mary_cert.crt', '-'], { cwd, input: 'what a caller said' });
  expect([run.status, run.stderr]).toEqual([0, '']);
  genuine = run.stdout;
});

const at = (name: string): string => join(cwd, name);
const encrypt = (...args: string[]) => callseal(['encrypt', '-r', 'mary_cert.crt', ...args], { cwd });
const opened = async (name: string): Promise<Buffer> => {
  const run = await callseal(['decrypt', '-k', 'mary_private.key', '-o', '-', name], { cwd });
  expect([run.status, run.stderr]).toEqual([0, '']);
  return run.stdout;
};

/** A call file with its version changed. */
function unknownVersion(): Buffer {
  const copy = Buffer.from(genuine);
  copy[9] = copy[9]! ^ 1;
  return copy;
}

it.each<[string, () => Buffer]>([
  ['a plaintext', () => Buffer.from('CALLSEAL transcript of a call\n'.repeat(100))],
  ['the letters alone', () => Buffer.from('CALLSEAL')],
  ['a version that is not known', unknownVersion],
  ['a header cut short', () => genuine.subarray(0, 60)],
])('%s is encrypted, to a file and in place', async (_what, content) => {
  const plain = content();
  writeFileSync(at('call'), plain);
  const beside = await encrypt('-v', 'call');
  expect([beside.status, beside.stderr]).toEqual([0, expect.stringContaining('encrypted to call.sealed')]);
  expect(await opened('call.sealed')).toEqual(plain);
  expect((await encrypt('-o', 'named', 'call')).status).toBe(0);
  expect(await opened('named')).toEqual(plain);
  expect((await encrypt('--in-place', 'call')).status).toBe(0);
  expect(await opened('call')).toEqual(plain);
  const again = await encrypt('--in-place', 'call');
  expect([again.status, again.stderr]).toEqual([0, 'callseal: encrypt: call: encrypted already; left alone\n']);
  expect(await opened('call')).toEqual(plain);
});

it('a genuine file whose body is cut short is left alone', async () => {
  writeFileSync(at('call'), genuine.subarray(0, -1));
  const run = await encrypt('call');
  expect([run.status, run.stderr]).toEqual([0, 'callseal: encrypt: call: encrypted already; left alone\n']);
  expect(existsSync(at('call.sealed'))).toBe(false);
});

it('a plaintext is not written over by another output', async () => {
  const plain = Buffer.from('CALLSEAL is what this plaintext begins with');
  writeFileSync(at('call'), 'another');
  writeFileSync(at('call.sealed'), plain);
  const run = await encrypt('--force', 'call', 'call.sealed');
  expect([run.status, run.stderr]).toEqual([2, expect.stringContaining('call would be written over call.sealed')]);
  expect(readFileSync(at('call.sealed'))).toEqual(plain);
});
