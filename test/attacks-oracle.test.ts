/**
 * An attacker who holds Mary's certificate and has her open files of theirs, and learns whether that worked: from what is
 * said, nothing can be told of the padding under a wrapped key (Manger, Crypto 2001). bench/oaep-timing.mjs measures what
 * can be told from the time.
 */

import { randomBytes } from 'node:crypto';
import { beforeAll, expect, it } from 'vitest';

import { forgeEntry, forgeFile, keyIdOf, plainRsa, wrapKey } from './helpers/attacker.ts';
import { expectOpens, expectRefused } from './helpers/every-way.ts';
import { makeVictims, type Victim } from './helpers/victims.ts';

let mary: Victim;

beforeAll(async () => {
  ({ mary } = await makeVictims());
});

const PLAINTEXT = Buffer.from('what the caller said');
const contentKey = randomBytes(32);

function withWrapped(wrapped: Buffer, mac?: Buffer): Buffer {
  const entries = [forgeEntry({ keyId: keyIdOf(mary.publicKey), wrapped })];
  return forgeFile({ contentKey, entries, plaintext: PLAINTEXT, ...(mac !== undefined && { mac }) });
}

/** A number below the modulus, whose top bit is set, that begins with one byte and goes on at random. */
const beginning = (first: number): Buffer => Buffer.concat([Buffer.of(first), randomBytes(255)]);

it('a wrapped key that is wrong in any way is refused with one and the same error, as is a wrong MAC', async () => {
  await expectOpens(withWrapped(wrapKey(mary.publicKey, contentKey)), mary.keys, PLAINTEXT);
  const { publicKey } = mary;
  const files = {
    'right, with a wrong MAC': withWrapped(wrapKey(publicKey, contentKey), randomBytes(32)),
    'another content key': withWrapped(wrapKey(publicKey, randomBytes(32))),
    'first byte 0, the rest at random': withWrapped(plainRsa(publicKey, beginning(0))),
    'first byte 1, the rest at random': withWrapped(plainRsa(publicKey, beginning(1))),
    'first byte 2, the rest at random': withWrapped(plainRsa(publicKey, beginning(2))),
    'the number 0': withWrapped(Buffer.alloc(256)),
    'the number 1': withWrapped(Buffer.concat([Buffer.alloc(255), Buffer.of(1)])),
    'not below the modulus': withWrapped(Buffer.alloc(256, 0xff)),
    'another label': withWrapped(wrapKey(publicKey, contentKey, { label: Buffer.from('callseal') })),
    'another hash': withWrapped(wrapKey(publicKey, contentKey, { hash: 'sha1' })),
    'a key of 31 bytes': withWrapped(wrapKey(publicKey, contentKey.subarray(1))),
    'a key of 33 bytes': withWrapped(wrapKey(publicKey, Buffer.concat([contentKey, Buffer.of(0)]))),
    'a key of no bytes': withWrapped(wrapKey(publicKey, Buffer.alloc(0))),
    'as long as another modulus': withWrapped(randomBytes(384)),
  };
  const answers = new Map<string, string[]>();
  for (const [what, file] of Object.entries(files)) {
    const errors = await expectRefused(file, mary.keys, 'ERR_TAMPERED');
    answers.set(
      what,
      errors.map(({ message, code, cause }) => `${code} ${message.replace(/^.*call\.sealed/, 'FILE')} ${cause}`),
    );
  }
  const [first] = answers.values();
  for (const [what, answer] of answers) expect(answer, what).toEqual(first);
});

it('an entry under another id answers alike for every padding, right or wrong', async () => {
  const { publicKey } = mary;
  const other = (wrapped: Buffer): Buffer =>
    forgeFile({ contentKey, entries: [forgeEntry({ keyId: Buffer.alloc(32, 9), wrapped })], plaintext: PLAINTEXT });
  const messages = new Set<string>();
  for (const wrapped of [
    wrapKey(publicKey, contentKey),
    wrapKey(publicKey, randomBytes(32)),
    plainRsa(publicKey, beginning(0)),
    plainRsa(publicKey, beginning(1)),
    Buffer.alloc(256),
    wrapKey(publicKey, contentKey, { label: Buffer.from('callseal') }),
    wrapKey(publicKey, contentKey.subarray(1)),
  ]) {
    const errors = await expectRefused(other(wrapped), mary.keys, 'ERR_NO_MATCHING_KEY');
    messages.add(errors[0]!.message);
  }
  expect(messages.size).toBe(1);
});
