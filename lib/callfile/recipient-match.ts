/** Which of a file's recipients are meant: by certificate, by key, by name, by expiry. */

import { CallsealError } from '../errors.ts';
import type { RecipientEntryInfo } from './inspect.ts';

/**
 * What a recipient is recognised by. A bare public key has neither certificate nor name nor expiry, only a key id.
 *
 * - `fingerprint`: SHA-256 of the DER certificate, 64 hexadecimal digits, colons between them or not.
 * - `keyId`: SHA-256 of the DER SubjectPublicKeyInfo: the key, whatever certificate it came in.
 * - `subject`: RFC 4514 text as `inspect` shows it, whole or one or more whole parts of it: `CN=Mary`, or `O=MyCompany,C=US`.
 *   Never a part of a part, so that `CN=Ann` does not mean Anna.
 * - `expiresBefore`: certificates that are no longer valid at that time.
 */
export type RecipientMatch =
  | { fingerprint: string }
  | { keyId: string }
  | { subject: string }
  | { expiresBefore: Date };

/** Whether a recipient is meant. */
export type RecipientTest = (recipient: RecipientEntryInfo) => boolean;

const SYNTAX = 'fingerprint=HEX, key-id=HEX, subject=TEXT, expired, expires-before=YYYY-MM-DD';

/**
 * A match from its text: one of `fingerprint=HEX`, `key-id=HEX`, `subject=TEXT`, `expired`, `expires-before=YYYY-MM-DD` (UTC).
 *
 * @param now What `expired` is measured by.
 * @throws {CallsealError} `ERR_INVALID_ARGUMENT`.
 *
 * @example
 * parseRecipientMatch('subject=CN=Mary');
 */
export function parseRecipientMatch(text: string, now: Date = new Date()): RecipientMatch {
  const [, name = '', value = ''] = /^([a-z-]*)(?:=(.*))?$/s.exec(text) ?? [];
  const match = matchOf(name, value, now);
  if (match === null) throw wrong(`${JSON.stringify(text)} names no recipient; write one of ${SYNTAX}`);
  testFor([match]);
  return match;
}

function matchOf(name: string, value: string, now: Date): RecipientMatch | null {
  switch (name) {
    case 'fingerprint':
      return { fingerprint: value };
    case 'key-id':
      return { keyId: value };
    case 'subject':
      return { subject: value };
    case 'expired':
      return value === '' ? { expiresBefore: now } : null;
    case 'expires-before':
      return /^\d{4}-\d{2}-\d{2}$/.test(value) ? { expiresBefore: new Date(`${value}T00:00:00Z`) } : null;
    default:
      return null;
  }
}

/**
 * The test for recipients that fit any of the matches.
 *
 * @throws {CallsealError} `ERR_INVALID_ARGUMENT` for a match that is none.
 */
export function testFor(matches: readonly RecipientMatch[]): RecipientTest {
  if (!Array.isArray(matches)) throw wrong('matches must be an array, even a single one');
  const tests = matches.map(single);
  return (recipient) => tests.some((test) => test(recipient));
}

function single(match: RecipientMatch): RecipientTest {
  if (typeof match !== 'object' || match === null || Object.keys(match).length !== 1) {
    throw wrong('a match is an object with one of fingerprint, keyId, subject, expiresBefore');
  }
  if ('fingerprint' in match) {
    const wanted = sha256(match.fingerprint, 'fingerprint');
    return ({ certificate }) => certificate?.sha256 === wanted;
  }
  if ('keyId' in match) {
    const wanted = sha256(match.keyId, 'key id');
    return ({ keyId }) => keyId === wanted;
  }
  if ('subject' in match) return subjectTest(match.subject);
  const time = match.expiresBefore instanceof Date ? match.expiresBefore.getTime() : Number.NaN;
  if (Number.isNaN(time)) throw wrong('expiresBefore must be a valid date');
  return ({ certificate }) => certificate !== null && certificate.notAfter.getTime() < time;
}

function subjectTest(text: string): RecipientTest {
  if (typeof text !== 'string' || text === '') throw wrong('subject must be a text such as CN=Mary');
  const wanted = partsOf(text);
  return ({ certificate }) => {
    if (certificate === null) return false;
    const parts = partsOf(certificate.subject);
    return wanted.every((part) => parts.includes(part));
  };
}

/** At commas that are not escaped (RFC 4514 section 2.4: a backslash makes the next character a part of the value). */
function partsOf(subject: string): string[] {
  return (subject.match(/(?:\\.|[^,\\])+/gs) ?? []).map((part) => part.replace(/^ +/, ''));
}

function sha256(text: string, what: string): string {
  const digits = typeof text === 'string' ? text.replaceAll(':', '').toLowerCase() : '';
  if (/^[0-9a-f]{64}$/.test(digits)) return digits;
  throw wrong(`a ${what} is a SHA-256 of 64 hexadecimal digits, as inspect shows it`);
}

function wrong(message: string): CallsealError {
  return new CallsealError('ERR_INVALID_ARGUMENT', message);
}
