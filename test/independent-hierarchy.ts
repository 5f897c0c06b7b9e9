/**
 * Reads and proves a whole SQLite store with Node's own OpenSSL and docs/keys.md alone: nothing of lib/ is in here. Needs
 * the installation key as a file, and has keys as bytes.
 */

import {
  constants,
  createHash,
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  privateDecrypt,
  verify,
} from 'node:crypto';
import { readFileSync } from 'node:fs';
import Libsql from 'libsql';
import { decodeRecord, derivedKeys, macOfRow, unwrapWorkingKey } from './helpers/hierarchy-crypto.ts';

/** The columns of all tables; a row has those of its own. */
interface Row {
  readonly store_id: Buffer;
  readonly installation_id: Buffer;
  readonly current_master_id: Buffer;
  readonly audit_sequence: number;
  readonly audit_hash: Buffer;
  readonly id: Buffer;
  readonly suite: number;
  readonly state: string;
  readonly sequence: number;
  readonly created_at: number;
  readonly changed_at: number;
  readonly wrapped: Buffer;
  readonly signature: Buffer;
  readonly area: string;
  readonly version: number;
  readonly master_id: Buffer;
  readonly reserved: number;
  readonly mac: Buffer;
  readonly at: number;
  readonly actor: string;
  readonly host: string;
  readonly event: string;
  readonly details: string;
  readonly hash: Buffer;
}

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest();

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

function fields(...values: (string | number | Uint8Array)[]): Buffer {
  return Buffer.concat(
    values.map((value) =>
      lp(typeof value === 'string' ? Buffer.from(value) : typeof value === 'number' ? u64(value) : value),
    ),
  );
}

function rowsOf(database: Libsql.Database, sql: string): Row[] {
  return (database.prepare(sql).all() as Record<string, unknown>[]).map((row) =>
    Object.fromEntries(
      Object.entries(row).map(([name, value]) => [name, value instanceof ArrayBuffer ? Buffer.from(value) : value]),
    ),
  ) as unknown as Row[];
}

export class IndependentHierarchy {
  readonly #key: KeyObject;
  readonly #store: Row;
  readonly #masters: Row[];
  readonly #working: Row[];
  readonly #audit: Row[];
  readonly #id: Buffer;

  constructor(path: string, keyPath: string) {
    this.#key = createPrivateKey(readFileSync(keyPath));
    this.#id = sha256(createPublicKey(this.#key).export({ type: 'spki', format: 'der' }));
    const database = new Libsql(path);
    this.#store = rowsOf(database, 'select * from callseal_store')[0]!;
    this.#masters = rowsOf(database, 'select * from callseal_master_keys order by id');
    this.#working = rowsOf(database, 'select * from callseal_working_keys order by area, version');
    this.#audit = rowsOf(database, 'select * from callseal_audit order by sequence');
    database.close();
  }

  /** What does not hold; empty for a sound store. */
  complaints(): string[] {
    const complaints: string[] = [];
    const require = (holds: boolean, what: string) => {
      if (!holds) complaints.push(what);
    };
    require(this.#id.equals(this.#store.installation_id), 'installation id');
    require(this.#verifies('pss', this.#manifest(), this.#store.signature), 'manifest');
    for (const row of this.#masters) {
      const schemes = row.suite & 4 ? (['sha1', 'pss'] as const) : (['pss'] as const);
      const record = this.#masterRecord(row);
      require(schemes.some((scheme) =>
        this.#verifies(scheme, record, row.signature),
      ), `master ${row.id.toString('hex')}`);
    }
    for (const row of this.#working) {
      const master = this.#masterOf(row);
      if (master.state === 'removed') continue;
      const { row: rowKey } = this.#derived(master);
      require(macOfRow(rowKey, this.#workingRow(row)).equals(row.mac), `working ${row.area} ${row.version}`);
    }
    let previous: Buffer = Buffer.alloc(0);
    for (const [index, { sequence, at, actor, host, event, details, hash }] of this.#audit.entries()) {
      const expected = sha256(fields('callseal audit v1', previous, sequence, at, actor, host, event, details));
      require(sequence === index + 1 && expected.equals(hash), `audit ${index + 1}`);
      previous = hash;
    }
    require(previous.equals(this.#store.audit_hash), 'end of the audit log');
    return complaints;
  }

  unprotect(record: Buffer, [tenant, area, type, id, field]: [string, string, string, string, string]): Buffer {
    const suite = record[5]!;
    const headerLength = 39 + record[38]!;
    const row = this.#working.find((candidate) => candidate.id.equals(record.subarray(22, 38)))!;
    const { wrap, binding } = this.#derived(this.#masterOf(row));
    const key = unwrapWorkingKey(suite & 1 ? '3des' : 'aes', wrap, row.wrapped);
    const entity = fields('callseal entity v1', tenant, area, type, id, field);
    const [cipher, hash] = [suite & 2 ? '3des' : 'aes', suite & 4 ? 'sha1' : 'sha256'] as const;
    return decodeRecord({ cipher, hash, key, binding }, record, headerLength, entity);
  }

  #masterOf(row: Row): Row {
    return this.#masters.find((master) => master.id.equals(row.master_id))!;
  }

  #derived(master: Row) {
    const oaep = { key: this.#key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' };
    const context = Buffer.concat([this.#store.store_id, master.id]);
    return derivedKeys(master.suite & 1 ? '3des' : 'aes', privateDecrypt(oaep, master.wrapped), context);
  }

  #manifest(): Buffer {
    const { store_id, created_at, sequence, current_master_id, audit_sequence, audit_hash } = this.#store;
    const entries = this.#working.map((row) =>
      row.state === 'active'
        ? Buffer.concat([lp(this.#workingRow({ ...row, sequence: 0, reserved: 0 })), lp(Buffer.alloc(0))])
        : Buffer.concat([lp(this.#workingRow(row)), lp(row.mac)]),
    );
    const digests = this.#masters.flatMap((row) => [
      row.id,
      sha256(Buffer.concat([lp(this.#masterRecord(row)), lp(row.signature)])),
    ]);
    return fields(
      'callseal manifest v1',
      store_id,
      created_at,
      sequence,
      this.#id,
      current_master_id,
      audit_sequence,
      audit_hash,
      sha256(Buffer.concat(entries)),
      ...digests,
    );
  }

  #masterRecord(row: Row): Buffer {
    const { id, suite, state, sequence, created_at, changed_at, wrapped } = row;
    const suiteByte = Buffer.of(suite);
    return fields(
      'callseal master v1',
      this.#store.store_id,
      id,
      suiteByte,
      state,
      sequence,
      created_at,
      changed_at,
      this.#id,
      wrapped,
    );
  }

  #workingRow(row: Row): Buffer {
    const { id, area, version, master_id, suite, state, sequence, created_at, reserved, wrapped } = row;
    return fields(
      'callseal working v1',
      this.#store.store_id,
      id,
      area,
      version,
      master_id,
      Buffer.of(suite),
      state,
      sequence,
      created_at,
      reserved,
      wrapped,
    );
  }

  #verifies(scheme: 'pss' | 'sha1', data: Buffer, signature: Buffer): boolean {
    const key = createPublicKey(this.#key);
    if (scheme === 'sha1') return verify('sha1', data, key, signature);
    return verify('sha256', data, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 }, signature);
  }
}
