/**
 * Addresses of keys in tokens as PKCS#11 URIs (RFC 7512).
 *
 *     pkcs11:token=callseal;object=installation?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=file:/run/pin
 *
 * What is not understood is refused: an attribute that was ignored could have kept another key from being taken.
 */

import { CallsealError } from '../../errors.ts';
import type { TokenAddress } from '../../native/keys-binding.ts';

/** A parsed URI. */
export interface Pkcs11Uri {
  address: TokenAddress;
  /** Absolute path of a file whose first line is the PIN, or null. */
  pinSource: string | null;
}

/** The variable that names the module of URIs that do not. */
export const MODULE_VARIABLE = 'CALLSEAL_PKCS11_MODULE';

/** Longest label and serial number of a token, PKCS#11 section 3.2 (CK_TOKEN_INFO). */
const MAX_TOKEN_LABEL = 32;
const MAX_SERIAL = 16;
const MAX_URI = 4096;

/** Unreserved characters and those that RFC 7512 section 2.3 allows unescaped in the path and in the query. */
const PATH_VALUE = /^(?:[A-Za-z0-9\-._~:[\]@!$'()*+,=&]|%[0-9A-Fa-f]{2})+$/;
const QUERY_VALUE = /^(?:[A-Za-z0-9\-._~:[\]@!$'()*+,=/?|]|%[0-9A-Fa-f]{2})+$/;

const PATH_ATTRIBUTES = ['token', 'serial', 'object', 'id', 'type'] as const;
const QUERY_ATTRIBUTES = ['module-path', 'pin-source'] as const;

/** What to do instead of attributes that RFC 7512 has and Callseal does not take. */
const NOT_TAKEN: Record<string, string> = {
  manufacturer: 'token and serial find the token; leave it out',
  model: 'token and serial find the token; leave it out',
  'slot-id': 'slots change their numbers; name the token instead',
  'slot-description': 'name the token instead',
  'slot-manufacturer': 'name the token instead',
  'library-manufacturer': 'give the module by its module-path',
  'library-description': 'give the module by its module-path',
  'library-version': 'give the module by its module-path',
  'module-name': 'give the module by its module-path',
};

/**
 * Parses a PKCS#11 URI. The module is that of `module-path`, or else of `CALLSEAL_PKCS11_MODULE`.
 *
 * @throws {CallsealError} `ERR_INVALID_ARGUMENT`, never with a PIN in its message.
 */
export function parsePkcs11Uri(text: string, environment: NodeJS.ProcessEnv = process.env): Pkcs11Uri {
  if (/[?&;:]pin-value=/i.test(text)) {
    throw wrong(
      'it holds a PIN (pin-value), which others could see; put it into a file and name that: pin-source=file:/…',
    );
  }
  if (text.length > MAX_URI) throw wrong(`it is longer than ${MAX_URI} characters`);
  const parts = /^pkcs11:([^?]*)(?:\?(.*))?$/s.exec(text);
  if (parts === null) throw wrong('it does not begin with "pkcs11:"');
  const path = readAttributes(parts[1]!, ';', PATH_ATTRIBUTES, PATH_VALUE);
  const query = readAttributes(parts[2] ?? '', '&', QUERY_ATTRIBUTES, QUERY_VALUE);
  if (path.type !== undefined && path.type !== 'private')
    throw wrong(`type is ${path.type}, and a private key is needed`);
  return {
    address: {
      modulePath: modulePath(query['module-path'], environment),
      tokenLabel: boundedText('token', path.token, MAX_TOKEN_LABEL),
      serial: boundedText('serial', path.serial, MAX_SERIAL),
      objectLabel: path.object === undefined ? null : decodeText('object', path.object),
      objectId: path.id === undefined ? null : new Uint8Array(decodeBytes(path.id)),
    },
    pinSource: query['pin-source'] === undefined ? null : pinFile(query['pin-source']),
  };
}

/** The URI of an address, with its module in it. */
export function formatPkcs11Uri(uri: Pkcs11Uri): string {
  const { modulePath: module, tokenLabel, serial, objectLabel, objectId } = uri.address;
  const path = [
    ...(tokenLabel === null ? [] : [`token=${encode(Buffer.from(tokenLabel))}`]),
    ...(serial === null ? [] : [`serial=${encode(Buffer.from(serial))}`]),
    ...(objectId === null ? [] : [`id=${escapeAll(objectId)}`]),
    ...(objectLabel === null ? [] : [`object=${encode(Buffer.from(objectLabel))}`]),
  ];
  const query = [
    `module-path=${encode(Buffer.from(module), '/')}`,
    ...(uri.pinSource === null ? [] : [`pin-source=file:${encode(Buffer.from(uri.pinSource), '/')}`]),
  ];
  return `pkcs11:${path.join(';')}?${query.join('&')}`;
}

function readAttributes<Name extends string>(
  text: string,
  separator: string,
  known: readonly Name[],
  allowed: RegExp,
): Partial<Record<Name, string>> {
  const found: Partial<Record<Name, string>> = {};
  if (text === '') return found;
  for (const part of text.split(separator)) {
    const equals = part.indexOf('=');
    if (equals < 1) throw wrong(`"${part}" is not NAME=VALUE`);
    const name = part.slice(0, equals) as Name;
    const value = part.slice(equals + 1);
    if (!known.includes(name)) throw notTaken(name, known);
    if (found[name] !== undefined) throw wrong(`${name} is given twice`);
    if (value === '') throw wrong(`${name} has no value; leave it out instead`);
    if (!allowed.test(value)) throw wrong(`${name} has a character that must be escaped, such as %20 for a blank`);
    found[name] = value;
  }
  return found;
}

function notTaken(name: string, known: readonly string[]): CallsealError {
  const remedy = Object.hasOwn(NOT_TAKEN, name) ? NOT_TAKEN[name] : `known here are ${known.join(', ')}`;
  return wrong(`the attribute ${name} is not supported: ${remedy}`);
}

function modulePath(value: string | undefined, environment: NodeJS.ProcessEnv): string {
  const path = value === undefined ? environment[MODULE_VARIABLE] : decodeText('module-path', value);
  if (path === undefined || path === '') {
    throw wrong(`it names no PKCS#11 module: add ?module-path=/… to it, or set ${MODULE_VARIABLE}`);
  }
  if (!path.startsWith('/') || path.includes('\0')) throw wrong(`the module ${path} is not an absolute path`);
  return path;
}

/** RFC 7512 section 2.4: a file URI. An authority (`//host`) other than an empty one is refused. */
function pinFile(value: string): string {
  const text = decodeText('pin-source', value);
  if (text.startsWith('|'))
    throw wrong('pin-source names a program, which is not run; name a file: pin-source=file:/…');
  const path = /^(?:file:(?:\/\/(?=\/))?)?(\/(?!\/).*)$/s.exec(text)?.[1];
  if (path === undefined) throw wrong('pin-source names no absolute path of a file: pin-source=file:/…');
  return path;
}

function boundedText(name: string, value: string | undefined, limit: number): string | null {
  if (value === undefined) return null;
  const text = decodeText(name, value);
  if (Buffer.byteLength(text) > limit) throw wrong(`${name} is longer than the ${limit} bytes that a token has for it`);
  return text;
}

function decodeText(name: string, value: string): string {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(decodeBytes(value));
  } catch {
    throw wrong(`${name} is not UTF-8`);
  }
  if (text.includes('\0')) throw wrong(`${name} contains a zero byte`);
  return text;
}

function decodeBytes(value: string): Buffer {
  const bytes: number[] = [];
  for (let i = 0; i < value.length; i++) {
    const escaped = value[i] === '%';
    bytes.push(escaped ? Number.parseInt(value.slice(i + 1, i + 3), 16) : value.charCodeAt(i));
    if (escaped) i += 2;
  }
  return Buffer.from(bytes);
}

function encode(bytes: Uint8Array, alsoPlain = ''): string {
  let text = '';
  for (const byte of bytes) {
    const c = String.fromCharCode(byte);
    text += /[A-Za-z0-9\-._~]/.test(c) || alsoPlain.includes(c) ? c : percent(byte);
  }
  return text;
}

function escapeAll(bytes: Uint8Array): string {
  return Array.from(bytes, percent).join('');
}

function percent(byte: number): string {
  return `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
}

function wrong(why: string): CallsealError {
  return new CallsealError('ERR_INVALID_ARGUMENT', `the PKCS#11 URI is wrong: ${why}`);
}
