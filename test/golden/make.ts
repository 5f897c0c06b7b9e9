/**
 * Makes a folder of golden files, once for a format version: `node test/golden/make.ts v2`. It never overwrites. Needs `npm run
 * build`, `openssl`, and a Node that runs TypeScript (22.18 or later).
 */

import { execFileSync } from 'node:child_process';
import { createHash, createPrivateKey, type KeyObject } from 'node:crypto';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { encrypt, Recipients } from '../../lib/index.ts';
import { openStore } from '../../lib/keys/stores/open-store.ts';
import { version } from '../../lib/version.ts';
import { readKeyVectors } from '../helpers/key-vectors.ts';
import { type DecodedRecipient, decodeCallFile } from '../independent-decoder.ts';
import { contentOf } from './content.ts';
import type { GoldenFile, GoldenRecipient, Manifest } from './manifest.ts';

const PASSPHRASE = 'golden, not secret';
/** Plaintext of a full segment of 1 KiB. */
const FULL = 992;
/** Everything that RFC 4514 escapes, several scripts, an attribute twice, and one without a name in that RFC. */
const ODD_SUBJECT =
  '/C=DE/O=Gr\u00fc\u00dfe \\\\ S\u00f6hne, "Inc."/OU=#1 <calls>; \\+ more /OU= \u65e5\u672c\u8a9e \u{1f600}/CN=O\u2019Brien = odd/emailAddress=odd@example.com';

interface Person {
  key: KeyObject;
  /** Path. */
  certificate: string;
}

const out = new URL(`${process.argv[2] ?? 'v?'}/`, import.meta.url).pathname;
const work = mkdtempSync(join(tmpdir(), 'callseal-golden-'));
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const openssl = (...args: string[]): Buffer => execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'pipe'] });

mkdirSync(out); // fails when it is there
const manifest: Manifest = { writtenBy: `callseal ${version()}`, keys: {}, files: [], keysSha256: '' };

function makePerson(name: string, bits: number): Person {
  const path = join(work, `${name}.key`);
  openssl('genpkey', '-algorithm', 'RSA', '-pkeyopt', `rsa_keygen_bits:${bits}`, '-out', path);
  return {
    key: createPrivateKey(readFileSync(path)),
    certificate: certify(name, 'crt', `/O=Golden/CN=${name}`, '0x7f01'),
  };
}

function certify(name: string, suffix: string, subject: string, serial: string): string {
  const path = join(work, `${name}.${suffix}`);
  const about = ['-days', '36500', '-set_serial', serial, '-subj', subject];
  openssl('req', '-x509', '-new', '-utf8', '-key', join(work, `${name}.key`), ...about, '-out', path);
  return path;
}

function keepKey(name: string, file: string, passphrase: string | null, ...command: string[]): void {
  openssl(...command, '-out', join(out, file));
  manifest.keys[name] = { file, passphrase };
}

const PEOPLE = { mary: makePerson('mary', 2048), fred: makePerson('fred', 3072), ada: makePerson('ada', 4096) };
type Name = keyof typeof PEOPLE;

const from = (name: Name): string => join(work, `${name}.key`);
keepKey('mary', 'mary.key', null, 'pkcs8', '-topk8', '-nocrypt', '-in', from('mary'));
const encrypted = ['-v2', 'aes-256-cbc', '-passout', `pass:${PASSPHRASE}`];
keepKey('fred', 'fred.key', PASSPHRASE, 'pkcs8', '-topk8', ...encrypted, '-in', from('fred'));
const bundle = ['-inkey', from('ada'), '-in', join(work, 'ada.crt'), '-passout', `pass:${PASSPHRASE}`];
keepKey('ada', 'ada.p12', PASSPHRASE, 'pkcs12', '-export', ...bundle);

const longSerial = `0x7f${'ab'.repeat(19)}`;
const odd = [certify('mary', 'odd', ODD_SUBJECT, '0'), certify('fred', 'odd', ODD_SUBJECT, longSerial)];
const barePublicKey = join(work, 'mary.pub');
openssl('pkey', '-in', from('mary'), '-pubout', '-out', barePublicKey);
const certificates = (...names: Name[]): string[] => names.map((name) => PEOPLE[name].certificate);

await makeFile('empty', 0, ['mary'], certificates('mary'));
await makeFile('one-byte', 1, ['mary'], certificates('mary'));
await makeFile('full-segment', FULL, ['mary'], certificates('mary'), 1024);
await makeFile('whole-segments', 3 * FULL, ['fred'], certificates('fred'), 1024);
await makeFile('segments', 5 * FULL + 200, ['mary', 'fred', 'ada'], certificates('mary', 'fred', 'ada'), 1024);
await makeFile('usual-segments', 270_000, ['ada', 'mary'], certificates('ada', 'mary'));
await makeFile('bare-key', 3000, ['mary', 'fred'], [barePublicKey, ...certificates('fred')], 1024);
await makeFile('odd-names', 100, ['mary', 'fred'], odd);
await makeStore();
writeFileSync(join(out, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
rmSync(work, { recursive: true });

async function makeFile(
  name: string,
  plaintextBytes: number,
  opens: Name[],
  sources: string[],
  segmentLength?: number,
): Promise<void> {
  const recipients = await Recipients.load(sources);
  const plaintext = contentOf(name, plaintextBytes);
  const sealed = Buffer.from(await encrypt(plaintext, { recipients, ...(segmentLength && { segmentLength }) }));
  const decoded = decodeCallFile(sealed, PEOPLE[opens[0]!].key);
  const file: GoldenFile = {
    file: `${name}.sealed`,
    sha256: sha256(sealed),
    plaintextBytes,
    plaintextSha256: sha256(plaintext),
    segmentLength: decoded.segmentLength,
    segments: decoded.segments,
    recipients: decoded.recipients.map(describe),
    opens,
  };
  writeFileSync(join(out, file.file), sealed);
  manifest.files.push(file);
}

function describe({ keyId, certificate }: DecodedRecipient): GoldenRecipient {
  if (certificate === null) return { keyId, certificate };
  const { sha256, serial, subject, issuer } = certificate;
  return { keyId, certificate: { sha256, serial, subject, issuer } };
}

async function makeStore(): Promise<void> {
  const { store, masters, working, audit } = readKeyVectors();
  const path = join(work, 'keys.db');
  const rows = await openStore(`sqlite:${path}`);
  await rows.transaction(async (writer) => {
    for (const row of masters) await writer.writeMaster(row);
    for (const row of working) await writer.writeWorking(row);
    for (const row of audit) await writer.appendAudit(row);
    await writer.writeStore(store);
  });
  await rows.close();
  copyFileSync(path, join(out, 'keys.db')); // by itself: what SQLite keeps beside it is of no use later
  manifest.keysSha256 = sha256(readFileSync(path));
}
