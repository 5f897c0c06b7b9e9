/** CMS messages that are refused: altered, cut, for somebody else, or of a kind that is not read. Nothing is published. */

import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { decrypt, importCms, KeyRing } from '../lib/index.ts';
import { type PartnerOptions, partnerEncrypts } from './helpers/cms.ts';
import { codeOf, refusalOf } from './helpers/errors.ts';
import { makeKeyPair, openssl } from './helpers/keys.ts';
import { makeParties, type Parties } from './helpers/parties.ts';
import { tempDir } from './helpers/temp.ts';

const CONTENT = Buffer.from('what was said');

let parties: Parties;
let plain: string;
let dir: string;
let input: string;

beforeAll(async () => {
  parties = await makeParties();
  plain = join(tempDir(), 'plain');
  writeFileSync(plain, CONTENT);
});

beforeEach(() => {
  dir = tempDir();
  input = join(dir, 'message.cms');
});

const output = () => join(dir, 'out');

/** Imports bytes for Mary, who says which recipient she is. */
async function take(bytes: Buffer, extra: object = {}) {
  writeFileSync(input, bytes);
  const certificates = [parties.mary.certificate];
  return importCms(input, output(), { ...parties, certificates, sync: false, overwrite: true, ...extra });
}

async function refused(bytes: Buffer, extra: object = {}) {
  const code = await codeOf(() => take(bytes, extra));
  expect(readdirSync(dir)).toEqual(['message.cms']);
  return code;
}

const made = (options: PartnerOptions = {}) =>
  readFileSync(partnerEncrypts(plain, [parties.mary.certificate], options));

describe('a message that is altered', () => {
  it.each([{ stream: false }, { stream: true }])('in any byte is refused (stream: $stream)', async (options) => {
    const whole = made(options);
    const codes = new Set<string>();
    for (let at = 0; at < whole.length; at++) {
      const bytes = Buffer.from(whole);
      // Not 0x20, which changes the case of letters: names are compared without it (RFC 5280 section 7.1).
      bytes[at]! ^= at % 8 === 5 ? 0x21 : 1 << (at % 8);
      codes.add(await refused(bytes));
    }
    expect([...codes].filter((code) => code !== 'ERR_TRUNCATED').sort()).toEqual([
      'ERR_NOT_CMS',
      'ERR_NO_MATCHING_KEY',
      'ERR_TAMPERED',
    ]);
  });

  it('in the name of its recipient is still opened by trying, and gives the same bytes', async () => {
    // CMS does not authenticate whom a message is for.
    const whole = made();
    const bytes = Buffer.from(whole);
    bytes[bytes.indexOf('mary')]! ^= 1;
    await take(bytes, { certificates: [] });
    expect(Buffer.from(await decrypt(readFileSync(output()), parties)).equals(CONTENT)).toBe(true);
  });

  it('in its ciphertext or tag is ERR_TAMPERED, also when something follows it', async () => {
    const whole = made();
    for (const fromEnd of [1, 16, 18 + 1, 18 + CONTENT.length]) {
      const bytes = Buffer.from(whole);
      bytes[whole.length - fromEnd]! ^= 0x80;
      expect(await refused(bytes)).toBe('ERR_TAMPERED');
    }
    expect(await refused(Buffer.concat([whole, Buffer.from([0])]))).toBe('ERR_TAMPERED');
    const pem = made({ form: 'PEM' });
    expect(await refused(Buffer.concat([pem, Buffer.from('more')]))).toBe('ERR_TAMPERED');
  });
});

describe('a message that is cut', () => {
  it.each([
    { stream: false, form: 'DER' },
    { stream: true, form: 'DER' },
    { stream: false, form: 'PEM' },
  ] as const)('anywhere is refused as such ($form, stream: $stream)', async (options) => {
    const whole = made(options);
    // The line end behind the END line may be missing.
    const longest = options.form === 'PEM' ? whole.length - 1 : whole.length;
    const begin = options.form === 'PEM' ? 6 : 1;
    const step = options.form === 'PEM' ? 3 : 1;
    for (let length = 0; length < longest; length += longest - length < 100 ? 1 : step) {
      const code = await refused(whole.subarray(0, length));
      if (length >= begin) expect([length, code]).toEqual([length, 'ERR_TRUNCATED']);
      else expect([length, code]).toEqual([length, 'ERR_NOT_CMS']);
    }
  });
});

describe('a message for somebody else', () => {
  it('is refused, whatever way the key is looked for', async () => {
    const keys = new KeyRing([parties.stranger.privateKey]);
    expect(await refused(made(), { keys, certificates: [] })).toBe('ERR_NO_MATCHING_KEY');
    expect(await refused(made(), { keys })).toBe('ERR_NO_MATCHING_KEY');
    expect(await refused(made(), { certificates: [parties.fred.certificate] })).toBe('ERR_NO_MATCHING_KEY');
    expect(await refused(made(), { certificates: [plain] })).toBe('ERR_CERTIFICATE_UNREADABLE');
  });
});

describe('a message of another kind', () => {
  const refusal = async (bytes: Buffer) => {
    const error = await refusalOf(() => take(bytes));
    expect(readdirSync(dir)).toEqual(['message.cms']);
    expect([error.code, error.path]).toEqual(['ERR_NOT_CMS', input]);
    expect(error.message).toContain(input);
    return error.message;
  };

  it('says what to ask the sender for', async () => {
    expect(await refusal(made({ cipher: '-aes-256-cbc' }))).toMatch(/EnvelopedData.*-aes-256-gcm/s);
    expect(await refusal(made({ cipher: '-aes-128-gcm' }))).toMatch(/aes-128-gcm|id-aes128-GCM.*-aes-256-gcm/s);
    expect(await refusal(made({ keyOptions: [] }))).toMatch(/PKCS#1 v1\.5.*not approved.*rsa_padding_mode:oaep/s);
    const sha1 = ['-keyopt', 'rsa_padding_mode:oaep'];
    expect(await refusal(made({ keyOptions: sha1 }))).toMatch(/SHA-256.*rsa_oaep_md:sha256/s);
    const mixed = [...sha1, '-keyopt', 'rsa_oaep_md:sha256', '-keyopt', 'rsa_mgf1_md:sha1'];
    expect(await refusal(made({ keyOptions: mixed }))).toMatch(/SHA-256 for both/);
  });

  it('says how to take it out of mail', async () => {
    const mail = made({ form: 'SMIME' });
    const message = await refusal(mail);
    const command = /`openssl (cms -cmsout [^`]+)`/.exec(message)?.[1];
    const der = join(tempDir(), 'out.der');
    openssl(...command!.replace('MAIL', input).replace('FILE', der).split(' '));
    await take(readFileSync(der));
    expect(Buffer.from(await decrypt(readFileSync(output()), parties)).equals(CONTENT)).toBe(true);
  });

  it('is named: key agreement, passwords, signatures, call files, anything', async () => {
    const ec = makeKeyPair(tempDir(), { name: 'ec', bits: 'ec' });
    expect(await refusal(readFileSync(partnerEncrypts(plain, [ec.certificate], { keyOptions: [] })))).toMatch(
      /key agreement/,
    );
    const shared = join(tempDir(), 'shared.cms');
    const gcm = ['-aes-256-gcm', '-binary', '-outform', 'DER'];
    const key = ['-secretkey', '00'.repeat(32), '-secretkeyid', '01'];
    openssl('cms', '-encrypt', ...gcm, ...key, '-in', plain, '-out', shared);
    expect(await refusal(readFileSync(shared))).toMatch(/a shared key/);
    const { certificate, privateKey } = parties.mary;
    const signed = openssl(
      'cms',
      '-sign',
      '-nodetach',
      '-outform',
      'DER',
      '-in',
      plain,
      '-signer',
      certificate,
      '-inkey',
      privateKey,
    );
    expect(await refusal(signed)).toMatch(/SignedData/);
    expect(await refusal(readFileSync(certificate))).toMatch(/PEM text, but not of a CMS message/);
    expect(await refusal(Buffer.from('CALLSEAL…'))).toMatch(/is a Callseal file/);
    expect(await refusal(Buffer.alloc(0))).toMatch(/empty/);
    expect(await refusal(randomBytes(300).fill(0x31, 0, 1))).toMatch(/no CMS message/);
    expect(await refusal(Buffer.from('0 is how DER begins, and some texts'))).toMatch(/no CMS message/);
  });
});
