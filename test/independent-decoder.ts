/**
 * A decoder of call files written from docs/format.md alone, with node:crypto and nothing of lib/: what it decodes can
 * be decoded by anybody in ten years. Section numbers are those of that page. It holds the whole file in memory.
 */

import {
  constants,
  createDecipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  privateDecrypt,
  timingSafeEqual,
} from 'node:crypto';

export interface DecodedRecipient {
  keyId: string;
  wrappedKey: Buffer;
  certificate: {
    sha256: string;
    notBefore: bigint;
    notAfter: bigint;
    serial: string;
    subject: string;
    issuer: string;
  } | null;
}

export interface DecodedFile {
  fileId: string;
  createdAt: bigint;
  recipients: DecodedRecipient[];
  segmentLength: number;
  segments: number;
  plaintext: Buffer;
}

function require(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(`not a valid call file: ${what}`);
}

/** Section 4: finds the entry of the private key, opens the file with it, and checks everything there is to check. */
export function decodeCallFile(file: Buffer, privateKey: string | KeyObject): DecodedFile {
  const { body, ...header } = openCallFile(file, privateKey);
  const { segments, plaintext, end } = recoverBody(body);
  require(end === 'complete', `a body that is whole, and not ${end}`);
  return { ...header, segmentLength: body.segmentLength, segments, plaintext };
}

/** Section 6: what may be released of a file that is incomplete or damaged behind its header. */
export function recoverCallFile(file: Buffer, privateKey: string | KeyObject): RecoveredBody {
  return recoverBody(openCallFile(file, privateKey).body);
}

interface Body {
  /** From the first segment on. */
  segments: Buffer;
  segmentLength: number;
  dataKey: (index: bigint) => Buffer;
}

export interface RecoveredBody {
  plaintext: Buffer;
  /** How many segments it is from. */
  segments: number;
  end: 'complete' | 'truncated' | 'damaged' | 'trailing';
}

function openCallFile(
  file: Buffer,
  privateKey: string | KeyObject,
): Pick<DecodedFile, 'fileId' | 'createdAt' | 'recipients'> & { body: Body } {
  const { fileId, createdAt } = decodePrelude(file);
  const prelude = file.subarray(0, 48);
  const { recipients, end } = decodeRecipients(file);

  const key = typeof privateKey === 'string' ? createPrivateKey(privateKey) : privateKey;
  const spki = createPublicKey(key).export({ type: 'spki', format: 'der' });
  const keyId = createHash('sha256').update(spki).digest('hex');
  const entry = recipients.find((recipient) => recipient.keyId === keyId);
  require(entry !== undefined, 'no entry for this key');
  const oaep = { key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' };
  const contentKey = privateDecrypt(oaep, entry.wrappedKey);
  require(contentKey.length === 32, 'the content key has 32 bytes');

  const mac = createHmac('sha256', derive(contentKey, 'callseal v1 recipients', prelude)).update(file.subarray(0, end));
  require(timingSafeEqual(mac.digest(), file.subarray(end, end + 32)), 'recipients MAC');
  const body = openBody(file.subarray(end + 32), derive(contentKey, 'callseal v1 body', prelude), prelude);
  return { fileId, createdAt, recipients, body };
}

/** Section 1. */
function decodePrelude(file: Buffer): { fileId: string; createdAt: bigint } {
  require(file.length >= 48, 'a prelude');
  require(file.subarray(0, 8).toString('latin1') === 'CALLSEAL', 'magic');
  require(file.readUInt16BE(8) === 1, 'version');
  require(file.readUInt16BE(10) === 1, 'suite');
  require(file.readUInt32BE(12) === 0, 'flags');
  const createdAt = file.readBigUInt64BE(32);
  require(createdAt <= 253402300799999n, 'creation time');
  require(file.readBigUInt64BE(40) === 0n, 'reserved');
  return { fileId: file.subarray(16, 32).toString('hex'), createdAt };
}

/** Section 2. */
function decodeRecipients(file: Buffer): { recipients: DecodedRecipient[]; end: number } {
  const length = file.readUInt32BE(48);
  require(length <= 4194304, 'length of the recipients');
  const count = file.readUInt16BE(52);
  require(count >= 1 && count <= 4096, 'number of recipients');
  require(file.readUInt16BE(54) === 0, 'reserved');
  const end = 56 + length;
  let at = 56;
  const next = (bytes: number): Buffer => {
    require(at + bytes <= end && end <= file.length, 'entries within their length');
    at += bytes;
    return file.subarray(at - bytes, at);
  };
  const text = (): string => {
    const bytes = next(next(2).readUInt16BE());
    require(bytes.length <= 8192, 'length of a name');
    const name = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    for (const character of name) {
      const point = character.codePointAt(0) as number;
      require(point >= 0x20 && !(point >= 0x7f && point <= 0x9f), 'no control characters');
    }
    return name;
  };
  const serialNumber = (): string => {
    const serial = next(next(1).readUInt8());
    require(serial.length >= 1 && (serial[0] !== 0 || serial.length === 1), 'serial');
    return serial.toString('hex');
  };
  const recipients: DecodedRecipient[] = [];
  for (let index = 0; index < count; index++) {
    require(next(2).readUInt16BE() === 1, 'key wrap');
    const keyId = next(32).toString('hex');
    require(!recipients.some((earlier) => earlier.keyId === keyId), 'every key id once');
    const wrappedLength = next(2).readUInt16BE();
    require(wrappedLength >= 256 && wrappedLength <= 1024, 'length of the wrapped key');
    const wrappedKey = next(wrappedLength);
    const kind = next(1).readUInt8();
    require(kind <= 1, 'kind');
    if (kind === 0) {
      recipients.push({ keyId, wrappedKey, certificate: null });
      continue;
    }
    const sha256 = next(32).toString('hex');
    const notBefore = next(8).readBigInt64BE();
    const notAfter = next(8).readBigInt64BE();
    for (const time of [notBefore, notAfter]) {
      require(time >= -62_167_219_200n && time <= 253_402_300_799n, 'certificate time');
    }
    const certificate = { sha256, notBefore, notAfter, serial: serialNumber(), subject: text(), issuer: text() };
    recipients.push({ keyId, wrappedKey, certificate });
  }
  require(at === end, 'entries fill their length');
  return { recipients, end };
}

/** Section 4. */
export function derive(contentKey: Buffer, label: string, prelude: Buffer): Buffer {
  const hmac = createHmac('sha256', contentKey);
  hmac
    .update(Buffer.from([0, 0, 0, 1]))
    .update(label, 'ascii')
    .update(Buffer.from([0]))
    .update(prelude);
  return hmac.update(Buffer.from([0, 0, 1, 0])).digest();
}

/** Section 5, up to the first segment. */
function openBody(body: Buffer, bodyKey: Buffer, aad: Buffer): Body {
  require(body.length >= 74, 'a FLOE header');
  require(body.readUInt8(0) === 0 && body.readUInt8(1) === 0, 'AEAD and KDF');
  const segmentLength = body.readUInt32BE(2);
  require(segmentLength >= 1024 && segmentLength <= 16777216, 'segment length');
  require(body.readUInt32BE(6) === 32, 'IV length');
  const context = body.subarray(0, 42);
  const kdf = (key: Buffer, purpose: Buffer, length: number): Buffer =>
    hkdfExpand(key, Buffer.concat([context, purpose, aad]), length);

  require(timingSafeEqual(kdf(bodyKey, Buffer.from('HEADER_TAG:'), 32), body.subarray(42, 74)), 'header tag');
  const messageKey = kdf(bodyKey, Buffer.from('MESSAGE_KEY:'), 48);
  const dataKey = (index: bigint): Buffer =>
    kdf(messageKey, Buffer.concat([Buffer.from('DEK:'), u64(index - (index % 1048576n))]), 32);
  return { segments: body.subarray(74), segmentLength, dataKey };
}

/** Section 5, the segments: as far as they are there and authentic. */
function recoverBody({ segments: bytes, segmentLength, dataKey }: Body): RecoveredBody {
  const parts: Buffer[] = [];
  const ending = (end: RecoveredBody['end']): RecoveredBody => {
    return { plaintext: Buffer.concat(parts), segments: parts.length, end };
  };
  for (let at = 0; ; ) {
    if (at + 4 > bytes.length) return ending('truncated');
    const mark = bytes.readUInt32BE(at);
    const last = mark !== 0xffffffff;
    const length = last ? mark : segmentLength;
    if (length < 32 || length > segmentLength) return ending('damaged');
    if (at + length > bytes.length) return ending('truncated');
    const index = BigInt(parts.length);
    try {
      parts.push(decryptSegment(bytes.subarray(at, at + length), dataKey(index), index, last));
    } catch {
      return ending('damaged');
    }
    at += length;
    if (last) return ending(at === bytes.length ? 'complete' : 'trailing');
  }
}

function decryptSegment(segment: Buffer, dataKey: Buffer, index: bigint, last: boolean): Buffer {
  const gcm = createDecipheriv('aes-256-gcm', dataKey, segment.subarray(4, 16), { authTagLength: 16 });
  gcm.setAAD(Buffer.concat([u64(index), Buffer.from([last ? 1 : 0])]));
  gcm.setAuthTag(segment.subarray(-16));
  return Buffer.concat([gcm.update(segment.subarray(16, -16)), gcm.final()]);
}

export function u64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(value);
  return bytes;
}

/** RFC 5869 section 2.3, with SHA-384. */
export function hkdfExpand(key: Buffer, info: Buffer, length: number): Buffer {
  let block = Buffer.alloc(0);
  let output = Buffer.alloc(0);
  for (let counter = 1; output.length < length; counter++) {
    block = createHmac('sha384', key)
      .update(block)
      .update(info)
      .update(Buffer.from([counter]))
      .digest();
    output = Buffer.concat([output, block]);
  }
  return output.subarray(0, length);
}
