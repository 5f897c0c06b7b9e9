/** What a caller in JavaScript gets wrong is refused with a code, never with a bare TypeError. */

import { expect, it } from 'vitest';

import * as callseal from '../lib/index.ts';
import { codeOf } from './helpers/errors.ts';

/** The public functions, as a caller without types sees them. */
const loose = callseal as unknown as Record<string, (...args: unknown[]) => unknown>;

it.each([
  ['encryptFile', ['in', 'out']],
  ['encryptInPlace', ['in']],
  ['decryptFile', ['in', 'out']],
  ['encrypt', [new Uint8Array(1)]],
  ['decrypt', [new Uint8Array(1)]],
  ['createEncryptStream', []],
  ['createDecryptStream', []],
  ['verify', ['in']],
  ['createCallFileWriter', ['new']],
  ['followCallFile', ['in']],
  ['inspect', ['in', null]],
  ['createCertificate', []],
])('%s without its options', async (name, args) => {
  for (const options of [undefined, null, 5]) {
    if (name === 'inspect' && options === undefined) continue;
    const call = (): unknown => loose[name]!(...(name === 'inspect' ? ['in', options] : [...args, options]));
    expect([options, await codeOf(call)]).toEqual([options, 'ERR_INVALID_ARGUMENT']);
  }
});

it('a progress listener that is no function', async () => {
  const keys = new callseal.KeyRing([]);
  expect(await codeOf(() => loose.verify!(process.execPath, { keys, onProgress: 5 }))).toBe('ERR_INVALID_ARGUMENT');
});

it('a wish to recover that is neither true nor false', async () => {
  const options = { keys: new callseal.KeyRing([]), recover: 1 };
  for (const call of [
    () => loose.decryptFile!(process.execPath, 'out', options),
    () => loose.decrypt!(new Uint8Array(1), options),
    () => loose.createDecryptStream!(options),
  ]) {
    expect(await codeOf(call)).toBe('ERR_INVALID_ARGUMENT');
  }
});
