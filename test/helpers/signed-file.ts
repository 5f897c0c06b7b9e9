/** Signed files taken apart and put together by docs/format.md alone: what a forger would do. */

import {
  constants,
  createCipheriv,
  createHash,
  createHmac,
  createPublicKey,
  type KeyObject,
  privateDecrypt,
  sign as signWith,
} from 'node:crypto';

import { derive, hkdfExpand } from '../independent-decoder.ts';

/** Where the parts of a signed file begin, from the page alone. */
export interface Parts {
  prelude: Buffer;
  /** Prelude, recipients and MAC. */
  before: Buffer;
  opening: Buffer;
  /** The opening block up to its signature. */
  fields: Buffer;
  floeHeader: Buffer;
  segments: Buffer[];
  closing: Buffer;
}

export function partsOf(file: Buffer): Parts {
  const opening = 56 + file.readUInt32BE(48) + 32;
  const body = opening + file.readUInt32BE(opening + 2);
  let fields = opening + 6 + 32;
  fields += 2 + file.readUInt16BE(fields);
  const certified = file[fields++] === 1;
  if (certified) {
    fields += 32 + 8 + 8;
    fields += 1 + file.readUInt8(fields);
    fields += 2 + file.readUInt16BE(fields);
    fields += 2 + file.readUInt16BE(fields);
  }
  const closing = file.length - 4 - (body - fields);
  const segmentLength = file.readUInt32BE(body + 2);
  const segments: Buffer[] = [];
  for (let at = body + 74; at < closing; at += segmentLength)
    segments.push(file.subarray(at, Math.min(at + segmentLength, closing)));
  return {
    prelude: file.subarray(0, 48),
    before: file.subarray(0, opening),
    opening: file.subarray(opening, body),
    fields: file.subarray(opening, fields),
    floeHeader: file.subarray(body, body + 74),
    segments,
    closing: file.subarray(closing),
  };
}

export const joined = ({ before, opening, floeHeader, segments, closing }: Parts): Buffer =>
  Buffer.concat([before, opening, floeHeader, ...segments, closing]);

const sha256 = (...parts: Buffer[]): Buffer => createHash('sha256').update(Buffer.concat(parts)).digest();

/** What the statement of the page says, signed by any key: a forger's tool. */
function signStatement(key: KeyObject, statement: Buffer): Buffer {
  if (key.asymmetricKeyType === 'ec') return signWith('sha256', statement, { key, dsaEncoding: 'ieee-p1363' });
  return signWith('sha256', statement, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 });
}

/** The file with both blocks made anew by a P-256 key, over what is in it. */
export function resigned(file: Parts, key: KeyObject, fields = fieldsOf(key)): Buffer {
  const opening = Buffer.concat([
    fields,
    signStatement(key, Buffer.concat([Buffer.from('callseal v1 opening\0'), file.prelude, fields, file.floeHeader])),
  ]);
  const count = Buffer.alloc(8);
  count.writeBigUInt64BE(BigInt(file.segments.length));
  const start = sha256(file.prelude, opening, file.floeHeader);
  const body = sha256(...file.segments.map((segment) => sha256(segment)));
  const statement = Buffer.concat([Buffer.from('callseal v1 closing\0'), start, count, body]);
  const closing = Buffer.concat([Buffer.from('SIGN'), signStatement(key, statement)]);
  return joined({ ...file, opening, closing });
}

/** Of a bare P-256 key. */
export function fieldsOf(key: KeyObject): Buffer {
  const spki = createPublicKey(key).export({ type: 'spki', format: 'der' });
  const head = Buffer.alloc(6);
  head.writeUInt16BE(1, 0);
  head.writeUInt32BE(6 + 32 + 2 + spki.length + 1 + 64, 2);
  return Buffer.concat([head, sha256(spki), Buffer.from([0, spki.length]), spki, Buffer.from([0])]);
}

/** What one who can open a file can do to it. */
export class Insider {
  readonly #contentKey: Buffer;
  readonly #parts: Parts;
  readonly #dataKey: Buffer;

  /** @param privatePem Of the first recipient. */
  constructor(parts: Parts, privatePem: string) {
    const wrapped = parts.before.subarray(56 + 36, 56 + 36 + parts.before.readUInt16BE(56 + 34));
    const oaep = { key: privatePem, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' };
    this.#contentKey = privateDecrypt(oaep, wrapped);
    this.#parts = parts;
    const { prelude, floeHeader, fields } = parts;
    const bodyKey = derive(this.#contentKey, 'callseal v1 body', Buffer.concat([prelude, sha256(fields)]));
    const kdf = (key: Buffer, purpose: string, length: number): Buffer =>
      hkdfExpand(key, Buffer.concat([floeHeader.subarray(0, 42), Buffer.from(purpose, 'latin1'), prelude]), length);
    this.#dataKey = kdf(kdf(bodyKey, 'MESSAGE_KEY:', 48), `DEK:${'\0'.repeat(8)}`, 32);
  }

  /** A segment of other content, as authentic as any. */
  segment(index: number, last: boolean, plaintext: Buffer): Buffer {
    const mark = Buffer.alloc(4);
    mark.writeUInt32BE(last ? plaintext.length + 32 : 0xffffffff);
    const iv = sha256(plaintext).subarray(0, 12);
    const gcm = createCipheriv('aes-256-gcm', this.#dataKey, iv);
    const aad = Buffer.alloc(9);
    aad.writeBigUInt64BE(BigInt(index));
    aad[8] = last ? 1 : 0;
    gcm.setAAD(aad);
    const ciphertext = Buffer.concat([gcm.update(plaintext), gcm.final()]);
    return Buffer.concat([mark, iv, ciphertext, gcm.getAuthTag()]);
  }

  /** Prelude, recipients and MAC with the first recipient alone. */
  withoutOthers(): Buffer {
    const { before, prelude } = this.#parts;
    const recipients = Buffer.from(before.subarray(48, 48 + 8 + entryLength(before)));
    recipients.writeUInt32BE(recipients.length - 8, 0);
    recipients.writeUInt16BE(1, 4);
    const macKey = derive(this.#contentKey, 'callseal v1 recipients', prelude);
    const mac = createHmac('sha256', macKey).update(prelude).update(recipients).digest();
    return Buffer.concat([prelude, recipients, mac]);
  }
}

/** Of the first recipient, who has a certificate. */
function entryLength(before: Buffer): number {
  let at = 56 + 34;
  at += 2 + before.readUInt16BE(at) + 1 + 32 + 8 + 8;
  at += 1 + before.readUInt8(at);
  at += 2 + before.readUInt16BE(at);
  at += 2 + before.readUInt16BE(at);
  return at - 56;
}
