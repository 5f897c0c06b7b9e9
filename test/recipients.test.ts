/** Recipients of every kind, and what each policy makes of those that are not as they should be. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';

import {
  type CallsealError,
  decrypt,
  type ErrorCode,
  encrypt,
  FAIL_CLOSED,
  inspect,
  KeyRing,
  type PolicyAction,
  type RecipientProblemKind,
  Recipients,
} from '../lib/index.ts';
import { codeOf, refusalOf } from './helpers/errors.ts';
import {
  barePublicKey,
  bundle,
  certify,
  derCertificate,
  type KeyPair,
  keyIdOf,
  makeKeyPair,
  openssl,
} from './helpers/keys.ts';
import { tempDir } from './helpers/temp.ts';

const dir = tempDir();
let mary: KeyPair;
let fred: KeyPair;
let expired: string;
let future: string;
let renewed: string;

beforeAll(() => {
  mary = makeKeyPair(dir, { name: 'mary' });
  fred = makeKeyPair(dir, { name: 'fred' });
  const old = makeKeyPair(dir, { name: 'old' });
  expired = certify(dir, old.privateKey, {
    from: '20190101000000Z',
    to: '20200101000000Z',
    name: 'old',
    file: 'expired.crt',
  });
  future = certify(dir, old.privateKey, {
    from: '20900101000000Z',
    to: '20910101000000Z',
    name: 'new',
    file: 'future.crt',
  });
  renewed = certify(dir, mary.privateKey, {
    from: '20200101000000Z',
    to: '20900101000000Z',
    name: 'mary',
    file: 'renewed.crt',
  });
});

/** The files of every kind of problem. */
const PROBLEMS: Record<
  RecipientProblemKind,
  { file: () => string; code: ErrorCode; usable: boolean; message: RegExp }
> = {
  expired: {
    file: () => expired,
    code: 'ERR_CERTIFICATE_EXPIRED',
    usable: true,
    message: /certificate .*expired\.crt \(.*CN=old.*\) expired \d+ days ago, on 2020-01-01; renew it/,
  },
  notYetValid: {
    file: () => future,
    code: 'ERR_CERTIFICATE_NOT_YET_VALID',
    usable: true,
    message: /certificate .*future\.crt \(.*CN=new.*\) is valid only in \d+ days, from 2090-01-01; check the clock/,
  },
  weak: {
    file: () => makeKeyPair(dir, { name: 'weak', bits: 1024 }).certificate,
    code: 'ERR_CERTIFICATE_WEAK',
    usable: false,
    message: /weak_cert\.crt \(.*CN=weak.*\) has an RSA key of 1024 bits, fewer than the 2048/,
  },
  nonRsa: {
    file: () => makeKeyPair(dir, { name: 'curve', bits: 'ec' }).certificate,
    code: 'ERR_CERTIFICATE_NOT_RSA',
    usable: false,
    message: /curve_cert\.crt \(.*CN=curve.*\) has a key of type EC/,
  },
  unreadable: {
    file: () => join(dir, 'missing.crt'),
    code: 'ERR_CERTIFICATE_UNREADABLE',
    usable: false,
    message: /missing\.crt: no such file or directory \(ENOENT\); correct the path/,
  },
  duplicate: {
    file: () => renewed,
    code: 'ERR_CERTIFICATE_DUPLICATE',
    usable: false,
    message: /renewed\.crt \(.*\) has the same key as certificate .*mary_cert\.crt .*renewed certificate/,
  },
};

const KINDS = Object.keys(PROBLEMS) as RecipientProblemKind[];

describe.each(KINDS)('a recipient that is %s', (kind) => {
  const { file, code, usable, message } = PROBLEMS[kind];
  const load = (action?: PolicyAction) =>
    Recipients.load(
      [mary.certificate, { path: file(), origin: 'client_property.conf:12' }],
      action && { [kind]: action },
    );

  it.each([undefined, 'refuse'] as const)('is refused (%s)', async (action) => {
    const error = await refusalOf(() => load(action));
    expect(error).toMatchObject({ code, path: file() });
    expect(error.message).toMatch(message);
    expect(error.message).toMatch(/^client_property\.conf:12: /);
  });

  it.each(['warn', 'skip'] as const)('is told and left out or used: %s', async (action) => {
    const { list, warnings } = await load(action);
    const used = usable && action === 'warn';
    expect(list.map(({ path }) => path)).toEqual(used ? [mary.certificate, file()] : [mary.certificate]);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatchObject({ kind, action, code, used, path: file(), origin: 'client_property.conf:12' });
    expect(warnings[0]!.message).toMatch(used ? /; it is used all the same$/ : /; it is left out$/);
  });

  it('is the only one: nothing is encrypted, even with a policy that lets it pass, unless it can be used', async () => {
    if (kind === 'duplicate') return expect((await Recipients.load([file()])).list).toHaveLength(1);
    const alone = (action: PolicyAction) => Recipients.load([file()], { [kind]: action });
    const error = await refusalOf(() => alone('skip'));
    expect(error.code).toBe('ERR_NO_RECIPIENTS');
    expect(error.message).toContain(file());
    if (usable) expect((await alone('warn')).list).toHaveLength(1);
    else expect(await codeOf(() => alone('warn'))).toBe('ERR_NO_RECIPIENTS');
  });
});

describe('a policy', () => {
  it('names every problem that is refused, under the code of the first', async () => {
    const error = await refusalOf(() => Recipients.load([PROBLEMS.weak.file(), expired, join(dir, 'none.crt')]));
    expect(error.code).toBe('ERR_CERTIFICATE_WEAK');
    expect(error.message).toMatch(/1024 bits.*Also: .*expired.*Also: .*none\.crt/);
  });

  it('demands a minimum', async () => {
    const sources = [mary.certificate, fred.certificate, expired];
    const policy = { expired: 'skip', minimum: 3 } as const;
    const error = await refusalOf(() => Recipients.load(sources, policy));
    expect(error.code).toBe('ERR_NO_RECIPIENTS');
    expect(error.message).toMatch(/2 recipients remain of at least 3: .*expired/);
    expect((await Recipients.load(sources, { ...policy, minimum: 2 })).list).toHaveLength(2);
  });

  it('refuses an empty list', async () => {
    expect(await codeOf(() => Recipients.load([]))).toBe('ERR_NO_RECIPIENTS');
  });

  it('judges by the time it is given', async () => {
    const at = (time: string) => Recipients.load([expired], {}, new Date(time));
    expect((await at('2019-06-01')).list).toHaveLength(1);
    expect((await at('2020-01-01T00:00:00Z')).list).toHaveLength(1);
    const late = await refusalOf(() => at('2020-01-01T00:00:01Z'));
    expect(late.message).toContain('expired less than a day ago');
    expect((await refusalOf(() => at('2020-01-02T00:00:00Z'))).message).toContain('expired 1 day ago');
    expect((await refusalOf(() => at('2018-12-31T00:00:00Z'))).code).toBe('ERR_CERTIFICATE_NOT_YET_VALID');
  });

  it('passes over an expired certificate for its renewal with the same key', async () => {
    const key = makeKeyPair(dir, { name: 'old' }).privateKey;
    const valid = certify(dir, key, { from: '20200101000000Z', to: '20900101000000Z', name: 'old', file: 'valid.crt' });
    const { list, warnings } = await Recipients.load([expired, valid], { expired: 'skip' });
    expect(list.map(({ path }) => path)).toEqual([valid]);
    expect(warnings.map(({ kind }) => kind)).toEqual(['expired']);
  });

  it('is complete and cannot be changed for everybody', () => {
    expect(Object.keys(FAIL_CLOSED).sort()).toEqual([...KINDS, 'minimum'].sort());
    expect(Object.isFrozen(FAIL_CLOSED)).toBe(true);
  });
});

describe('keys', () => {
  it.each([2048, 3072, 4096, 8192])(
    'of %i bits open what was encrypted for them',
    { timeout: 300_000 },
    async (bits) => {
      const pair = makeKeyPair(dir, { name: `bits-${bits}`, bits });
      const recipients = await Recipients.load([pair.certificate]);
      expect(recipients.list[0]).toMatchObject({ bits, algorithm: 'RSA', keyId: keyIdOf(pair.certificate) });
      const sealed = await encrypt(Buffer.from('hello'), { recipients });
      expect((await inspect(sealed)).recipients[0]).toMatchObject({ bits, keyId: keyIdOf(pair.certificate) });
      expect(Buffer.from(await decrypt(sealed, { keys: new KeyRing([pair.privateKey]) })).toString()).toBe('hello');
    },
  );

  it('of Ed25519 are no recipients', async () => {
    const pair = makeKeyPair(dir, { name: 'edwards', bits: 'ed25519' });
    expect(await refusalOf(() => Recipients.load([pair.certificate]))).toMatchObject({
      code: 'ERR_CERTIFICATE_NOT_RSA',
      message: expect.stringContaining('ED25519'),
    });
  });

  it('of RSA-PSS, which can only sign, are no recipients', async () => {
    const key = join(dir, 'pss.key');
    const certificate = join(dir, 'pss.crt');
    openssl('genpkey', '-algorithm', 'RSA-PSS', '-pkeyopt', 'rsa_keygen_bits:2048', '-out', key);
    openssl('req', '-x509', '-key', key, '-subj', '/CN=signer', '-days', '30', '-out', certificate);
    expect(await codeOf(() => Recipients.load([certificate]))).toBe('ERR_CERTIFICATE_NOT_RSA');
  });
});

describe('a file', () => {
  async function opens(source: string): Promise<void> {
    const recipients = await Recipients.load([source]);
    expect(recipients.list[0]!.keyId).toBe(keyIdOf(mary.certificate));
    const sealed = await encrypt(Buffer.from('hello'), { recipients });
    expect(Buffer.from(await decrypt(sealed, { keys: new KeyRing([mary.privateKey]) })).toString()).toBe('hello');
  }

  it('may be a certificate in DER', async () => {
    const path = join(dir, 'mary.der');
    writeFileSync(path, derCertificate(mary.certificate));
    await opens(path);
  });

  it.each(['spki', 'pkcs1'] as const)('may be a bare public key (%s)', async (form) => {
    const path = join(dir, `mary-${form}.pub`);
    writeFileSync(path, barePublicKey(mary.certificate, form));
    await opens(path);
    const { list } = await Recipients.load([path]);
    expect(list[0]).toMatchObject({ kind: 'public-key', certificate: null, bits: 2048 });
    const sealed = await encrypt(Buffer.from('hello'), { recipients: await Recipients.load([path]) });
    expect((await inspect(sealed)).recipients[0]!.certificate).toBeNull();
  });

  it('may be a bundle: everybody in it is a recipient', async () => {
    const path = bundle(join(dir, 'all.pem'), mary.certificate, fred.certificate);
    const recipients = await Recipients.load([path]);
    expect(recipients.list.map(({ certificate }) => certificate!.subject)).toEqual([
      expect.stringContaining('CN=mary'),
      expect.stringContaining('CN=fred'),
    ]);
    const sealed = await encrypt(Buffer.from('hello'), { recipients });
    for (const { privateKey } of [mary, fred]) {
      expect(Buffer.from(await decrypt(sealed, { keys: new KeyRing([privateKey]) })).toString()).toBe('hello');
    }
  });

  it('may hold what people write around certificates', async () => {
    const path = join(dir, 'commented.crt');
    writeFileSync(
      path,
      `Bag Attributes\r\n    friendlyName: mary\r\n${readFileSync(mary.certificate, 'utf8').replaceAll('\n', '\r\n')}\r\n`,
    );
    await opens(path);
  });

  it('tells the certificate as openssl does', async () => {
    const { list } = await Recipients.load([mary.certificate]);
    const ask = (...what: string[]) =>
      openssl('x509', '-in', mary.certificate, '-noout', ...what)
        .toString()
        .trim();
    const certificate = list[0]!.certificate!;
    expect(`subject=${certificate.subject}`).toBe(ask('-subject', '-nameopt', 'RFC2253'));
    expect(`issuer=${certificate.issuer}`).toBe(ask('-issuer', '-nameopt', 'RFC2253'));
    expect(`serial=${certificate.serial.toUpperCase()}`).toBe(ask('-serial'));
    expect(ask('-fingerprint', '-sha256').replaceAll(':', '').toLowerCase()).toContain(certificate.sha256);
    expect(new Date(ask('-enddate').replace('notAfter=', ''))).toEqual(certificate.notAfter);
    expect(new Date(ask('-startdate').replace('notBefore=', ''))).toEqual(certificate.notBefore);
    expect(certificate.signatureAlgorithm).toBe('sha256WithRSAEncryption');
  });

  it('twice in the list is one recipient', async () => {
    const error = await refusalOf(() => Recipients.load([mary.certificate, mary.certificate]));
    expect(error.code).toBe('ERR_CERTIFICATE_DUPLICATE');
    expect(error.message).toContain('is listed twice');
    expect((await Recipients.load([mary.certificate, mary.certificate], { duplicate: 'warn' })).list).toHaveLength(1);
  });

  it.each<[string, () => string]>([
    ['is empty', () => ''],
    ['holds something else', () => 'hello'],
    ['holds only a private key', () => readFileSync(mary.privateKey, 'utf8')],
    ['holds a certificate cut in two', () => readFileSync(mary.certificate, 'utf8').slice(0, 600)],
    ['holds a certificate request', () => openssl('req', '-new', '-key', mary.privateKey, '-subj', '/CN=x').toString()],
  ])('that %s is unreadable', async (_what, content) => {
    const path = join(dir, 'odd.crt');
    writeFileSync(path, content());
    const error = await refusalOf(() => Recipients.load([path]));
    expect(error).toMatchObject({ code: 'ERR_CERTIFICATE_UNREADABLE', path });
    expect(error.message).toContain(path);
  });

  it('that is a directory is unreadable', async () => {
    expect(await codeOf(() => Recipients.load([dir]))).toBe('ERR_CERTIFICATE_UNREADABLE');
  });
});

describe('a certificate whose names are strange', () => {
  /** The subject goes through file header, parser and inspection unchanged. */
  async function roundTrip(name: string): Promise<string> {
    const path = join(dir, 'strange.crt');
    openssl('req', '-x509', '-utf8', '-key', mary.privateKey, '-days', '30', '-subj', `/CN=${name}`, '-out', path);
    const recipients = await Recipients.load([path]);
    const sealed = await encrypt(Buffer.from('x'), { recipients });
    const subject = (await inspect(sealed)).recipients[0]!.certificate!.subject;
    expect(subject).toBe(recipients.list[0]!.certificate!.subject);
    return subject;
  }

  it('keeps other scripts', async () => {
    expect(await roundTrip('Müller 株式会社')).toBe('CN=Müller 株式会社');
  });

  it.each([
    ['a line feed', 'a\nb'],
    ['an escape sequence', 'a\u001b[31mb'],
    ['a C1 control character', 'a\u0085b'],
    ['DEL', 'a\u007fb'],
  ])('shows %s escaped', async (_what, name) => {
    const subject = await roundTrip(name);
    expect(subject).not.toMatch(/\p{Cc}/u);
    expect(subject).toMatch(/^CN=a.+b$/);
  });

  it('has a serial of zero', async () => {
    const path = join(dir, 'zero.crt');
    openssl(
      'req',
      '-x509',
      '-key',
      mary.privateKey,
      '-days',
      '30',
      '-set_serial',
      '0',
      '-subj',
      '/CN=zero',
      '-out',
      path,
    );
    const recipients = await Recipients.load([path]);
    expect(recipients.list[0]!.certificate!.serial).toBe('00');
    const sealed = await encrypt(Buffer.from('x'), { recipients });
    expect((await inspect(sealed)).recipients[0]!.certificate!.serial).toBe('00');
  });
});

describe('recipients at another time', () => {
  const at = (recipients: Recipients, date: string) => () => recipients.judgedAt(new Date(date));

  it('are judged by the policy anew, without reading a file', async () => {
    const file = join(dir, 'short.crt');
    writeFileSync(file, readFileSync(renewed));
    const strict = await Recipients.load([file, fred.certificate]);
    const skipping = await Recipients.load([file, fred.certificate], { expired: 'skip', notYetValid: 'skip' });
    const warning = await Recipients.load([file], { expired: 'warn' });
    writeFileSync(file, 'gone');
    expect(strict.judgedAt(new Date()).list).toEqual(strict.list);
    expect(await codeOf(at(strict, '2091-01-01'))).toBe('ERR_CERTIFICATE_EXPIRED');
    expect(await codeOf(at(strict, '2019-01-01'))).toBe('ERR_CERTIFICATE_NOT_YET_VALID');
    expect(await codeOf(at(skipping, '2091-01-01'))).toBe('ERR_NO_RECIPIENTS');
    expect(warning.judgedAt(new Date('2091-01-01'))).toMatchObject({
      list: [{ path: file }],
      warnings: [{ kind: 'expired' }],
    });
    expect(await codeOf(at(strict, 'never'))).toBe('ERR_INVALID_ARGUMENT');
  });

  it('come back when they are valid', async () => {
    const recipients = await Recipients.load([future, renewed], { notYetValid: 'skip', expired: 'skip' });
    expect(recipients.list.map(({ path }) => path)).toEqual([renewed]);
    const later = recipients.judgedAt(new Date('2090-06-01'));
    expect(later.list.map(({ path }) => path)).toEqual([future]);
    expect(later.examined).toHaveLength(2);
    const sealed = await encrypt(Buffer.from('x'), { recipients: later });
    expect((await inspect(sealed)).recipients[0]!.keyId).toBe(later.list[0]!.keyId);
  });
});

describe('recipients from client_property.conf', () => {
  const config = join(dir, 'client_property.conf');

  it('are those it lists, with the line in every message', async () => {
    writeFileSync(config, `[GLOBAL]\n\nLOGGING_ENCRYPTION_KEY = ${mary.certificate},${expired}\n`);
    const error = await refusalOf(() => Recipients.fromConfig(config));
    expect(error.code).toBe('ERR_CERTIFICATE_EXPIRED');
    expect(error.message).toContain(`${config}:3: certificate ${expired}`);
    const { list, warnings } = await Recipients.fromConfig(config, { expired: 'warn' });
    expect(list.map(({ path }) => path)).toEqual([mary.certificate, expired]);
    expect(warnings[0]).toMatchObject({ origin: `${config}:3`, used: true });
  });

  it('that cannot be read are a matter of policy', async () => {
    writeFileSync(config, `LOGGING_ENCRYPTION_KEY = ${mary.certificate},/no/such.crt\n`);
    expect(await codeOf(() => Recipients.fromConfig(config))).toBe('ERR_CERTIFICATE_UNREADABLE');
    expect((await Recipients.fromConfig(config, { unreadable: 'skip' })).list).toHaveLength(1);
  });

  it('bring the remarks of its reader along', async () => {
    writeFileSync(
      config,
      `LOGGING_ENCRYPTION_KEY = ${fred.certificate}\nLOGGING_ENCRYPTION_KEY = ${mary.certificate}\n`,
    );
    const { list, configWarnings } = await Recipients.fromConfig(config);
    expect(list.map(({ path }) => path)).toEqual([mary.certificate]);
    expect(configWarnings.map(({ severity }) => severity)).toContain('warning');
  });

  it('that is wrong is ERR_CONFIG', async () => {
    writeFileSync(config, 'LOGGING_ENCRYPTION_KEY = default\n');
    const error: CallsealError = await refusalOf(() => Recipients.fromConfig(config));
    expect(error).toMatchObject({ code: 'ERR_CONFIG', path: config, line: 1 });
  });
});
