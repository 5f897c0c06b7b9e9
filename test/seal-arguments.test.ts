/** Arguments of the wrong kind are refused by the native functions that seal, with a code. */

import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';

import type { NativeEnvelopeTemplate } from '../lib/native/binding.ts';
import { native } from '../lib/native/load.ts';
import { codeOf } from './helpers/errors.ts';
import { tempDir } from './helpers/temp.ts';

const n = native();
const PRELUDE = new Uint8Array(48);
const NO_BYTES = new Uint8Array(0);
const FOUND = { inputBytes: 1, outputBytes: 1 };
const STAMP = { ino: 1n, size: 1n, mtimeNs: 1n, ctimeNs: 1n };

let template: NativeEnvelopeTemplate;
let input: string;

beforeAll(async () => {
  const { publicKey } = await n.PrivateKey.generate(2048);
  const [bodyLabel, macLabel] = [Uint8Array.of(1), Uint8Array.of(2)];
  const init = { recipients: new Uint8Array(256), wraps: [{ publicKey, offset: 0 }], bodyLabel, macLabel };
  template = new n.EnvelopeTemplate(init);
  input = join(tempDir(), 'absent');
});

const ROOTS = { inputRoot: null, outputRoot: null };
const request = (changes: object = {}) =>
  ({
    input,
    output: `${input}.sealed`,
    ...ROOTS,
    requireLease: false,
    quietFor: 0,
    observed: null,
    ...changes,
  }) as never;
const seal = (changes: { [name: string]: unknown } = {}) => {
  const args = { template, prelude: PRELUDE, request: request(), segmentLength: 4096, prefix: NO_BYTES, control: null };
  const all = Object.values({ ...args, ...changes }) as Parameters<typeof n.sealFile>;
  return n.sealFile(...all);
};

it('takes what is right, and goes on to the file', async () => {
  const right = [request(), request({ observed: STAMP }), request({ quietFor: 0.5, requireLease: true })];
  for (const each of right) {
    expect(await codeOf(() => seal({ request: each }))).toBe('ERR_IO');
    expect(await codeOf(() => n.finishSealing(each, FOUND))).toBe('ERR_IO');
  }
});

it('refuses anything else', async () => {
  const pretender = Object.create(Object.getPrototypeOf(template));
  const wrong: Record<string, unknown[]> = {
    template: [undefined, null, {}, new n.JobControl(), pretender],
    prelude: [undefined, 'x', new Uint8Array(new SharedArrayBuffer(48))],
    request: [undefined, null, 5, {}],
    segmentLength: [undefined, 1023, 16777217, 4096.5],
    prefix: [undefined, 'CALLSEAL'],
    control: [undefined, {}, template],
  };
  for (const [name, values] of Object.entries(wrong)) {
    for (const value of values) {
      expect([name, await codeOf(() => seal({ [name]: value }))]).toEqual([name, 'ERR_INVALID_ARGUMENT']);
    }
  }
});

it('refuses requests of the wrong shape', async () => {
  const wrong: Record<string, unknown[]> = {
    input: [undefined, '', 'a\0b', Buffer.from('x')],
    output: [undefined, '', 'a\0b', 5],
    inputRoot: [undefined, '', 'a\0b', 5],
    outputRoot: [undefined, '', 'a\0b', 5],
    requireLease: [undefined, 0, 'true'],
    quietFor: [undefined, -1, Number.NaN, Number.POSITIVE_INFINITY, '5', 5n],
    observed: [undefined, 5, {}, { ...STAMP, ino: 1 }, { ...STAMP, ctimeNs: undefined }],
  };
  for (const [name, values] of Object.entries(wrong)) {
    for (const value of values) {
      const bad = request({ [name]: value });
      expect([name, await codeOf(() => seal({ request: bad }))]).toEqual([name, 'ERR_INVALID_ARGUMENT']);
      expect([name, await codeOf(() => n.finishSealing(bad, FOUND))]).toEqual([name, 'ERR_INVALID_ARGUMENT']);
    }
  }
  for (const found of [undefined, {}, { ...FOUND, inputBytes: -1 }, { ...FOUND, outputBytes: 2 ** 60 }]) {
    expect(await codeOf(() => n.finishSealing(request(), found as never))).toBe('ERR_INVALID_ARGUMENT');
  }
  for (const path of [undefined, '', 'a\0b', 5]) {
    expect(await codeOf(() => n.cleanDirectory(path as never))).toBe('ERR_INVALID_ARGUMENT');
  }
  for (const descriptor of [undefined, -1, 1.5, '5', 2 ** 31]) {
    expect(await codeOf(() => n.lockFile(descriptor as never))).toBe('ERR_INVALID_ARGUMENT');
  }
});
