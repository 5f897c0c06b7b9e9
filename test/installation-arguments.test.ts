/** Arguments of the native functions for installation keys: what is not right is refused with a code. */

import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';

import type { NativePrivateKey } from '../lib/native/binding.ts';
import { native } from '../lib/native/load.ts';
import { codeOf } from './helpers/errors.ts';
import { tempDir } from './helpers/temp.ts';

const n = native();
const pin = n.Passphrase.fromBytes(Buffer.from('secret'));
/** Nothing is loaded from here: what is wrong is found first. */
const address = (changes: object = {}) => ({
  modulePath: '/nonexistent.so',
  tokenLabel: null,
  serial: null,
  objectLabel: 'x',
  objectId: null,
  ...changes,
});

let key: NativePrivateKey;

beforeAll(async () => {
  key = await n.PrivateKey.generate(2048);
});

const WRONG_TEXTS = { nothing: undefined, number: 5, boolean: true, symbol: Symbol('x'), bytes: Buffer.from('x') };

async function allRefuse(what: string, take: (value: never) => unknown, wrong: object): Promise<void> {
  for (const [name, value] of Object.entries(wrong)) {
    expect([what, name, await codeOf(() => take(value as never))]).toEqual([what, name, 'ERR_INVALID_ARGUMENT']);
  }
}

describe('the native functions for installation keys', () => {
  it('take an address whose members are null or text', async () => {
    for (const member of ['tokenLabel', 'serial', 'objectLabel']) {
      const open = (value: string) => n.Token.open(address({ [member]: value }), pin);
      const generate = (value: string) => n.Token.generate(address({ [member]: value }), 2048, pin);
      await allRefuse(`open ${member}`, open, { ...WRONG_TEXTS, empty: '' });
      await allRefuse(`generate ${member}`, generate, { ...WRONG_TEXTS, empty: '' });
    }
    const id = (value: Uint8Array) => n.Token.open(address({ objectId: value }), pin);
    await allRefuse('objectId', id, { nothing: undefined, text: 'a1', array: [1], wide: new Uint16Array(1) });
    await allRefuse('address', (value) => n.Token.open(value, pin), {
      nothing: undefined,
      null: null,
      text: 'x',
      empty: {},
    });
  });

  it('take files by names that can be names', async () => {
    const wrong = { ...WRONG_TEXTS, null: null, empty: '', nul: '/dev/null\0.p12' };
    await allRefuse('savePkcs12', (value) => key.savePkcs12(value, null, 'x', pin), wrong);
    await allRefuse('loadPkcs12', (value) => n.PrivateKey.loadPkcs12(value, pin), wrong);
    const relative = { relative: 'libsofthsm2.so' };
    await allRefuse('module', (value) => n.Token.open(address({ modulePath: value }), pin), { ...wrong, ...relative });
  });

  it('take a passphrase, a certificate and a name for PKCS#12', async () => {
    const path = join(tempDir(), 'key.p12');
    const noPassphrase = { nothing: undefined, null: null, text: 'secret', bytes: Buffer.from('secret'), key };
    await allRefuse('passphrase', (value) => key.savePkcs12(path, null, 'x', value), noPassphrase);
    await allRefuse('pin', (value) => n.Token.open(address(), value), noPassphrase);
    await allRefuse('name', (value) => key.savePkcs12(path, null, value, pin), { ...WRONG_TEXTS, null: null });
    const none = { empty: '', other: 'no certificate' };
    await allRefuse('certificate', (value) => key.savePkcs12(path, value, 'x', pin), { ...WRONG_TEXTS, ...none });
  });

  it('make keys of a length that is in the list, and with a label', async () => {
    const generate = (bits: number) => n.Token.generate(address(), bits, pin);
    await allRefuse('bits', generate, {
      ...WRONG_TEXTS,
      null: null,
      small: 1024,
      odd: 2049,
      large: 8192,
      part: 2048.5,
    });
    expect(await codeOf(() => n.Token.generate(address({ objectLabel: null }), 2048, pin))).toBe(
      'ERR_INVALID_ARGUMENT',
    );
    expect(await codeOf(() => n.Token.generate(address(), 2048, pin))).toBe('ERR_KEY_UNREADABLE');
  });

  it('take the subjects that certificates take', async () => {
    expect(n.checkSubject([['CN', 'Müller / Söhne']])).toBeUndefined();
    const wrong: [string, string][][] = [[], [['CN', '']], [['NOSUCH', 'x']], [['C', 'Germany']]];
    for (const subject of wrong) {
      expect(await codeOf(() => n.checkSubject(subject))).toBe('ERR_INVALID_ARGUMENT');
      expect(await codeOf(() => n.createRequest(key, subject))).toBe('ERR_INVALID_ARGUMENT');
    }
  });
});
