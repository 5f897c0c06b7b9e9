/** What happens to a key in a token when the token fails: sessions lost, token away, PIN locked. */

import { chmodSync, copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';

import { openInstallation, parsePkcs11Uri } from '../lib/keys/installation/index.ts';
import type { NativePrivateKey } from '../lib/native/binding.ts';
import { native } from '../lib/native/load.ts';
import { Passphrase } from '../lib/native/passphrase.ts';
import { codeOf, refusalOf } from './helpers/errors.ts';
import { FAULTS, FaultyToken, PIN, SOFTHSM_MODULE, SoftHsm } from './helpers/softhsm.ts';
import { tempDir } from './helpers/temp.ts';

const n = native();
const pin = (text = PIN) => Passphrase.fromBytes(Buffer.from(text));
const DATA = Buffer.from('a manifest');

describe.runIf(SOFTHSM_MODULE !== null)('a key in a token that fails (missed without SoftHSM)', () => {
  let hsm: SoftHsm;
  let faulty: FaultyToken;
  let key: NativePrivateKey;
  let wrapped: Uint8Array;

  const at = (token: string, object: string) => parsePkcs11Uri(hsm.uri(token, object, faulty.module)).address;
  const signs = async (of = key) => of.publicKey.verify('pss-sha256', DATA, await of.sign('pss-sha256', DATA));

  beforeAll(async () => {
    hsm = new SoftHsm();
    for (const label of ['callseal', 'other']) hsm.addToken(label);
    faulty = new FaultyToken(hsm.module);
    key = await n.Token.generate(at('callseal', 'key'), 2048, pin());
    wrapped = await key.publicKey.wrap(n.SecretKey.generate('content'));
  });

  afterEach(() => {
    for (const fault of FAULTS) if (faulty.isOn(fault)) faulty.switchOff(fault);
  });

  it('is logged in again by itself when its session is lost', async () => {
    for (const work of [() => signs(), () => key.unwrap(wrapped)]) {
      faulty.switchOn('close-sessions');
      await work();
      expect(faulty.isOn('close-sessions')).toBe(false);
    }
    const other = await n.Token.open(at('callseal', 'key'), pin());
    faulty.switchOn('close-sessions');
    expect(await Promise.all([signs(), signs(other), signs(), signs(other)])).toEqual([true, true, true, true]);
    other.destroy();
  });

  it('works again when the token is back', async () => {
    faulty.switchOn('remove-token');
    for (const work of [() => key.sign('pss-sha256', DATA), () => key.unwrap(wrapped)]) {
      const { code, message } = await refusalOf(work);
      expect(code).toBe('ERR_KEY_UNREADABLE');
      expect(message).toMatch(/has no token "callseal"; it has no token/);
    }
    expect(await codeOf(() => n.Token.open(at('callseal', 'key'), pin()))).toBe('ERR_KEY_UNREADABLE');
    faulty.switchOff('remove-token');
    expect(await signs()).toBe(true);
  });

  it('does not try again a PIN that the token has refused', async () => {
    const own = await n.Token.open(at('callseal', 'key'), pin());
    faulty.switchOn('lock-pin');
    faulty.switchOn('close-sessions');
    const locked = await refusalOf(() => own.sign('pss-sha256', DATA));
    expect(locked.code).toBe('ERR_KEY_UNREADABLE');
    expect(locked.message).toMatch(/locked after too many wrong PINs/);
    faulty.switchOff('lock-pin');
    const refused = await refusalOf(() => own.sign('pss-sha256', DATA));
    expect(refused.code).toBe('ERR_WRONG_PASSPHRASE');
    expect(refused.message).toMatch(/not tried again/);
    own.destroy();
    expect(await signs()).toBe(true); // a key that was not told so logs in
  });

  it('is not opened in a locked token, and a last attempt is announced', async () => {
    faulty.switchOn('lock-pin');
    expect(await codeOf(() => n.Token.open(at('other', 'key'), pin()))).toBe('ERR_KEY_UNREADABLE');
    faulty.switchOff('lock-pin');
    faulty.switchOn('final-try');
    const { code, message } = await refusalOf(() => n.Token.open(at('other', 'key'), pin('wrong-pin')));
    expect(code).toBe('ERR_WRONG_PASSPHRASE');
    expect(message).toMatch(/the next wrong PIN locks it/);
  });

  it('tells of memory only where the token means it', async () => {
    faulty.switchOn('left-errno');
    expect(await codeOf(() => n.Token.open(at('other', 'key'), pin('wrong-pin')))).toBe('ERR_WRONG_PASSPHRASE');
    faulty.switchOn('host-memory');
    const { code, message } = await refusalOf(() => n.Token.open(at('other', 'key'), pin()));
    expect([code, message]).toEqual(['ERR_IO', 'not enough memory (ENOMEM)']);
  });

  it('is refused and removed when the token would give it out', async () => {
    faulty.switchOn('give-out-keys');
    const { code, message } = await refusalOf(() => n.Token.generate(at('other', 'open'), 2048, pin()));
    expect(code).toBe('ERR_NOT_APPROVED');
    expect(message).toMatch(/would give out/);
    expect(await codeOf(() => n.Token.open(at('other', 'open'), pin()))).toBe('ERR_NO_MATCHING_KEY');
  });

  it('leaves OAEP to a token that offers it', async () => {
    faulty.switchOn('oaep-sha256');
    const own = await n.Token.open(at('callseal', 'key'), pin());
    expect(own.unwrappedOutside).not.toMatch(/libcrypto/);
    expect((await own.unwrap(wrapped)).use).toBe('content');
    const altered = Uint8Array.from(wrapped, (byte, i) => (i === 9 ? byte ^ 1 : byte));
    const here = await refusalOf(() => key.unwrap(altered));
    const there = await refusalOf(() => own.unwrap(altered));
    expect([there.code, there.message]).toEqual([here.code, here.message]);
    own.destroy();
  });

  it('is not looked for by a module that others could exchange', async () => {
    const folder = tempDir();
    const module = join(folder, 'module.so');
    copyFileSync(faulty.module, module);
    chmodSync(folder, 0o777);
    const { code, message } = await refusalOf(() =>
      openInstallation({ pkcs11: hsm.uri('callseal', 'key', module), pin: pin() }),
    );
    expect(code).toBe('ERR_NOT_APPROVED');
    expect(message).toContain(`chmod o-w ${folder}`);
  });
});
