/**
 * The secrets of a whole round, worked out by who may know them all: with Node's own OpenSSL and the independent decoders, from the
 * files and the installation key in clear.
 */

import { constants, createHash, createPrivateKey, type KeyObject, privateDecrypt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { decodeCallFile, derive, hkdfExpand } from '../independent-decoder.ts';
import { openMaster, openWorking } from '../independent-key-decoder.ts';
import type { Needle } from './byte-search.ts';
import { withOddParity } from './hierarchy-crypto.ts';
import { opening } from './stores.ts';
import { PASSPHRASE, type RoundFiles } from './whole-round.ts';

export interface Secret {
  readonly name: string;
  readonly bytes: Buffer;
  /** A large number, which OpenSSL keeps with its lowest byte first. */
  readonly isNumber?: boolean;
}

export async function secretsOf(files: RoundFiles): Promise<Secret[]> {
  const mary = createPrivateKey(readFileSync(files.clearKey));
  const installation = createPrivateKey(readFileSync(files.clearInstallation));
  return [
    ...numbersOf('recipient', mary),
    ...numbersOf('installation', installation),
    ...numbersOf('signer', createPrivateKey(readFileSync(files.signer))),
    ...numbersOf(
      'made RSA',
      createPrivateKey({ key: readFileSync(join(files.directory, 'rsa.key')), passphrase: PASSPHRASE }),
    ),
    ...numbersOf(
      'made EC',
      createPrivateKey({ key: readFileSync(join(files.directory, 'ec.key')), passphrase: PASSPHRASE }),
    ),
    ...callFileSecrets(readFileSync(join(files.directory, 'sealed')), mary),
    { name: 'content key of the message', bytes: messageKey(readFileSync(join(files.directory, 'message.cms')), mary) },
    ...(await hierarchySecrets(files.store, installation)),
    { name: 'passphrase', bytes: Buffer.from(PASSPHRASE) },
  ];
}

function numbersOf(name: string, key: KeyObject): Secret[] {
  const jwk = key.export({ format: 'jwk' }) as Record<string, string>;
  const numbers = ['d', 'p', 'q', 'dp', 'dq', 'qi'].filter((number) => jwk[number] !== undefined);
  return numbers.map((number) => {
    return { name: `${number} of the ${name} key`, bytes: Buffer.from(jwk[number]!, 'base64url'), isNumber: true };
  });
}

const oaep = (key: KeyObject, wrapped: Uint8Array): Buffer =>
  privateDecrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' }, wrapped);

/** docs/format.md, sections 4 and 5. */
function callFileSecrets(file: Buffer, key: KeyObject): Secret[] {
  const { recipients } = decodeCallFile(file, key);
  const content = oaep(key, recipients[0]!.wrappedKey);
  const prelude = file.subarray(0, 48);
  const body = derive(content, 'callseal v1 body', prelude);
  const start = 56 + file.readUInt32BE(48) + 32;
  const floe = file.subarray(start, start + 42);
  const message = hkdfExpand(body, Buffer.concat([floe, Buffer.from('MESSAGE_KEY:'), prelude]), 48);
  const data = hkdfExpand(message, Buffer.concat([floe, Buffer.from('DEK:'), Buffer.alloc(8), prelude]), 32);
  return [
    { name: 'content key of a file', bytes: content },
    { name: 'recipients MAC key of a file', bytes: derive(content, 'callseal v1 recipients', prelude) },
    { name: 'body key of a file', bytes: body },
    { name: 'message key of a file', bytes: message },
    { name: 'data key of a file', bytes: data },
  ];
}

/** The one OCTET STRING of 256 bytes that opens. */
function messageKey(message: Buffer, key: KeyObject): Buffer {
  const at = message.indexOf('04820100', 'hex') + 4;
  return oaep(key, message.subarray(at, at + 256));
}

async function hierarchySecrets(url: string, installation: KeyObject): Promise<Secret[]> {
  const connection = await opening(url);
  const store = (await connection.readStore())!;
  const [masters, working] = [await connection.readMasters(), await connection.readWorking()];
  const opened = masters.map((row) => ({ row, keys: openMaster(store, row, installation) }));
  const secrets: Secret[] = [];
  for (const [index, { keys }] of opened.entries()) {
    for (const [name, bytes] of Object.entries({
      ...keys,
      wrap: keys.wrap.length === 24 ? withOddParity(keys.wrap) : keys.wrap,
    })) {
      secrets.push({ name: `${name} key of master key ${index}`, bytes: Buffer.from(bytes) });
    }
  }
  for (const [index, row] of working.entries()) {
    const master = opened.find((each) => Buffer.from(each.row.id).equals(row.masterId))!;
    secrets.push({ name: `working key ${index}`, bytes: openWorking(store, row, master.keys) });
  }
  return secrets;
}

/** Bytes of a piece of a secret: few enough to find what is left of one, too many to be there by chance. */
const PIECE = 8;

/** What a secret leaves in memory, in any of its forms: pieces, as the rest may be overwritten. */
export function memoryNeedles(secrets: readonly Secret[]): Needle[] {
  return secrets.flatMap(({ name, bytes, isNumber }) => {
    const needles = pieces(name, bytes);
    if (isNumber) needles.push(...pieces(`${name}, lowest byte first`, Buffer.from(bytes).reverse()));
    else if (name === 'passphrase') needles.push(...wideForms(name, bytes.toString()));
    // HMAC begins with a block of its key and one of these (FIPS 198-1); AES has the key at the start of its schedule.
    else
      for (const pad of [0x36, 0x5c])
        needles.push(...pieces(`${name}, in HMAC`, Buffer.from(bytes.map((byte) => byte ^ pad))));
    return needles;
  });
}

function wideForms(name: string, text: string): Needle[] {
  const wide = Buffer.from(text, 'utf16le');
  return [
    ...pieces(`${name}, UTF-16LE`, wide),
    ...pieces(`${name}, UTF-16BE`, Buffer.from(wide).swap16()),
    ...pieces(`${name}, Latin-1`, Buffer.from(text, 'latin1')),
  ];
}

function pieces(name: string, bytes: Buffer): Needle[] {
  const found: Needle[] = [];
  for (let at = 0; at + PIECE <= bytes.length; at += PIECE) found.push({ name, bytes: bytes.subarray(at, at + PIECE) });
  if (bytes.length % PIECE !== 0) found.push({ name, bytes: bytes.subarray(-PIECE) });
  return found;
}

export function fingerprint(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 8);
}
