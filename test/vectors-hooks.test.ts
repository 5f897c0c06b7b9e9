/** The raw-key hooks: what ties them to the product's own code, and how they refuse. */

import { beforeAll, describe, expect, test } from 'vitest';
import type { TestModule } from '../scripts/vectors/module.mjs';
import { codeOf } from './helpers/errors.ts';
import { testModule } from './helpers/vectors.ts';

let module: TestModule;

beforeAll(async () => {
  module = await testModule();
});

const bytes = (length: number) => Uint8Array.from({ length }, (_, index) => index * 7 + 1);
const utf8 = (text: string) => new Uint8Array(Buffer.from(text));
const joined = (...parts: Uint8Array[]) => new Uint8Array(Buffer.concat(parts));

test('SecretKey.derive is KBKDF over label, zero byte, context and length, as NIST’s vectors check it', () => {
  const { hooks } = module;
  const [label, context] = [utf8('callseal test label'), bytes(41)];
  const fixedInput = joined(label, Uint8Array.of(0), context, Uint8Array.of(0, 0, 1, 0)); // 256 bits
  for (const use of ['floe', 'mac'] as const) {
    const derived = hooks.importKey('content', bytes(32)).derive(use, label, context);
    expect(derived.use).toBe(use);
    expect(hooks.exportKey(derived)).toEqual(hooks.kbkdf('HMAC', 'SHA2-256', bytes(32), fixedInput, 32, 32));
  }
});

test('an imported key is exported as it was', () => {
  const { hooks } = module;
  for (const use of ['content', 'mac', 'floe', 'gcm', 'wrap'] as const) {
    expect(hooks.exportKey(hooks.importKey(use, bytes(32)))).toEqual(bytes(32));
  }
});

test('a destroyed key is not exported', async () => {
  const key = module.hooks.importKey('mac', bytes(32));
  key.destroy();
  expect(await codeOf(() => module.hooks.exportKey(key))).toBe('ERR_KEY_USE');
});

describe('parameters that cannot be are refused', () => {
  const none = new Uint8Array();
  const refused: [name: string, operation: () => unknown][] = [
    ['an AES key of 31 bytes', () => module.hooks.gcmEncrypt(bytes(31), bytes(12), none, none, 16)],
    ['a GCM IV of no bytes', () => module.hooks.gcmEncrypt(bytes(32), none, none, none, 16)],
    ['a GCM IV of 129 bytes', () => module.hooks.gcmDecrypt(bytes(32), bytes(129), none, none, bytes(16))],
    ['a GCM tag of no bytes', () => module.hooks.gcmEncrypt(bytes(32), bytes(12), none, none, 0)],
    ['a GCM tag of 17 bytes', () => module.hooks.gcmEncrypt(bytes(32), bytes(12), none, none, 17)],
    ['a CBC key of another length', () => module.hooks.cbcEncrypt('AES-128-CBC', bytes(32), bytes(16), none, true)],
    ['a CBC IV of another length', () => module.hooks.cbcEncrypt('AES-128-CBC', bytes(16), bytes(8), none, true)],
    [
      'half a block without padding',
      () => module.hooks.cbcEncrypt('AES-128-CBC', bytes(16), bytes(16), bytes(8), false),
    ],
    ['nothing to wrap', () => module.hooks.keyWrap('AES-256-WRAP-PAD', bytes(32), none)],
    ['nine bytes without padding to wrap', () => module.hooks.keyWrap('AES-256-WRAP', bytes(32), bytes(9))],
    ['an unknown cipher', () => module.hooks.keyWrap('ROT-13', bytes(32), bytes(16))],
    ['a hash that is not approved', () => module.hooks.hmac('MD5', bytes(32), none)],
    ['an HKDF output of 256 hashes', () => module.hooks.hkdf('SHA2-256', bytes(32), none, none, 8161)],
    ['bytes that are no public key', () => module.hooks.pkcs1Verify(bytes(40), 'SHA2-256', none, none)],
    ['bytes that are no private key', () => module.hooks.oaepDecrypt(none, 'SHA2-256', 'SHA2-256', none, none)],
  ];
  test.each(refused)('%s', async (_name, operation) => {
    expect(await codeOf(operation)).toBe('ERR_NOT_APPROVED');
  });
});

describe('data that is wrong is rejected', () => {
  const none = new Uint8Array();
  const rejected: [name: string, operation: () => unknown][] = [
    ['a GCM tag', () => module.hooks.gcmDecrypt(bytes(32), bytes(12), none, none, bytes(16))],
    ['an empty GCM tag', () => module.hooks.gcmDecrypt(bytes(32), bytes(12), none, none, none)],
    ['an empty CBC text', () => module.hooks.cbcDecrypt('AES-128-CBC', bytes(16), bytes(16), none, true)],
    ['CBC padding', () => module.hooks.cbcDecrypt('AES-128-CBC', bytes(16), bytes(16), bytes(16), true)],
    ['an empty wrapped key', () => module.hooks.keyUnwrap('AES-256-WRAP-PAD', bytes(32), none)],
    ['a wrapped key', () => module.hooks.keyUnwrap('AES-256-WRAP-PAD', bytes(32), bytes(40))],
  ];
  test.each(rejected)('%s', async (_name, operation) => {
    expect(['ERR_TAMPERED', 'ERR_NOT_APPROVED']).toContain(await codeOf(operation));
  });
});

test('mistakes of the caller are told from verdicts', async () => {
  const { hooks } = module;
  const text = 'x' as unknown as Uint8Array;
  expect(await codeOf(() => hooks.hmac('SHA2-256', text, bytes(1)))).toBe('ERR_INVALID_ARGUMENT');
  expect(await codeOf(() => hooks.hmac('SHA2-256', bytes(1), undefined as unknown as Uint8Array))).toBe(
    'ERR_INVALID_ARGUMENT',
  );
  expect(await codeOf(() => hooks.importKey('mac', bytes(31)))).toBe('ERR_INVALID_ARGUMENT');
  expect(await codeOf(() => hooks.cbcEncrypt('AES-128-GCM', bytes(16), bytes(12), bytes(0), true))).toBe(
    'ERR_INVALID_ARGUMENT',
  );
});
