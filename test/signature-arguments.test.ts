/** What the native module refuses of signatures: arguments of the wrong kind, and steps out of order. */

import { beforeAll, expect, it } from 'vitest';

import type { NativePrivateKey } from '../lib/native/binding.ts';
import { native } from '../lib/native/load.ts';
import type { NativeFileSignature, NativeFileSigner } from '../lib/native/signature-binding.ts';
import { codeOf } from './helpers/errors.ts';

const n = native();
const LABEL = new Uint8Array(1);
const PRELUDE = new Uint8Array(48);
const TEXTS = { openingLabel: LABEL, closingLabel: LABEL, closingMark: new Uint8Array(4) };

let rsa: NativePrivateKey;
let ec: NativePrivateKey;

beforeAll(async () => {
  rsa = await n.PrivateKey.generate(2048);
  ec = await n.PrivateKey.generateEc('P-256');
});

const signer = (changes: object = {}): NativeFileSigner => ({
  key: ec,
  scheme: 'ecdsa-p256-sha256',
  fields: LABEL,
  ...TEXTS,
  ...changes,
});

const signature = (changes: object = {}): NativeFileSignature => ({
  publicKey: ec.publicKey,
  scheme: 'ecdsa-p256-sha256',
  fields: LABEL,
  signature: new Uint8Array(64),
  prelude: PRELUDE,
  floeHeader: new Uint8Array(74),
  ...TEXTS,
  ...changes,
});

const template = (changes: object = {}) =>
  new n.EnvelopeTemplate({
    recipients: new Uint8Array(256),
    wraps: [{ publicKey: rsa.publicKey, offset: 0 }],
    bodyLabel: LABEL,
    macLabel: LABEL,
    signer: signer(),
    ...changes,
  });

const WRONG = [undefined, null, 5, 'x', true, {}, [1]];

it('every field must be what it is', async () => {
  for (const field of Object.keys(signer())) {
    for (const wrong of WRONG) {
      const refused = await codeOf(() => template({ signer: signer({ [field]: wrong }) }));
      expect([field, wrong, refused]).toEqual([field, wrong, 'ERR_INVALID_ARGUMENT']);
    }
  }
  for (const field of Object.keys(signature())) {
    for (const wrong of WRONG) {
      const refused = await codeOf(() => n.verifyOpening(signature({ [field]: wrong })));
      expect([field, wrong, refused]).toEqual([field, wrong, 'ERR_INVALID_ARGUMENT']);
    }
  }
  for (const wrong of [5, 'x', true]) {
    expect(await codeOf(() => template({ signer: wrong }))).toBe('ERR_INVALID_ARGUMENT');
    expect(await codeOf(() => template({ bodyContext: wrong }))).toBe('ERR_INVALID_ARGUMENT');
    expect(await codeOf(() => n.verifyOpening(wrong as never))).toBe('ERR_INVALID_ARGUMENT');
  }
  for (const none of [undefined, null]) {
    expect(await codeOf(() => n.verifyOpening(none as never))).toBe('ERR_INVALID_ARGUMENT');
    template({ signer: none });
  }
  expect(await codeOf(() => n.PrivateKey.generateEc('P-521' as never))).toBe('ERR_INVALID_ARGUMENT');
});

it('the scheme must be the one of the key', async () => {
  expect([ec.publicKey.writerScheme, rsa.publicKey.writerScheme]).toEqual(['ecdsa-p256-sha256', 'pss-sha256']);
  for (const changes of [{ scheme: 'ecdsa-p384-sha384' }, { scheme: 'pss-sha256' }, { key: rsa }]) {
    expect(await codeOf(() => template({ signer: signer(changes) }))).toBe('ERR_INVALID_ARGUMENT');
  }
  for (const wrong of ['pkcs1-sha256', 'pkcs1-sha1']) {
    const of = signer({ key: rsa, scheme: wrong });
    expect(await codeOf(() => template({ signer: of }))).toBe('ERR_INVALID_ARGUMENT');
  }
  expect(await codeOf(() => n.verifyOpening(signature({ scheme: 'ecdsa-p384-sha384' })))).toMatch(
    /ERR_(TAMPERED|NOT_APPROVED)/,
  );
  expect(await codeOf(() => n.verifyOpening(signature()))).toBe('ERR_TAMPERED');
});

it('a closing block comes after the last segment, and once there is a header', async () => {
  const { header, encryptor } = await template().start(PRELUDE, 1024);
  expect(await codeOf(() => encryptor.closing())).toBe('ERR_KEY_USE');
  encryptor.encrypt(LABEL.subarray(1), LABEL, true, new Uint8Array(33), 1, 0);
  expect(await encryptor.closing()).toHaveLength(4 + 64);
  expect(header).toHaveLength(48 + 256 + 32 + LABEL.length + 64);

  const ahead = template().startAhead(PRELUDE, 1024);
  ahead.encryptor.encrypt(LABEL.subarray(1), LABEL, true, new Uint8Array(33), 1, 0);
  await ahead.header;
  expect(await ahead.encryptor.closing()).toHaveLength(4 + 64);

  const { encryptor: unsigned } = await template({ signer: null }).start(PRELUDE, 1024);
  expect(await unsigned.closing()).toHaveLength(0);
});

it('a closing block is verified after the last segment, of a signed file', async () => {
  const { header, encryptor } = await template({ signer: null }).start(PRELUDE, 1024);
  const content = await rsa.unwrap(header.subarray(48, 304));
  const body = content.derive('floe', LABEL, PRELUDE);
  const segment = new Uint8Array(33);
  encryptor.encrypt(LABEL.subarray(1), LABEL, true, segment, 1, 0);
  const unsigned = new n.FloeDecryptor(body, PRELUDE, encryptor.header);
  const signed = new n.FloeDecryptor(body, PRELUDE, encryptor.header, signature({ floeHeader: encryptor.header }));
  expect(await codeOf(() => signed.verifyClosing(new Uint8Array(68)))).toBe('ERR_KEY_USE');
  for (const decryptor of [unsigned, signed]) decryptor.decrypt(LABEL.subarray(1), segment, new Uint8Array(1), 1, 0);
  expect(await codeOf(() => unsigned.verifyClosing(new Uint8Array(68)))).toBe('ERR_KEY_USE');
  for (const length of [0, 4, 67, 68, 69]) {
    expect(await codeOf(() => signed.verifyClosing(new Uint8Array(length)))).toBe('ERR_TAMPERED');
  }
});

it('a signer that was destroyed begins no file', async () => {
  const key = await n.PrivateKey.generateEc('P-384');
  const made = template({ signer: signer({ key, scheme: 'ecdsa-p384-sha384' }) });
  await made.start(PRELUDE, 1024);
  key.destroy();
  expect(await codeOf(() => made.start(PRELUDE, 1024))).toBe('ERR_KEY_USE');
  expect(await codeOf(() => made.startAhead(PRELUDE, 1024))).toBe('ERR_KEY_USE');
  const output = { path: '/nonexistent/out', replace: false, sync: false };
  expect(await codeOf(() => made.encryptFile(PRELUDE, '/dev/null', output, 1024, new Uint8Array(0), null))).toBe(
    'ERR_KEY_USE',
  );
});
