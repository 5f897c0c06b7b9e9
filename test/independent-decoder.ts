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
  verify,
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

export interface DecodedSigner {
  algorithm: number;
  keyId: string;
  certificate: DecodedRecipient['certificate'];
}

export interface DecodedFile {
  fileId: string;
  createdAt: bigint;
  recipients: DecodedRecipient[];
  /** Whose signatures were verified; null for a file without. */
  signer: DecodedSigner | null;
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
  /** What follows the last segment of a signed file, and its check, which throws. */
  closing: { length: number; check: (block: Buffer, segmentDigests: Buffer[]) => void } | null;
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
): Pick<DecodedFile, 'fileId' | 'createdAt' | 'recipients' | 'signer'> & { body: Body } {
  const { fileId, createdAt, signed } = decodePrelude(file);
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
  const rest = file.subarray(end + 32);
  const common = { fileId, createdAt, recipients };
  if (signed) return { ...common, ...openSigned(rest, contentKey, prelude) };
  const body = openBody(rest, derive(contentKey, 'callseal v1 body', prelude), prelude);
  return { ...common, signer: null, body };
}

/** Section 9: everything after the recipients MAC of a signed file. */
function openSigned(rest: Buffer, contentKey: Buffer, prelude: Buffer): { signer: DecodedSigner; body: Body } {
  const opening = decodeOpening(rest);
  const encrypted = rest.subarray(opening.block.length);
  const floeHeader = encrypted.subarray(0, 74);
  const opened = Buffer.concat([Buffer.from('callseal v1 opening\0'), prelude, opening.fields, floeHeader]);
  require(isSigned(opening, opened, opening.signature), 'opening signature');

  const context = Buffer.concat([prelude, sha256(opening.fields)]);
  const body = openBody(encrypted, derive(contentKey, 'callseal v1 body', context), prelude);
  const start = sha256(Buffer.concat([prelude, opening.block, floeHeader]));
  const checkClosing = (block: Buffer, digests: Buffer[]): void => {
    require(block.subarray(0, 4).toString('latin1') === 'SIGN', 'closing mark');
    const ended = [Buffer.from('callseal v1 closing\0'), start, u64(BigInt(digests.length))];
    const closed = Buffer.concat([...ended, sha256(Buffer.concat(digests))]);
    require(isSigned(opening, closed, block.subarray(4)), 'closing signature');
  };
  const { algorithm, keyId, certificate } = opening;
  const closing = { length: 4 + opening.signature.length, check: checkClosing };
  return { signer: { algorithm, keyId, certificate }, body: { ...body, closing } };
}

interface Opening extends DecodedSigner {
  publicKey: KeyObject;
  block: Buffer;
  /** The block up to its signature. */
  fields: Buffer;
  signature: Buffer;
}

/** Section 9, opening block. */
function decodeOpening(rest: Buffer): Opening {
  require(rest.length >= 6, 'an opening block');
  const algorithm = rest.readUInt16BE(0);
  const length = rest.readUInt32BE(2);
  require(length <= 20480 && length <= rest.length, 'length of the opening block');
  const block = rest.subarray(0, length);
  const fields = new Fields(block, 6, length);
  const keyId = fields.next(32).toString('hex');
  const spki = fields.next(fields.next(2).readUInt16BE());
  require(sha256(spki).toString('hex') === keyId, 'key id of the signer');
  const publicKey = createPublicKey({ key: spki, format: 'der', type: 'spki' });
  require(publicKey.export({ type: 'spki', format: 'der' }).equals(spki), 'the one DER of a public key');
  const kind = fields.next(1).readUInt8();
  require(kind <= 1, 'kind');
  const certificate = kind === 0 ? null : decodeCertificate(fields);
  const signature = block.subarray(fields.at);
  require(signature.length === signatureLength(algorithm, publicKey), 'length of the signature');
  return { algorithm, keyId, certificate, publicKey, block, fields: block.subarray(0, fields.at), signature };
}

function signatureLength(algorithm: number, { asymmetricKeyType: type, asymmetricKeyDetails: of }: KeyObject): number {
  if (algorithm === 1 && type === 'ec' && of?.namedCurve === 'prime256v1') return 64;
  if (algorithm === 2 && type === 'ec' && of?.namedCurve === 'secp384r1') return 96;
  const bits = algorithm === 3 && type === 'rsa' ? (of?.modulusLength ?? 0) : 0;
  require(bits >= 2048 && bits <= 8192, 'a key for the algorithm');
  return Math.ceil(bits / 8);
}

function isSigned({ algorithm, publicKey: key }: Opening, statement: Buffer, signature: Buffer): boolean {
  if (algorithm !== 3) {
    return verify(algorithm === 1 ? 'sha256' : 'sha384', statement, { key, dsaEncoding: 'ieee-p1363' }, signature);
  }
  return verify('sha256', statement, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }, signature);
}

function sha256(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}

/** Section 1. */
function decodePrelude(file: Buffer): { fileId: string; createdAt: bigint; signed: boolean } {
  require(file.length >= 48, 'a prelude');
  require(file.subarray(0, 8).toString('latin1') === 'CALLSEAL', 'magic');
  require(file.readUInt16BE(8) === 1, 'version');
  require(file.readUInt16BE(10) === 1, 'suite');
  require(file.readUInt32BE(12) <= 1, 'flags');
  const createdAt = file.readBigUInt64BE(32);
  require(createdAt <= 253402300799999n, 'creation time');
  require(file.readBigUInt64BE(40) === 0n, 'reserved');
  return { fileId: file.subarray(16, 32).toString('hex'), createdAt, signed: file.readUInt32BE(12) === 1 };
}

/** Fields one after the other, up to `end`. */
class Fields {
  readonly #bytes: Buffer;
  readonly #end: number;
  at: number;

  constructor(bytes: Buffer, at: number, end: number) {
    this.#bytes = bytes;
    this.#end = Math.min(end, bytes.length);
    this.at = at;
  }

  next(length: number): Buffer {
    require(this.at + length <= this.#end, 'fields within their length');
    this.at += length;
    return this.#bytes.subarray(this.at - length, this.at);
  }
}

/** Section 2, what follows kind 1. */
function decodeCertificate(fields: Fields): NonNullable<DecodedRecipient['certificate']> {
  const sha256 = fields.next(32).toString('hex');
  const notBefore = fields.next(8).readBigInt64BE();
  const notAfter = fields.next(8).readBigInt64BE();
  for (const time of [notBefore, notAfter]) {
    require(time >= -62_167_219_200n && time <= 253_402_300_799n, 'certificate time');
  }
  const serial = fields.next(fields.next(1).readUInt8());
  require(serial.length >= 1 && (serial[0] !== 0 || serial.length === 1), 'serial');
  const [subject, issuer] = [decodeName(fields), decodeName(fields)];
  return { sha256, notBefore, notAfter, serial: serial.toString('hex'), subject, issuer };
}

function decodeName(fields: Fields): string {
  const bytes = fields.next(fields.next(2).readUInt16BE());
  require(bytes.length <= 8192, 'length of a name');
  const name = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  for (const character of name) {
    const point = character.codePointAt(0) as number;
    require(point >= 0x20 && !(point >= 0x7f && point <= 0x9f), 'no control characters');
  }
  return name;
}

/** Section 2. */
function decodeRecipients(file: Buffer): { recipients: DecodedRecipient[]; end: number } {
  const length = file.readUInt32BE(48);
  require(length <= 4194304, 'length of the recipients');
  const count = file.readUInt16BE(52);
  require(count >= 1 && count <= 4096, 'number of recipients');
  require(file.readUInt16BE(54) === 0, 'reserved');
  const end = 56 + length;
  const fields = new Fields(file, 56, end);
  const recipients: DecodedRecipient[] = [];
  for (let index = 0; index < count; index++) {
    require(fields.next(2).readUInt16BE() === 1, 'key wrap');
    const keyId = fields.next(32).toString('hex');
    require(!recipients.some((earlier) => earlier.keyId === keyId), 'every key id once');
    const wrappedLength = fields.next(2).readUInt16BE();
    require(wrappedLength >= 256 && wrappedLength <= 1024, 'length of the wrapped key');
    const wrappedKey = fields.next(wrappedLength);
    const kind = fields.next(1).readUInt8();
    require(kind <= 1, 'kind');
    recipients.push({ keyId, wrappedKey, certificate: kind === 0 ? null : decodeCertificate(fields) });
  }
  require(fields.at === end, 'entries fill their length');
  return { recipients, end };
}

/** Section 4. */
export function derive(contentKey: Buffer, label: string, context: Buffer): Buffer {
  const hmac = createHmac('sha256', contentKey);
  hmac
    .update(Buffer.from([0, 0, 0, 1]))
    .update(label, 'ascii')
    .update(Buffer.from([0]))
    .update(context);
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
  return { segments: body.subarray(74), segmentLength, dataKey, closing: null };
}

/** Section 5, the segments: as far as they are there and authentic. */
function recoverBody({ segments: bytes, segmentLength, dataKey, closing }: Body): RecoveredBody {
  const parts: Buffer[] = [];
  const digests: Buffer[] = [];
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
    digests.push(sha256(bytes.subarray(at, at + length)));
    at += length;
    if (!last) continue;
    const end = at + (closing?.length ?? 0);
    if (end > bytes.length) return ending('truncated');
    closing?.check(bytes.subarray(at, end), digests);
    return ending(end === bytes.length ? 'complete' : 'trailing');
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
