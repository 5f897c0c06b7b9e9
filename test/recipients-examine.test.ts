/** examineRecipientFile: everything in a file and everything wrong with it, before any policy. */

import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';

import { native } from '../lib/native/load.ts';
import { describeRecipient, examineRecipientFile } from '../lib/recipients/examine.ts';
import { Recipients } from '../lib/recipients/recipients.ts';
import { codeOf } from './helpers/errors.ts';
import { bundle, certify, makeKeyPair, openssl } from './helpers/keys.ts';
import { tempDir } from './helpers/temp.ts';

const dir = tempDir();
let mixed: string;
let expired: string;

beforeAll(() => {
  const good = makeKeyPair(dir, { name: 'good' });
  const weak = makeKeyPair(dir, { name: 'weak', bits: 1024 });
  const curve = makeKeyPair(dir, { name: 'curve', bits: 'ec' });
  const old = certify(dir, weak.privateKey, {
    from: '20190101000000Z',
    to: '20200101000000Z',
    name: 'old',
    file: 'old.crt',
  });
  expired = certify(dir, join(dir, 'good_private.key'), {
    from: '20190101000000Z',
    to: '20200101000000Z',
    name: 'good',
    file: 'expired.crt',
  });
  mixed = bundle(join(dir, 'mixed.pem'), good.certificate, old, curve.certificate);
});

describe('a file with good and bad certificates', () => {
  it('shows every entry with its own findings', async () => {
    const { entries, findings } = await examineRecipientFile({ path: mixed }, new Date('2020-01-11T00:00:00Z'));
    expect(findings).toEqual([]);
    const kinds = entries.map(({ info, findings: own }) => [info.algorithm, info.bits, own.map(({ kind }) => kind)]);
    expect(kinds).toEqual([
      ['RSA', 2048, ['notYetValid']],
      ['RSA', 1024, ['weak', 'expired']],
      ['EC', 256, ['nonRsa', 'notYetValid']],
    ]);
    expect(entries[1]!.findings[1]!.fact).toContain('expired 10 days ago, on 2020-01-01');
  });

  it('names origin, file and subject in every finding', async () => {
    const origin = 'client_property.conf:7';
    const { entries } = await examineRecipientFile({ path: mixed, origin });
    for (const { info, findings } of entries.slice(1)) {
      expect(findings.length).toBeGreaterThan(0);
      for (const { fact, remedy, path } of findings) {
        expect(fact.startsWith(`${origin}: ${describeRecipient(info)} `)).toBe(true);
        expect(remedy).not.toBe('');
        expect(path).toBe(mixed);
      }
    }
  });
});

describe('a time that is none', () => {
  it.each<[string, unknown]>([
    ['an invalid Date', new Date(Number.NaN)],
    ['null', null],
    ['a number', Date.now()],
    ['a text', '2030-01-01'],
    ['an object that looks like a Date', { getTime: () => Date.now() }],
  ])('is refused, so that nothing expired passes: %s', async (_what, time) => {
    const now = time as Date;
    expect(await codeOf(() => examineRecipientFile({ path: expired }, now))).toBe('ERR_INVALID_ARGUMENT');
    expect(await codeOf(() => Recipients.load([expired], {}, now))).toBe('ERR_INVALID_ARGUMENT');
    expect(await codeOf(() => Recipients.load([], {}, now))).toBe('ERR_INVALID_ARGUMENT');
  });

  it('cannot be slipped in while files are read', async () => {
    const now = new Date('2030-01-01');
    const loading = codeOf(() => Recipients.load([expired, expired], { duplicate: 'warn' }, now));
    now.setTime(Number.NaN);
    expect(await loading).toBe('ERR_CERTIFICATE_EXPIRED');
  });

  it('is none when it is the last or the first moment of a certificate', async () => {
    for (const now of [new Date('2019-01-01T00:00:00Z'), new Date('2020-01-01T00:00:00Z')]) {
      expect((await examineRecipientFile({ path: expired }, now)).entries[0]!.findings).toEqual([]);
    }
  });
});

describe('a file that is not there', () => {
  it('is a finding, not an exception', async () => {
    const path = join(dir, 'missing.crt');
    const { entries, findings } = await examineRecipientFile({ path, origin: 'client_property.conf:7' });
    expect(entries).toEqual([]);
    expect(findings).toMatchObject([{ kind: 'unreadable', code: 'ERR_CERTIFICATE_UNREADABLE', path }]);
    expect(findings[0]!.fact).toContain(`${path}: no such file or directory (ENOENT)`);
  });
});

it('finds an RSA key whose public exponent is too small weak, and names it', async () => {
  const key = join(dir, 'e3.key');
  const certificate = join(dir, 'e3.crt');
  const size = ['-pkeyopt', 'rsa_keygen_bits:2048', '-pkeyopt', 'rsa_keygen_pubexp:3'];
  openssl('genpkey', '-quiet', '-algorithm', 'RSA', ...size, '-out', key);
  openssl('req', '-x509', '-new', '-key', key, '-subj', '/CN=e3', '-out', certificate);
  const { entries } = await examineRecipientFile({ path: certificate });
  expect(entries[0]!.findings).toMatchObject([{ kind: 'weak', code: 'ERR_CERTIFICATE_WEAK' }]);
  expect(entries[0]!.findings[0]!.fact).toMatch(/CN=e3.*public exponent is even or below 65537/);
  // Its private key is sound all the same, and opens what was encrypted elsewhere.
  expect((await native().PrivateKey.load(key, null)).bits).toBe(2048);
});
