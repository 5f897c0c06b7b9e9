/** Looks at one certificate or public-key file: what is in it, and everything that is wrong with it. */

import type { ErrorCode } from '../errors.ts';
import { CallsealError } from '../errors.ts';
import { hex } from '../hex.ts';
import type { NativePublicKey, RecipientFileEntry } from '../native/binding.ts';
import { native } from '../native/load.ts';
import { type CertificateInfo, certificateInfo } from './certificate-info.ts';
import {
  MAX_CERTIFICATE_TIME,
  MAX_NAME_BYTES,
  MAX_RSA_BITS,
  MAX_SERIAL_BYTES,
  MIN_CERTIFICATE_TIME,
  MIN_RSA_BITS,
} from './limits.ts';
import type { RecipientProblemKind } from './policy.ts';
import { closeRead, openRegularFile, readAt, systemReason } from './regular-file.ts';
import { validTime } from './time.ts';

/** A file that names recipients. */
export interface RecipientSource {
  path: string;
  /** Where the path was written, such as `client_property.conf:12`; messages begin with it. */
  origin?: string;
}

/** A certificate or public key that files can be encrypted for. */
export interface RecipientInfo {
  kind: 'certificate' | 'public-key';
  path: string;
  /** SHA-256 of the DER SubjectPublicKeyInfo in lower-case hexadecimal. */
  keyId: string;
  bits: number;
  /** Such as `RSA`. */
  algorithm: string;
  /** Null for a bare public key. */
  certificate: (CertificateInfo & { signatureAlgorithm: string }) | null;
}

/** Something wrong with a file or an entry of it, before any policy. */
export interface RecipientFinding {
  kind: RecipientProblemKind;
  code: ErrorCode;
  /** What is wrong: origin, file, subject, days. */
  fact: string;
  /** What to do about it. */
  remedy: string;
  path: string;
  origin?: string;
}

/** One certificate or public key of a file. */
export interface ExaminedRecipient {
  info: RecipientInfo;
  findings: RecipientFinding[];
  /** @internal */
  publicKey: NativePublicKey;
  /** As the module gave it, for the file header. @internal */
  certificate: RecipientFileEntry['certificate'];
}

/** Everything in one file. */
export interface ExaminedFile {
  path: string;
  origin?: string;
  entries: ExaminedRecipient[];
  /** What is wrong with the file as a whole: it cannot be read or holds nothing. */
  findings: RecipientFinding[];
}

/** More than 4096 certificates of 4 kB each in PEM. */
const MAX_FILE_BYTES = 24 << 20;
const DAY = 86_400_000;

/** How messages name an entry: path and subject. */
export function describeRecipient(info: RecipientInfo): string {
  if (info.certificate === null) return `public key ${info.path}`;
  return `certificate ${info.path} (${info.certificate.subject})`;
}

/**
 * Reads a file of certificates or bare public keys (PEM, PEM bundle, DER) and judges every entry at the time `now`.
 * Problems are findings, not exceptions; what they lead to is a matter of policy.
 *
 * @throws {CallsealError} Only what has nothing to do with the file: `ERR_INVALID_ARGUMENT` when `now` is not a valid
 *   Date, `ERR_NATIVE_UNAVAILABLE`, `ERR_FIPS_UNAVAILABLE` …
 *
 * @example
 * const { entries, findings } = await examineRecipientFile({ path: '/customer/cert/file.crt' }, new Date());
 */
export async function examineRecipientFile(source: RecipientSource, now: Date = new Date()): Promise<ExaminedFile> {
  const time = validTime(now);
  native(); // what is wrong with the module is not wrong with the file
  try {
    return examineRecipientBytes(source, await readRecipientFile(source.path), time);
  } catch (error) {
    const { path, origin } = source;
    return { path, entries: [], findings: [unreadable(source, error)], ...(origin === undefined ? {} : { origin }) };
  }
}

/** The same for the content of such a file. */
export function examineRecipientBytes(source: RecipientSource, bytes: Uint8Array, now: Date): ExaminedFile {
  const time = validTime(now);
  const { path, origin } = source;
  const file: ExaminedFile = { path, entries: [], findings: [], ...(origin === undefined ? {} : { origin }) };
  const binding = native();
  let found: RecipientFileEntry[];
  try {
    found = binding.readRecipients(bytes);
  } catch (error) {
    file.findings.push(unreadable(source, error));
    return file;
  }
  for (const entry of found) file.entries.push(examineEntry(source, entry, time));
  return file;
}

/** @throws {CallsealError} `ERR_IO`, `ERR_INVALID_ARGUMENT`; `ERR_CERTIFICATE_UNREADABLE` when it is too long. */
export async function readRecipientFile(path: string): Promise<Uint8Array> {
  const { handle, stats } = await openRegularFile(path);
  try {
    if (stats.size > MAX_FILE_BYTES) {
      throw new CallsealError('ERR_CERTIFICATE_UNREADABLE', `it has ${stats.size} bytes, too many for certificates`);
    }
    const bytes = new Uint8Array(Number(stats.size));
    return bytes.subarray(0, await readAt(handle, bytes, 0, path));
  } finally {
    await closeRead(handle);
  }
}

function unreadable(source: RecipientSource, error: unknown): RecipientFinding {
  const cause = error instanceof CallsealError && error.errno !== undefined ? error.cause : error;
  return finding(source, 'unreadable', 'ERR_CERTIFICATE_UNREADABLE', {
    fact: `cannot read a certificate or public key from ${source.path}: ${systemReason(cause)}`,
    remedy: 'correct the path, or put a PEM or DER certificate there that this process may read',
  });
}

function finding(
  source: RecipientSource,
  kind: RecipientProblemKind,
  code: ErrorCode,
  text: { fact: string; remedy: string },
): RecipientFinding {
  const { path, origin } = source;
  const fact = origin === undefined ? text.fact : `${origin}: ${text.fact}`;
  return { kind, code, fact, remedy: text.remedy, path, ...(origin === undefined ? {} : { origin }) };
}

function examineEntry(source: RecipientSource, entry: RecipientFileEntry, now: Date): ExaminedRecipient {
  const { publicKey, certificate } = entry;
  const info: RecipientInfo = {
    kind: entry.kind,
    path: source.path,
    keyId: hex(publicKey.spkiSha256),
    bits: publicKey.bits,
    algorithm: publicKey.algorithm,
    certificate: certificate && {
      ...certificateInfo(certificate),
      signatureAlgorithm: certificate.signatureAlgorithm,
    },
  };
  const findings = [...keyFindings(source, info, publicKey), ...dateFindings(source, info, now)];
  if (certificate !== null) findings.push(...layoutFindings(source, info, certificate));
  return { info, findings, publicKey, certificate };
}

/** The same file at another time: only what is said of dates is found anew. */
export function examinedAt(file: ExaminedFile, now: Date): ExaminedFile {
  const entries = file.entries.map((entry) => {
    const lasting = entry.findings.filter(({ kind }) => kind !== 'expired' && kind !== 'notYetValid');
    return { ...entry, findings: [...lasting, ...dateFindings(file, entry.info, now)] };
  });
  return { ...file, entries };
}

function keyFindings(source: RecipientSource, info: RecipientInfo, key: NativePublicKey): RecipientFinding[] {
  const name = describeRecipient(info);
  if (info.algorithm !== 'RSA') {
    const fact = `${name} has a key of type ${info.algorithm}, and only RSA keys can be recipients`;
    const remedy = `use a certificate with an RSA key of ${MIN_RSA_BITS} to ${MAX_RSA_BITS} bits`;
    return [finding(source, 'nonRsa', 'ERR_CERTIFICATE_NOT_RSA', { fact, remedy })];
  }
  if (info.bits > MAX_RSA_BITS) {
    const fact = `${name} has an RSA key of ${info.bits} bits, more than ${MAX_RSA_BITS}`;
    return [finding(source, 'nonRsa', 'ERR_CERTIFICATE_NOT_RSA', { fact, remedy: 'use a key of 3072 or 4096 bits' })];
  }
  if (info.bits < MIN_RSA_BITS) {
    const fact = `${name} has an RSA key of ${info.bits} bits, fewer than the ${MIN_RSA_BITS} that are allowed`;
    return [finding(source, 'weak', 'ERR_CERTIFICATE_WEAK', { fact, remedy: 'make a new key pair of 3072 bits' })];
  }
  if (!key.hasApprovedExponent) {
    const fact = `${name} has an RSA key whose public exponent is even or below 65537`;
    return [finding(source, 'weak', 'ERR_CERTIFICATE_WEAK', { fact, remedy: 'make a new key pair of 3072 bits' })];
  }
  return [];
}

function dateFindings(source: RecipientSource, info: RecipientInfo, now: Date): RecipientFinding[] {
  if (info.certificate === null) return [];
  const { notBefore, notAfter } = info.certificate;
  const name = describeRecipient(info);
  // Asked so that a time which compares with nothing does not pass.
  if (!(now <= notAfter)) {
    const fact = `${name} expired ${days(now.getTime() - notAfter.getTime())} ago, on ${dateOf(notAfter)}`;
    const remedy = 'renew it, or set the policy for expired certificates to warn or skip';
    return [finding(source, 'expired', 'ERR_CERTIFICATE_EXPIRED', { fact, remedy })];
  }
  if (!(now >= notBefore)) {
    const fact = `${name} is valid only in ${days(notBefore.getTime() - now.getTime())}, from ${dateOf(notBefore)}`;
    const remedy = 'check the clock of this host, or set the policy for certificates not yet valid to warn or skip';
    return [finding(source, 'notYetValid', 'ERR_CERTIFICATE_NOT_YET_VALID', { fact, remedy })];
  }
  return [];
}

function days(milliseconds: number): string {
  const whole = Math.floor(milliseconds / DAY);
  if (whole === 0) return 'less than a day';
  return whole === 1 ? '1 day' : `${whole} days`;
}

function dateOf(time: Date): string {
  return time.toISOString().slice(0, time.toISOString().indexOf('T'));
}

/** A file header describes the certificate, and has room only for so much. */
function layoutFindings(
  source: RecipientSource,
  info: RecipientInfo,
  certificate: NonNullable<RecipientFileEntry['certificate']>,
): RecipientFinding[] {
  const problem = layoutProblem(certificate);
  if (problem === null) return [];
  const fact = `certificate ${info.path} cannot be described in a call file: ${problem}`;
  return [finding(source, 'unreadable', 'ERR_CERTIFICATE_UNREADABLE', { fact, remedy: 'use another certificate' })];
}

function layoutProblem(certificate: NonNullable<RecipientFileEntry['certificate']>): string | null {
  for (const what of ['subject', 'issuer'] as const) {
    const bytes = Buffer.byteLength(certificate[what]);
    if (bytes > MAX_NAME_BYTES) return `its ${what} has ${bytes} bytes, more than ${MAX_NAME_BYTES}`;
    if (/\p{Cc}/u.test(certificate[what])) return `its ${what} has a control character`;
  }
  if (certificate.serial.length > MAX_SERIAL_BYTES) {
    return `its serial number has ${certificate.serial.length} bytes, more than ${MAX_SERIAL_BYTES}`;
  }
  for (const time of [certificate.notBefore, certificate.notAfter]) {
    if (!(time >= MIN_CERTIFICATE_TIME && time <= MAX_CERTIFICATE_TIME))
      return 'its validity is not in the years 0000 to 9999';
  }
  return null;
}
