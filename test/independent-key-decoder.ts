/**
 * A second reader of the key hierarchy, written from `docs/keys.md` alone: rows of the store and the
 * installation's private key in, verdicts and plaintexts out. It uses Node's own `node:crypto` and no code of Callseal.
 */

import {
  constants,
  createDecipheriv,
  createHash,
  createHmac,
  createPublicKey,
  type KeyObject,
  privateDecrypt,
  timingSafeEqual,
  verify,
} from 'node:crypto';

type Field = string | number | Uint8Array;

export interface Master {
  id: Uint8Array;
  suite: number;
  state: string;
  sequence: number;
  createdAt: number;
  changedAt: number;
  wrapped: Uint8Array;
  signature: Uint8Array;
}

export interface Working {
  id: Uint8Array;
  area: string;
  version: number;
  masterId: Uint8Array;
  suite: number;
  state: string;
  sequence: number;
  createdAt: number;
  reserved: number;
  wrapped: Uint8Array;
  mac: Uint8Array;
}

export interface Store {
  storeId: Uint8Array;
  installationId: Uint8Array;
  createdAt: number;
  sequence: number;
  currentMasterId: Uint8Array;
  auditSequence: number;
  auditHash: Uint8Array;
  signature: Uint8Array;
}

export interface AuditEntry {
  sequence: number;
  at: number;
  actor: string;
  host: string;
  event: string;
  details: string;
  hash: Uint8Array;
}

export interface Entity {
  tenant?: string | undefined;
  type: string;
  id: string;
  field?: string | undefined;
}

function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}

function lp(bytes: Uint8Array): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

function fields(label: string, ...values: Field[]): Buffer {
  const encode = (value: Field): Uint8Array =>
    typeof value === 'string' ? Buffer.from(value, 'utf8') : typeof value === 'number' ? u64(value) : value;
  return Buffer.concat([label, ...values].map((value) => lp(encode(value))));
}

/** SP 800-108 counter mode, HMAC-SHA-256, one block is enough. */
function kbkdf(key: Uint8Array, label: string, context: Uint8Array, length: number): Buffer {
  const counter = Buffer.from([0, 0, 0, 1]);
  const bits = Buffer.alloc(4);
  bits.writeUInt32BE(length * 8);
  const mac = createHmac('sha256', key).update(counter).update(label).update(Buffer.alloc(1)).update(context);
  return mac.update(bits).digest().subarray(0, length);
}

const hashOf = (suite: number): 'sha1' | 'sha256' => ((suite & 4) === 0 ? 'sha256' : 'sha1');
const suiteByte = (suite: number): Uint8Array => Uint8Array.of(suite);

function masterRecord(store: Store, row: Master): Buffer {
  return fields(
    'callseal master v1',
    store.storeId,
    row.id,
    suiteByte(row.suite),
    row.state,
    row.sequence,
    row.createdAt,
    row.changedAt,
    store.installationId,
    row.wrapped,
  );
}

const PSS = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 };

/** Whether all rows are those that the installation key signed. */
export function verifyManifest(
  store: Store,
  masters: readonly Master[],
  working: readonly Working[],
  installation: KeyObject,
): boolean {
  const key = createPublicKey(installation);
  const spki = createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest();
  if (!spki.equals(Buffer.from(store.installationId))) return false;
  const sorted = [...masters].sort((a, b) => Buffer.compare(a.id, b.id));
  const parts: Field[] = [];
  for (const row of sorted) {
    const record = masterRecord(store, row);
    const pss = verify('sha256', record, { key, ...PSS }, row.signature);
    const pkcs1 = { key, padding: constants.RSA_PKCS1_PADDING };
    const signed = pss || (hashOf(row.suite) === 'sha1' && verify('sha1', record, pkcs1, row.signature));
    if (!signed) return false;
    parts.push(row.id, createHash('sha256').update(lp(record)).update(lp(row.signature)).digest());
  }
  const manifest = fields(
    'callseal manifest v1',
    store.storeId,
    store.createdAt,
    store.sequence,
    store.installationId,
    store.currentMasterId,
    store.auditSequence,
    store.auditHash,
    workingDigest(store, working),
    ...parts,
  );
  return verify('sha256', manifest, { key, ...PSS }, store.signature);
}

function workingDigest(store: Store, working: readonly Working[]): Buffer {
  const digest = createHash('sha256');
  const order = (a: Working, b: Working) =>
    Buffer.compare(Buffer.from(a.area), Buffer.from(b.area)) || a.version - b.version;
  for (const row of [...working].sort(order)) {
    if (row.state === 'active')
      digest.update(lp(workingRow(store, { ...row, sequence: 0, reserved: 0 }))).update(lp(Buffer.alloc(0)));
    else digest.update(lp(workingRow(store, row))).update(lp(row.mac));
  }
  return digest.digest();
}

/** Whether the entries are whole, and end where the store's row says. */
export function verifyAudit(store: Store, entries: readonly AuditEntry[]): boolean {
  let previous: Uint8Array = Buffer.alloc(0);
  for (const [index, { sequence, at, actor, host, event, details, hash }] of entries.entries()) {
    const bytes = fields('callseal audit v1', previous, sequence, at, actor, host, event, details);
    if (sequence !== index + 1 || !createHash('sha256').update(bytes).digest().equals(hash)) return false;
    previous = hash;
  }
  return entries.length === store.auditSequence && Buffer.from(store.auditHash).equals(previous);
}

/** A master key, and the keys that are derived from it. */
export interface OpenMaster {
  key: Buffer;
  wrap: Buffer;
  row: Buffer;
  binding: Buffer;
}

export function openMaster(store: Store, row: Master, installation: KeyObject): OpenMaster {
  const padding = constants.RSA_PKCS1_OAEP_PADDING;
  const key = privateDecrypt({ key: installation, padding, oaepHash: 'sha256' }, row.wrapped);
  const context = Buffer.concat([store.storeId, row.id]);
  const tripleDes = (row.suite & 1) !== 0;
  if (key.length !== (tripleDes ? 24 : 32)) throw new Error('the master key has another length than its suite says');
  const wrap = kbkdf(key, 'callseal wrap v1', context, tripleDes ? 24 : 32);
  return {
    key,
    wrap,
    row: kbkdf(key, 'callseal row v1', context, 32),
    binding: kbkdf(key, 'callseal binding v1', context, 32),
  };
}

function workingRow(store: Store, row: Working): Buffer {
  return fields(
    'callseal working v1',
    store.storeId,
    row.id,
    row.area,
    row.version,
    row.masterId,
    suiteByte(row.suite),
    row.state,
    row.sequence,
    row.createdAt,
    row.reserved,
    row.wrapped,
  );
}

/** Of AES: 32 bytes. Of 3DES: 24 bytes of key, 32 of HMAC key. */
export function openWorking(store: Store, row: Working, master: OpenMaster): Buffer {
  const bytes = workingRow(store, row);
  if (!createHmac('sha256', master.row).update(bytes).digest().equals(Buffer.from(row.mac))) {
    throw new Error('the row of the working key fails authentication');
  }
  const tripleDes = (row.suite & 1) !== 0;
  // OpenSSL ignores the parity bits of DES keys.
  const decipher = tripleDes
    ? createDecipheriv('des-ede3-cbc', master.wrap, row.wrapped.subarray(0, 8))
    : createDecipheriv('id-aes256-wrap-pad', master.wrap, Buffer.from('a65959a6', 'hex'));
  return Buffer.concat([decipher.update(row.wrapped.subarray(tripleDes ? 8 : 0)), decipher.final()]);
}

export function encodeEntity(area: string, { tenant = '', type, id, field = '' }: Entity): Buffer {
  return fields('callseal entity v1', tenant, area, type, id, field);
}

/** The plaintext of a protected record. */
export function openRecord(
  store: Store,
  masters: readonly Master[],
  working: readonly Working[],
  installation: KeyObject,
  entity: Entity,
  record: Uint8Array,
): Buffer {
  const bytes = Buffer.from(record);
  if (bytes.toString('latin1', 0, 4) !== 'CSRD' || bytes[4] !== 1) throw new Error('not a protected record, version 1');
  const suite = bytes[5] as number;
  const area = bytes.toString('utf8', 39, 39 + (bytes[38] as number));
  const masterRow = masters.find(({ id }) => Buffer.from(id).equals(bytes.subarray(6, 22)));
  const row = working.find(({ id }) => Buffer.from(id).equals(bytes.subarray(22, 38)));
  if (masterRow === undefined || row === undefined) throw new Error('the store does not have the keys of the record');
  if (row.suite !== suite || masterRow.suite !== suite || row.area !== area)
    throw new Error('keys of another suite or area');

  const master = openMaster(store, masterRow, installation);
  const key = openWorking(store, row, master);
  const hash = hashOf(suite);
  const headerLength = 39 + area.length;
  const ivLength = (suite & 2) === 0 ? 12 : 8;
  const bindingLength = hash === 'sha256' ? 32 : 20;
  const bound = bytes.subarray(0, -bindingLength);
  const who = encodeEntity(area, entity);
  const tag = createHmac(hash, master.binding).update(who).update(bound).digest();
  if (!timingSafeEqual(tag, bytes.subarray(-bindingLength))) throw new Error('another entity, or altered');

  const header = bytes.subarray(0, headerLength);
  const iv = bytes.subarray(headerLength, headerLength + ivLength);
  const text = bound.subarray(headerLength + ivLength, -16);
  const inner = bound.subarray(-16);
  if ((suite & 2) === 0) {
    const decipher = createDecipheriv('aes-256-gcm', key, iv).setAAD(header).setAuthTag(inner);
    return Buffer.concat([decipher.update(text), decipher.final()]);
  }
  const expected = createHmac(hash, key.subarray(24)).update(bound.subarray(0, -16)).digest().subarray(0, 16);
  if (!timingSafeEqual(expected, inner)) throw new Error('altered');
  const decipher = createDecipheriv('des-ede3-cbc', key.subarray(0, 24), iv);
  return Buffer.concat([decipher.update(text), decipher.final()]);
}
