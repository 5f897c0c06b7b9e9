/** Recipients of a file come and go; its body, and everything else about it, stays. */

import {
  chmodSync,
  linkSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';

import { type ChangeRecipientsOptions, changeRecipients } from '../lib/callfile/change-recipients.ts';
import { decryptFile } from '../lib/callfile/decrypt.ts';
import { encryptFile } from '../lib/callfile/encrypt.ts';
import { inspect } from '../lib/callfile/inspect.ts';
import { parseRecipientMatch } from '../lib/callfile/recipient-match.ts';
import { verify } from '../lib/callfile/verify.ts';
import { KeyRing } from '../lib/recipients/keyring.ts';
import { Recipients } from '../lib/recipients/recipients.ts';
import { codeOf, refusalOf } from './helpers/errors.ts';
import { barePublicKey, certify, keyIdOf } from './helpers/keys.ts';
import { makeParties, type Parties } from './helpers/parties.ts';
import { mapCallFile } from './helpers/regions.ts';
import { tempDir } from './helpers/temp.ts';
import { decodeCallFile } from './independent-decoder.ts';

let parties: Parties;
let mary: Recipients;
let fred: Recipients;
let stranger: Recipients;
const PLAINTEXT = Buffer.alloc(1_200_000, 'a call, and what was said in it; ');

beforeAll(async () => {
  parties = await makeParties();
  [mary, fred, stranger] = (await Promise.all(
    [parties.mary, parties.fred, parties.stranger].map(({ certificate }) => Recipients.load([certificate])),
  )) as [Recipients, Recipients, Recipients];
});

/** A file for Mary and Fred unless others are named. */
async function sealed(length = 100, recipients = parties.recipients, segmentLength = 4096): Promise<string> {
  const dir = tempDir();
  writeFileSync(join(dir, 'plain'), PLAINTEXT.subarray(0, length));
  await encryptFile(join(dir, 'plain'), join(dir, 'call.sealed'), { recipients, segmentLength, sync: false });
  return join(dir, 'call.sealed');
}

const change = (path: string, options: Omit<ChangeRecipientsOptions, 'keys'>) =>
  changeRecipients(path, { keys: parties.keys, ...options });
const bodyOf = (file: Buffer): Buffer => file.subarray(mapCallFile(file).bodyOffset);
const subjects = async (path: string) =>
  (await inspect(path)).recipients.map(({ certificate }) => certificate?.subject);
const ring = (pair: { privateKey: string }) => new KeyRing([pair.privateKey]);
const privateKey = (pair: { privateKey: string }) => readFileSync(pair.privateKey, 'utf8');
const filesBeside = (path: string) => readdirSync(dirname(path)).sort();

describe('a change of recipients', () => {
  it.each([0, 100, 70_000, PLAINTEXT.length])('leaves a body of %i bytes as it is, byte for byte', async (length) => {
    const path = await sealed(length);
    const before = readFileSync(path);
    const result = await change(path, { add: stranger, remove: [{ subject: 'CN=fred' }] });
    expect(result).toMatchObject({ changed: true, inputBytes: before.length });
    expect([result.before.length, result.after.map(({ keyId }) => keyId)]).toEqual([
      2,
      [keyIdOf(parties.mary.certificate), keyIdOf(parties.stranger.certificate)],
    ]);
    const after = readFileSync(path);
    expect(bodyOf(after).equals(bodyOf(before))).toBe(true);
    expect(after.subarray(0, 48).equals(before.subarray(0, 48))).toBe(true);
    expect(filesBeside(path)).toEqual(['call.sealed', 'plain']);

    const decoded = decodeCallFile(after, privateKey(parties.stranger));
    expect(decoded.plaintext.equals(PLAINTEXT.subarray(0, length))).toBe(true);
    expect(decoded.recipients).toHaveLength(2);
    await decryptFile(path, join(dirname(path), 'opened'), { keys: ring(parties.stranger), sync: false });
    expect(readFileSync(join(dirname(path), 'opened')).equals(PLAINTEXT.subarray(0, length))).toBe(true);
    expect(await codeOf(() => verify(path, { keys: ring(parties.fred) }))).toBe('ERR_NO_MATCHING_KEY');
  });

  it('keeps the bytes of entries that stay', async () => {
    const path = await sealed();
    const [maryBefore] = decodeCallFile(readFileSync(path), privateKey(parties.mary)).recipients;
    await change(path, { add: stranger });
    expect(decodeCallFile(readFileSync(path), privateKey(parties.mary)).recipients[0]).toEqual(maryBefore);
  });

  it('keeps mode and time of last change', async () => {
    const path = await sealed();
    chmodSync(path, 0o640);
    utimesSync(path, 1_000_000_000, 1_000_000_000.5);
    await change(path, { add: stranger });
    const { mode, mtimeMs } = statSync(path);
    expect([mode & 0o7777, mtimeMs]).toEqual([0o640, 1_000_000_000_500]);
  });

  it('is nothing the second time, and needs no key to see that', async () => {
    const path = await sealed();
    const options = { replace: { old: [{ keyId: keyIdOf(parties.fred.certificate) }], new: stranger } };
    expect((await change(path, options)).changed).toBe(true);
    const { ino } = statSync(path);
    const noKeys = new KeyRing([]);
    expect(await changeRecipients(path, { keys: noKeys, ...options })).toMatchObject({ changed: false });
    expect(statSync(path).ino).toBe(ino);
    expect(await codeOf(() => changeRecipients(path, { keys: noKeys, ...options, verify: true }))).toBe(
      'ERR_NO_MATCHING_KEY',
    );
  });

  it('is not claimed of a header that was altered, when asked to verify', async () => {
    const path = await sealed();
    const file = readFileSync(path);
    // A stranger's key id, without the content key: as if a file's owner had been told that it was done.
    const id = Buffer.from(keyIdOf(parties.fred.certificate), 'hex');
    Buffer.from(keyIdOf(parties.stranger.certificate), 'hex').copy(file, file.indexOf(id));
    writeFileSync(path, file);
    expect((await change(path, { add: await bare(parties.stranger) })).changed).toBe(false);
    expect(await codeOf(async () => change(path, { add: await bare(parties.stranger), verify: true }))).toBe(
      'ERR_TAMPERED',
    );
    expect(await codeOf(() => change(path, { add: fred }))).toBe('ERR_TAMPERED');
    expect(readFileSync(path).equals(file)).toBe(true);
  });

  async function bare(pair: { certificate: string }): Promise<Recipients> {
    const path = join(tempDir(), 'public.pem');
    writeFileSync(path, barePublicKey(pair.certificate, 'spki'));
    return Recipients.load([path]);
  }

  it('does not remove the last recipient', async () => {
    const path = await sealed();
    const everybody = [{ subject: 'O=MyCompany' }];
    const before = readFileSync(path);
    expect(await codeOf(() => change(path, { remove: everybody }))).toBe('ERR_NO_RECIPIENTS');
    expect(readFileSync(path).equals(before)).toBe(true);
    // Unless another comes in the same change, who is not removed by it.
    expect((await change(path, { remove: everybody, add: stranger })).changed).toBe(true);
    expect(await subjects(path)).toEqual([expect.stringContaining('CN=stranger')]);
  });

  it('takes a renewed certificate of the same key in place of the old', async () => {
    const path = await sealed();
    const dates = { from: '20260101000000Z', to: '20360101000000Z', name: 'fred', file: 'renewed.crt' };
    const renewed = certify(tempDir(), parties.fred.privateKey, dates);
    const add = await Recipients.load([renewed]);
    expect((await change(path, { add })).changed).toBe(true);
    expect((await inspect(path)).recipients.map(({ certificate }) => certificate?.notAfter.getUTCFullYear())).toContain(
      2036,
    );
    expect(decodeCallFile(readFileSync(path), privateKey(parties.fred)).recipients).toHaveLength(2);
    expect((await change(path, { add })).changed).toBe(false);
    // A bare public key says less than the certificate that is there.
    expect((await change(path, { add: await bare(parties.fred) })).changed).toBe(false);
  });

  it('replaces only where the old one is, and changes only the files it is for', async () => {
    const path = await sealed(100, mary);
    const replace = { old: [{ subject: 'CN=fred' }], new: stranger };
    expect((await change(path, { replace })).changed).toBe(false);
    expect((await change(path, { add: stranger, where: [{ subject: 'CN=fred' }] })).changed).toBe(false);
    expect((await change(path, { add: stranger, where: [{ subject: 'CN=mary' }] })).changed).toBe(true);
  });

  it('is not written for a dry run, which opens the header all the same', async () => {
    const path = await sealed();
    const before = readFileSync(path);
    const result = await change(path, { add: stranger, dryRun: true });
    expect([result.changed, result.after.length]).toEqual([true, 3]);
    expect(readFileSync(path).equals(before)).toBe(true);
    const strange = { keys: ring(parties.stranger), add: stranger, dryRun: true };
    expect(await codeOf(() => changeRecipients(path, strange))).toBe('ERR_NO_MATCHING_KEY');
  });

  it('is not made of a file that is not whole', async () => {
    const path = await sealed(20_000);
    const whole = readFileSync(path);
    writeFileSync(path, whole.subarray(0, whole.length - 5000));
    const refusal = await refusalOf(() => change(path, { add: stranger }));
    expect([refusal.code, refusal.path]).toEqual(['ERR_TRUNCATED', path]);
    writeFileSync(path, Buffer.concat([whole, Buffer.alloc(5)]));
    expect(await codeOf(() => change(path, { add: stranger }))).toBe('ERR_TAMPERED');
    writeFileSync(path, PLAINTEXT);
    expect(await codeOf(() => change(path, { add: stranger }))).toBe('ERR_NOT_CALLSEAL');
  });

  it('is not made under one of several names', async () => {
    const path = await sealed();
    const link = join(tempDir(), 'link');
    symlinkSync(path, link);
    expect(await codeOf(() => change(link, { add: stranger }))).toBe('ERR_INVALID_ARGUMENT');
    linkSync(path, join(dirname(path), 'second'));
    expect(await codeOf(() => change(path, { add: stranger }))).toBe('ERR_INVALID_ARGUMENT');
    expect(filesBeside(path)).toEqual(['call.sealed', 'plain', 'second']);
  });

  it('stops when it is aborted', async () => {
    const path = await sealed();
    const before = readFileSync(path);
    expect(await codeOf(() => change(path, { add: stranger, signal: AbortSignal.abort() }))).toBe('ERR_ABORTED');
    expect(readFileSync(path).equals(before)).toBe(true);
    expect(filesBeside(path)).toEqual([basename(path), 'plain']);
  });

  it('must be one', async () => {
    const path = await sealed();
    for (const wrong of [{}, { remove: [] }, { add: [] }, { remove: [{}] }, { remove: [{ subject: '' }] }]) {
      expect(await codeOf(() => change(path, wrong as never))).toBe('ERR_INVALID_ARGUMENT');
    }
  });
});

describe('a match', () => {
  const matches = async (path: string, text: string) =>
    (await change(path, { where: [parseRecipientMatch(text)], add: stranger, dryRun: true })).changed;

  it('means whole parts of a name, a certificate, a key, or an expiry', async () => {
    const path = await sealed(10, mary);
    const { certificate, keyId } = (await inspect(path)).recipients[0]!;
    const { sha256, subject } = certificate!;
    const colons = sha256.toUpperCase().replace(/(..)(?=.)/g, '$1:');
    for (const text of [`fingerprint=${sha256}`, `fingerprint=${colons}`, `key-id=${keyId}`, `subject=${subject}`]) {
      expect([text, await matches(path, text)]).toEqual([text, true]);
    }
    for (const text of ['subject=CN=mary', 'subject=CN=mary,O=MyCompany', 'expires-before=2099-01-01']) {
      expect([text, await matches(path, text)]).toEqual([text, true]);
    }
    const others = [`fingerprint=${keyId}`, `key-id=${sha256}`, 'subject=CN=mar', 'subject=mary', 'expired'];
    for (const text of [...others, 'subject=CN=mary,O=Other', 'expires-before=2020-01-01']) {
      expect([text, await matches(path, text)]).toEqual([text, false]);
    }
  });

  it('is refused when it means nothing', async () => {
    const wrong = ['', 'mary', 'subject', 'subject=', 'key-id=12', 'expired=yes', 'expires-before=soon', 'name=x'];
    for (const text of [...wrong, 'expires-before=2026-13-01']) {
      expect([text, await codeOf(() => parseRecipientMatch(text))]).toEqual([text, 'ERR_INVALID_ARGUMENT']);
    }
  });
});
