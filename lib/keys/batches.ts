/** Many records in one call of native code, for throughput: a fraction of the cost of single calls for small records. */

import { CallsealError } from '../errors.ts';
import type { RecordBatch } from '../native/keys-binding.ts';
import { assertArea } from './area.ts';
import { blocksOf, budgetOf, type Load } from './budget.ts';
import { type Entity, EntityEncoder } from './entity.ts';
import type { OpenKey, OpenKeys } from './open-keys.ts';
import { encryptionError, lengthOf, requireBytes } from './records.ts';
import { SUITES } from './suites.ts';

export interface PlainItem {
  readonly entity: Entity;
  readonly bytes: Uint8Array;
}

export interface SealedItem {
  readonly entity: Entity;
  readonly sealed: Uint8Array;
}

/** Bytes that one native call is given: it runs on the JavaScript thread. */
const BATCH_BYTES = 4 * 2 ** 20;

/** The most blocks of one native call: a batch must fit one 3DES key. */
const BATCH_BLOCKS = budgetOf(SUITES[2]!).limit / 4;

export class Batches {
  readonly #keys: OpenKeys;
  readonly #entities = new EntityEncoder();

  constructor(keys: OpenKeys) {
    this.#keys = keys;
  }

  async protectMany(area: string, items: readonly PlainItem[]): Promise<Uint8Array[]> {
    assertArea(area);
    // Read once: what is encrypted is what was counted.
    const taken = items.map((item, index) => {
      const bytes: unknown = item?.bytes;
      requireBytes(bytes, `items[${index}].bytes`);
      return { entity: item.entity, bytes };
    });
    const records: Uint8Array[] = [];
    for (const part of parts(taken)) {
      for (const record of await this.#protectPart(area, part, records.length)) records.push(record);
    }
    return records;
  }

  async unprotectMany(area: string, items: readonly SealedItem[]): Promise<Uint8Array[]> {
    assertArea(area);
    for (const [index, item] of items.entries()) requireBytes(item?.sealed, `items[${index}].sealed`);
    const plaintexts = new Array<Uint8Array>(items.length);
    let next = 0;
    while (next < items.length) {
      const first = items[next]!.sealed;
      const key = this.#keys.decrypting(first) ?? (await this.#keyOf(first, next));
      if (!key.alive) continue;
      let end = next + 1;
      let bytes = first.length;
      while (end < items.length && key.matches(items[end]!.sealed) && bytes < BATCH_BYTES) {
        bytes += items[end]!.sealed.length;
        end += 1;
      }
      this.#unprotectRun(key, area, items.slice(next, end), next).forEach((plaintext, index) => {
        plaintexts[next + index] = plaintext;
      });
      next = end;
    }
    return plaintexts;
  }

  async #protectPart(area: string, items: readonly PlainItem[], offset: number): Promise<Uint8Array[]> {
    const batch = this.#pack(area, items, (item) => item.bytes, offset);
    const load = loadOfAll(items);
    try {
      for (;;) {
        const key = await this.#keys.forEncryption(area, load);
        if (!key.takeLoad(load)) continue;
        try {
          return unpack(key.handle.protectMany(key.header, batch));
        } catch (error) {
          throw encryptionError(key, error);
        }
      }
    } finally {
      batch.data.fill(0);
    }
  }

  async #keyOf(record: Uint8Array, index: number): Promise<OpenKey> {
    try {
      return await this.#keys.forRecord(new Uint8Array(record));
    } catch (error) {
      throw atIndex(index, error);
    }
  }

  /** Consecutive records under one key. */
  #unprotectRun(key: OpenKey, area: string, items: readonly SealedItem[], offset: number): Uint8Array[] {
    const batch = this.#pack(area, items, (item) => item.sealed, offset);
    key.usesLeft -= items.length;
    try {
      return unpack(key.handle.unprotectMany(key.header, batch));
    } catch (error) {
      throw this.#firstBad(key, area, items, offset) ?? error;
    }
  }

  /** Native code counts within its batch; the caller counts all items. */
  #firstBad(key: OpenKey, area: string, items: readonly SealedItem[], offset: number): unknown {
    for (const [index, { entity, sealed }] of items.entries()) {
      try {
        key.handle.unprotect(sealed, key.header.length, this.#entities.encode(area, entity)).fill(0);
      } catch (error) {
        return atIndex(offset + index, error);
      }
    }
    return null;
  }

  #pack<T extends { readonly entity: Entity }>(
    area: string,
    items: readonly T[],
    bytesOf: (item: T) => Uint8Array,
    offset: number,
  ): RecordBatch {
    const data = new Uint8Array(items.reduce((sum, item) => sum + lengthOf(bytesOf(item)), 0));
    const dataEnds = new Uint32Array(items.length);
    const entityEnds = new Uint32Array(items.length);
    let entities = new Uint8Array(items.length * TYPICAL_ENTITY);
    let dataEnd = 0;
    let entityEnd = 0;
    for (const [index, item] of items.entries()) {
      const encoded = this.#encode(area, item.entity, offset + index);
      if (entityEnd + encoded.length > entities.length) entities = grown(entities, entityEnd + encoded.length);
      entities.set(encoded, entityEnd);
      entityEnd += encoded.length;
      entityEnds[index] = entityEnd;
      const bytes = bytesOf(item);
      data.set(bytes, dataEnd);
      dataEnd += lengthOf(bytes);
      dataEnds[index] = dataEnd;
    }
    return { data, dataEnds, entities: entities.subarray(0, entityEnd), entityEnds };
  }

  #encode(area: string, entity: Entity, index: number): Uint8Array {
    try {
      return this.#entities.encode(area, entity);
    } catch (error) {
      throw atIndex(index, error);
    }
  }
}

/** Bytes of an encoded entity whose texts are short. */
const TYPICAL_ENTITY = 96;

function grown(bytes: Uint8Array<ArrayBuffer>, needed: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(Math.max(needed, bytes.length * 2));
  larger.set(bytes);
  return larger;
}

function* parts(items: readonly PlainItem[]): Generator<PlainItem[]> {
  let part: PlainItem[] = [];
  let bytes = 0;
  let blocks = 0;
  for (const item of items) {
    const length = lengthOf(item.bytes);
    const more = blocksOf(length);
    if (part.length > 0 && (bytes + length > BATCH_BYTES || blocks + more > BATCH_BLOCKS)) {
      yield part;
      part = [];
      bytes = 0;
      blocks = 0;
    }
    part.push(item);
    bytes += length;
    blocks += more;
  }
  if (part.length > 0) yield part;
}

function loadOfAll(items: readonly PlainItem[]): Load {
  return { messages: items.length, blocks: items.reduce((sum, { bytes }) => sum + blocksOf(lengthOf(bytes)), 0) };
}

/** The items are views of one piece of memory, which lives as long as one of them does. */
function unpack({ data, ends }: { data: Uint8Array; ends: Uint32Array }): Uint8Array[] {
  let start = 0;
  return Array.from(ends, (end) => {
    const item = data.subarray(start, end);
    start = end;
    return item;
  });
}

function atIndex(index: number, error: unknown): unknown {
  if (!(error instanceof CallsealError)) return error;
  return new CallsealError(error.code, `item ${index}: ${error.message}`, { cause: error });
}
