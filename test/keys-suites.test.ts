/** Suites and what the rules say of them. */

import { expect, test } from 'vitest';
import { CallsealError } from '../lib/errors.ts';
import { assess, attemptStep, rsaStrength } from '../lib/keys/assessment.ts';
import { DEFAULT_SUITE, parseSuite, SUITES } from '../lib/keys/suites.ts';
import { codeOf, refusalOf } from './helpers/errors.ts';

test('eight suites have eight bytes and eight texts', () => {
  expect(SUITES.map((suite) => suite.text)).toEqual([
    'aes/aes/sha256',
    '3des/aes/sha256',
    'aes/3des/sha256',
    '3des/3des/sha256',
    'aes/aes/sha1',
    '3des/aes/sha1',
    'aes/3des/sha1',
    '3des/3des/sha1',
  ]);
  expect(SUITES.map((suite) => suite.byte)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
});

test('a suite is found by its text, and the documented default by its name', async () => {
  for (const suite of SUITES) expect(parseSuite(suite.text)).toBe(suite);
  expect(parseSuite('lumenvox').byte).toBe(6);
  for (const text of ['', 'aes', 'AES/aes/sha256', 'aes/aes/md5', 'constructor']) {
    expect(await codeOf(() => parseSuite(text))).toBe('ERR_INVALID_ARGUMENT');
  }
});

// SP 800-57 part 1 rev. 5, table 2, and SP 800-56B rev. 2, table 4.
test.each([
  [2048, 112],
  [3072, 128],
  [4096, 152],
  [6144, 176],
  [8192, 200],
])('RSA with %i bits has %i bits of security', (modulus, strength) => {
  expect(rsaStrength(modulus)).toBe(strength);
});

test('only the default suite and no other is approved throughout', () => {
  const approved = SUITES.filter((suite) => assess(suite, 4096).approved);
  expect(approved).toEqual([DEFAULT_SUITE]);
  expect(assess(DEFAULT_SUITE, 4096).remarks).toEqual([]);
});

test('a chain is as strong as its weakest key', () => {
  expect(assess(parseSuite('aes/aes/sha256'), 4096).strength.chain).toBe(152);
  expect(assess(parseSuite('aes/aes/sha256'), 2048).strength.chain).toBe(112);
  expect(assess(parseSuite('aes/3des/sha256'), 4096).strength.chain).toBe(112);
  expect(assess(parseSuite('3des/aes/sha256'), 4096).strength.chain).toBe(112);
});

test('a 3DES master key over AES working keys is called what it is', () => {
  const { remarks } = assess(parseSuite('3des/aes/sha256'), 4096);
  expect(remarks.join()).toMatch(/master key is weaker than the working keys/);
  expect(assess(parseSuite('3des/3des/sha256'), 4096).remarks.join()).not.toMatch(/weaker/);
});

test('each suite names the steps that are not approved', () => {
  const refused = (text: string) =>
    assess(parseSuite(text), 4096)
      .steps.filter((step) => !step.approved)
      .map((step) => step.step);
  expect(refused('lumenvox')).toEqual(['sign a master key', 'encrypt a record']);
  expect(refused('3des/aes/sha256')).toEqual(['wrap a working key']);
  expect(refused('3des/3des/sha1')).toEqual(['sign a master key', 'wrap a working key', 'encrypt a record']);
});

test('a step that the module refuses is named with its rule and the suite to take', async () => {
  const refusal = await refusalOf(() =>
    attemptStep('encrypt a record', parseSuite('lumenvox'), () => {
      throw new CallsealError('ERR_NOT_APPROVED', 'DES-EDE3-CBC');
    }),
  );
  expect(refusal.code).toBe('ERR_NOT_APPROVED');
  expect(refusal.message).toMatch(/encrypt a record.*3DES-CBC.*SP 800-131A.*aes\/aes\/sha256/s);
});
