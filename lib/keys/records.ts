/**
 * Records: protect, unprotect, rebind, re-encrypt.
 *
 * When key and budget are at hand, everything happens before the call returns, and only the result is a promise.
 */

import { isUint8Array } from 'node:util/types';
import { CallsealError } from '../errors.ts';
import { hex } from '../hex.ts';
import { assertArea } from './area.ts';
import { refusedStep } from './assessment.ts';
import { type Load, loadOf } from './budget.ts';
import type { Engine } from './engine.ts';
import { type Entity, EntityEncoder } from './entity.ts';
import type { OpenKey, OpenKeys } from './open-keys.ts';
import { parseHeader } from './record.ts';

export class Records {
  readonly #engine: Engine;
  readonly #keys: OpenKeys;
  readonly #entities = new EntityEncoder();

  constructor(engine: Engine, keys: OpenKeys) {
    this.#engine = engine;
    this.#keys = keys;
  }

  protect(area: string, entity: Entity, bytes: Uint8Array): Promise<Uint8Array> {
    try {
      requireBytes(bytes, 'bytes');
      assertArea(area);
      const encoded = this.#entities.encode(area, entity);
      const key = this.#keys.encrypting(area);
      if (key?.take(lengthOf(bytes))) return Promise.resolve(seal(key, encoded, bytes));
      return this.#protectLater(area, new Uint8Array(encoded), new Uint8Array(bytes));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  unprotect(area: string, entity: Entity, sealed: Uint8Array): Promise<Uint8Array> {
    try {
      requireBytes(sealed, 'sealed');
      assertArea(area);
      const encoded = this.#entities.encode(area, entity);
      const key = this.#keys.decrypting(sealed);
      if (key !== undefined) return Promise.resolve(open(key, encoded, sealed));
      return this.#unprotectLater(new Uint8Array(encoded), new Uint8Array(sealed));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async rebind(area: string, from: Entity, to: Entity, sealed: Uint8Array): Promise<Uint8Array> {
    requireBytes(sealed, 'sealed');
    assertArea(area);
    const before = this.#entities.encode(area, from).slice();
    const after = this.#entities.encode(area, to).slice();
    const record = new Uint8Array(sealed);
    for (;;) {
      const key = await this.#keys.forRecord(record);
      if (!key.alive) continue;
      key.usesLeft -= 1;
      return key.handle.rebind(record, key.header.length, before, after);
    }
  }

  async reencrypt(area: string, entity: Entity, sealed: Uint8Array): Promise<Uint8Array> {
    requireBytes(sealed, 'sealed');
    assertArea(area);
    const encoded = this.#entities.encode(area, entity).slice();
    const record = new Uint8Array(sealed);
    // The plaintext is shorter than the record, whatever the suites.
    const load = loadOf(record.length);
    for (;;) {
      const from = await this.#keys.forRecord(record);
      const to = await this.#keys.forEncryption(area, load);
      if (!from.alive || !to.takeLoad(load)) continue;
      from.usesLeft -= 1;
      try {
        return from.handle.reencrypt(record, from.header.length, encoded, to.handle, to.header);
      } catch (error) {
        throw encryptionError(to, error);
      }
    }
  }

  /** Whether {@link reencrypt} would leave key and suite as they are. */
  async isCurrent(sealed: Uint8Array): Promise<boolean> {
    requireBytes(sealed, 'sealed');
    const { area, workingId } = parseHeader(sealed);
    const snapshot = await this.#engine.fresh();
    const row = snapshot.encryptsFor(area);
    return row !== undefined && hex(row.id) === hex(workingId);
  }

  async #protectLater(area: string, entity: Uint8Array, bytes: Uint8Array): Promise<Uint8Array> {
    const load: Load = loadOf(lengthOf(bytes));
    try {
      for (;;) {
        const key = await this.#keys.forEncryption(area, load);
        if (key.takeLoad(load)) return seal(key, entity, bytes);
      }
    } finally {
      bytes.fill(0);
    }
  }

  async #unprotectLater(entity: Uint8Array, record: Uint8Array): Promise<Uint8Array> {
    for (;;) {
      const key = await this.#keys.forRecord(record);
      if (key.alive) return open(key, entity, record);
    }
  }
}

function seal(key: OpenKey, entity: Uint8Array, bytes: Uint8Array): Uint8Array {
  try {
    return key.handle.protect(key.header, entity, bytes);
  } catch (error) {
    throw encryptionError(key, error);
  }
}

function open(key: OpenKey, entity: Uint8Array, record: Uint8Array): Uint8Array {
  key.usesLeft -= 1;
  return key.handle.unprotect(record, key.header.length, entity);
}

/** A module that refuses to encrypt with the key's suite says so by its algorithm only. */
export function encryptionError(key: OpenKey, error: unknown): unknown {
  if (!(error instanceof CallsealError) || error.code !== 'ERR_NOT_APPROVED') return error;
  return refusedStep('encrypt a record', key.suite, error);
}

/** As native code sees it: a class of the caller's may say something else, and budget is not to be had by that. */
export const lengthOf: (bytes: Uint8Array) => number = Function.prototype.call.bind(
  Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), 'length')!.get!,
);

export function requireBytes(bytes: unknown, name: string): asserts bytes is Uint8Array {
  if (!isUint8Array(bytes)) {
    throw new CallsealError('ERR_INVALID_ARGUMENT', `${name} must be a Uint8Array`);
  }
}
