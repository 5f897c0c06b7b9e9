/**
 * Call files as a hostile insider writes them: whoever has the public keys makes tags, MACs and signatures right over
 * whatever they please. Each is a few choices of what to make wrong, and sound but for these.
 */

import { createHash, createPublicKey, type KeyObject, randomBytes, sign } from 'node:crypto';
import fc from 'fast-check';

import { derive } from '../independent-decoder.ts';
import {
  bodyKeyOf,
  type CertificateFields,
  type EntryFields,
  entryFor,
  type Floe,
  type FloeFields,
  forgeCertificate,
  forgeEntry,
  forgeFloe,
  forgeMac,
  forgePrelude,
  forgeRecipients,
  forgeSegment,
  keyIdOf,
  type PreludeFields,
  type SectionFields,
  u16,
  u32,
  wrapKey,
} from './attacker.ts';

/** Of an entry, beside what {@link forgeEntry} takes. */
interface EntryPlan extends Pick<EntryFields, 'keyWrap' | 'wrappedLength' | 'kind'> {
  described?: CertificateFields;
  secretLength?: number;
  oaep?: { hash?: string; label?: Buffer };
}

/** Beside an index, a length and a mark that fit. */
interface SegmentPlan {
  final?: boolean;
  length?: number;
  /** Added to its own. */
  index?: number;
  mark?: number;
  /** Which byte is altered. */
  broken?: number;
}

/** Of the blocks of a signed file. */
interface SignerPlan {
  algorithm?: number;
  length?: number;
  keyId?: Buffer;
  spki?: string;
  keyLength?: number;
  kind?: number;
  described?: CertificateFields;
  mark?: string;
  /** Added to the number that is signed. */
  segments?: number;
  /** Which byte of the closing block is altered. */
  changed?: number;
}

/** Mostly left as it should be. */
const seldom = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.oneof({ weight: 24, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary });

/** Every property there or, mostly, not. */
function given<T extends object>(properties: { [K in keyof T]-?: fc.Arbitrary<NonNullable<T[K]>> }): fc.Arbitrary<T> {
  const all = Object.entries<fc.Arbitrary<unknown>>(properties).map(([name, value]) => [name, seldom(value)]);
  return fc
    .record(Object.fromEntries(all) as Record<string, fc.Arbitrary<unknown>>)
    .map((made) => Object.fromEntries(Object.entries(made).filter(([, value]) => value !== undefined)) as T);
}

const length16 = fc.oneof(fc.constantFrom(0, 1, 255, 256, 257, 1024, 1025, 8192, 8193), fc.nat(0xffff));

const prelude = given<Omit<PreludeFields, 'fileId'>>({
  version: fc.constantFrom(0, 2, 256),
  suite: fc.constantFrom(0, 2, 0xffff),
  flags: fc.constantFrom(2, 3, 0x8000_0000, 0x100),
  createdAt: fc.constantFrom(0n, 253402300799999n, 253402300800000n, 2n ** 63n, 2n ** 64n - 1n),
  reserved: fc.constantFrom(1n, 2n ** 63n),
});

const text = fc.oneof(
  fc
    .constantFrom('', 'CN=Mary', '\u0000', '\u007f', '\u0085', '\ufeffx', '\u202e', '😀', 'a'.repeat(8193))
    .map(Buffer.from),
  fc.constantFrom('ff', 'c080', 'eda080', 'f4908080', 'e282').map((digits) => Buffer.from(digits, 'hex')),
  fc.string({ unit: 'binary', maxLength: 12 }).map((value) => Buffer.from(value)),
);
const time = fc.constantFrom(-62_167_219_201n, -62_167_219_200n, 0n, 253_402_300_799n, 253_402_300_800n, -(2n ** 63n));
const certificate = given<CertificateFields>({
  notBefore: time,
  notAfter: time,
  serial: fc.constantFrom('', '00', '0001', 'ff').map((digits) => Buffer.from(digits, 'hex')),
  serialLength: fc.nat(255),
  subject: text,
  subjectLength: length16,
  issuer: text,
  issuerLength: length16,
});

const entry = given<EntryPlan>({
  keyWrap: fc.constantFrom(0, 2, 0xffff),
  wrappedLength: length16,
  kind: fc.constantFrom(1, 2, 255),
  described: certificate,
  secretLength: fc.constantFrom(0, 16, 31, 33, 48),
  oaep: fc.constantFrom({ hash: 'sha1' }, { hash: 'sha384' }, { label: Buffer.from('label') }),
});

const section = given<SectionFields>({
  length: fc.oneof(fc.constantFrom(0, 4_194_304, 4_194_305, 0xffff_ffff), fc.nat(2000)),
  count: fc.constantFrom(0, 1, 2, 3, 4096, 4097, 0xffff),
  reserved: fc.constantFrom(1, 0x8000),
});

const floe = given<Omit<FloeFields, 'iv'>>({
  segmentLength: fc.constantFrom(0, 31, 32, 33, 1023, 1025, 65_536, 16_777_216, 16_777_217, 0xffff_ffff),
  ivLength: fc.constantFrom(0, 31, 33, 0xffff_ffff),
  aead: fc.constantFrom(1, 255),
  kdf: fc.constantFrom(1, 255),
});

const segment = given<SegmentPlan>({
  final: fc.boolean(),
  length: fc.nat(992),
  index: fc.constantFrom(-1, 1, 1 << 20),
  mark: fc.oneof(fc.constantFrom(0, 31, 32, 1024, 0xffff_fffe, 0xffff_ffff), fc.nat(1100)),
  broken: fc.nat(1100),
});

const signer = given<SignerPlan>({
  algorithm: fc.constantFrom(0, 1, 2, 3, 4),
  length: fc.oneof(fc.constantFrom(0, 5, 6, 20_480, 20_481, 0xffff_ffff), fc.nat(400)),
  keyId: fc.constant(Buffer.alloc(32)),
  spki: fc.constantFrom('compressed', 'hybrid', 'longer', 'cut', 'empty', 'long length'),
  keyLength: length16,
  kind: fc.constantFrom(0, 1, 2),
  described: certificate,
  mark: fc.constantFrom('sign', 'SIGM', '\0\0\0\x44'),
  segments: fc.constantFrom(-1, 1),
  changed: fc.nat(200),
});

/** What is made wrong in a file. */
export const forgeries = fc.record({
  prelude,
  others: fc.array(entry, { maxLength: 2 }),
  mine: entry,
  /** Where the entry of the key that opens it is; twice when both are the same. */
  place: fc.nat(2),
  twice: fc.boolean().map((twice) => twice || undefined),
  section,
  wrongMac: seldom(fc.nat(255)),
  floe,
  segments: fc.array(segment, { maxLength: 4 }),
  signed: fc.boolean(),
  signer,
  tail: seldom(fc.uint8Array({ maxLength: 80 })),
});

export type ForgeryPlan = typeof forgeries extends fc.Arbitrary<infer T> ? T : never;

/** Nothing wrong, for one reader. */
export const SOUND: ForgeryPlan = {
  prelude: {},
  others: [],
  mine: {},
  place: 0,
  twice: undefined,
  section: {},
  wrongMac: undefined,
  floe: {},
  segments: [],
  signed: false,
  signer: {},
  tail: undefined,
};

export interface ForgersKeys {
  /** Who opens the file. */
  mine: KeyObject;
  /** Who else it says it is for. */
  others: readonly KeyObject[];
  /** P-256, private. */
  signer: KeyObject;
}

/** As the plan says, for the holder of `keys.mine`. */
export function forged(plan: ForgeryPlan, keys: ForgersKeys): Buffer {
  const contentKey = randomBytes(32);
  const head = forgePrelude({ ...(plan.signed && { flags: 1 }), ...plan.prelude });
  const entries = plan.others.map((fields, index) => forgedEntry(fields, keys.others[index]!, contentKey));
  entries.splice(plan.place, 0, forgedEntry(plan.mine, keys.mine, contentKey));
  if (plan.twice && entries.length > 2) entries.push(entryFor(keys.mine, contentKey));
  const recipients = forgeRecipients(entries, plan.section);
  const mac = forgeMac(contentKey, head, recipients);
  if (plan.wrongMac !== undefined) mac[plan.wrongMac % 32]! ^= 1;
  const rest = plan.signed ? signedRest(plan, keys.signer, contentKey, head) : plainRest(plan, contentKey, head);
  return Buffer.concat([head, recipients, mac, rest, plan.tail ?? Buffer.alloc(0)]);
}

function forgedEntry(plan: EntryPlan, publicKey: KeyObject, contentKey: Buffer): Buffer {
  const { secretLength = 32, oaep, described, ...fields } = plan;
  const secret = Buffer.concat([contentKey, contentKey]).subarray(0, secretLength);
  const wrapped = wrapKey(publicKey, secret, oaep);
  const certificate = described === undefined ? {} : { certificate: forgeCertificate(described) };
  return forgeEntry({ keyId: keyIdOf(publicKey), wrapped, ...certificate, ...fields });
}

function plainRest(plan: ForgeryPlan, contentKey: Buffer, head: Buffer): Buffer {
  const body = forgeFloe(bodyKeyOf(contentKey, head), head, plan.floe);
  return Buffer.concat([body.header, ...forgedSegments(plan, body)]);
}

/** A last one follows those of the plan, unless one of them is. */
function forgedSegments(plan: ForgeryPlan, body: Floe): Buffer[] {
  const full = Math.min(Math.max(0, body.segmentLength - 32), 70_000);
  const all = [...plan.segments];
  if (!all.some(({ final }) => final === true)) all.push({ final: true, length: 77 });
  return all.map(({ final = false, length, index = 0, mark, broken }, number) => {
    const plaintext = Buffer.alloc(final ? Math.min(length ?? full, full) : full, number + 1);
    const place = BigInt.asUintN(64, BigInt(number + index));
    const made = forgeSegment(body, place, final, plaintext, mark);
    if (broken !== undefined) made[4 + (broken % (made.length - 4))]! ^= 1;
    return made;
  });
}

/** Section 9: everything after the MAC. */
function signedRest(plan: ForgeryPlan, key: KeyObject, contentKey: Buffer, head: Buffer): Buffer {
  const { signer } = plan;
  const fields = openingFields(signer, key);
  const context = Buffer.concat([head, sha256(fields)]);
  const body = forgeFloe(derive(contentKey, 'callseal v1 body', context), head, plan.floe);
  const label = Buffer.from('callseal v1 opening\0');
  const opening = Buffer.concat([fields, signature(key, Buffer.concat([label, head, fields, body.header]))]);
  const segments = forgedSegments(plan, body);
  const start = sha256(Buffer.concat([head, opening, body.header]));
  const number = Buffer.alloc(8);
  number.writeBigInt64BE(BigInt(segments.length + (signer.segments ?? 0)));
  const digest = sha256(Buffer.concat(segments.map(sha256)));
  const statement = Buffer.concat([Buffer.from('callseal v1 closing\0'), start, number, digest]);
  const closing = Buffer.concat([Buffer.from(signer.mark ?? 'SIGN', 'latin1'), signature(key, statement)]);
  if (signer.changed !== undefined && signer.changed < closing.length) closing[signer.changed]! ^= 1;
  return Buffer.concat([opening, body.header, ...segments, closing]);
}

function openingFields(signer: SignerPlan, key: KeyObject): Buffer {
  const spki = encodedKey(createPublicKey(key).export({ type: 'spki', format: 'der' }), signer.spki);
  const described = signer.described === undefined ? Buffer.alloc(0) : forgeCertificate(signer.described);
  const kind = signer.kind ?? (described.length > 0 ? 1 : 0);
  const parts = [signer.keyId ?? sha256(spki), u16(signer.keyLength ?? spki.length), spki, Buffer.of(kind), described];
  const rest = Buffer.concat(parts);
  return Buffer.concat([u16(signer.algorithm ?? 1), u32(signer.length ?? 6 + rest.length + 64), rest]);
}

/** Other encodings of a P-256 key, some of which are none. */
function encodedKey(spki: Buffer, form: string | undefined): Buffer {
  const point = spki.subarray(27);
  const odd = (point[63]! & 1) === 1;
  switch (form) {
    case 'compressed': {
      const start = Buffer.from(spki.subarray(0, 26));
      start[1]! -= 32;
      start[24]! -= 32;
      return Buffer.concat([start, Buffer.of(odd ? 3 : 2), point.subarray(0, 32)]);
    }
    case 'hybrid':
      return Buffer.concat([spki.subarray(0, 26), Buffer.of(odd ? 7 : 6), point]);
    case 'longer':
      return Buffer.concat([spki, Buffer.of(0)]);
    case 'cut':
      return spki.subarray(0, -1);
    case 'empty':
      return Buffer.alloc(0);
    case 'long length':
      return Buffer.concat([Buffer.of(0x30, 0x81), spki.subarray(1)]);
    default:
      return spki;
  }
}

const signature = (key: KeyObject, statement: Buffer): Buffer =>
  sign('sha256', statement, { key, dsaEncoding: 'ieee-p1363' });

const sha256 = (bytes: Buffer): Buffer => createHash('sha256').update(bytes).digest();
