/** Many records in one call of native code, for throughput: a fraction of the cost of single calls for small records. */

import { CallsealError } from '../errors.ts';
import type { NativeWorkingKey, RecordBatch } from '../native/keys-binding.ts';
import { assertArea } from './area.ts';
import { blocksOf, budgetOf, type Load } from './budget.ts';
import { type Entity, EntityEncoder } from './entity.ts';
import type { OpenKey, OpenKeys } from './open-keys.ts';
import { encryptionError, lengthOf, requireBytes } from './records.ts';
import { SUITES } from './suites.ts';

/** One record for `KeyHierarchy.protectMany`. */
export interface PlainItem {
  readonly entity: Entity;
  readonly bytes: Uint8Array;
}

/** One protected record for `KeyHierarchy.unprotectMany`. */
export interface SealedItem {
  readonly entity: Entity;
  readonly sealed: Uint8Array;
}

/** An item as it was when the call was made: what is encrypted is what was counted, whatever getters say later. */
interface Taken {
  readonly entity: Entity;
  readonly bytes: Uint8Array;
}

type PackedBytes = ReturnType<NativeWorkingKey['protectMany']>;

/** Bytes that one native call is given, a larger record apart: what the processor's second-level cache holds. */
const CALL_BYTES = 256 * 1024;

/** The most blocks that are reserved ahead of one native call: a few times that must fit one 3DES key. */
const AHEAD_BLOCKS = budgetOf(SUITES[2]!).limit / 4;

export class Batches {
  readonly #keys: OpenKeys;
  readonly #entities = new EntityEncoder();
  /** What native calls are given, one after the other: memory that is made anew for each costs as much as the cipher. */
  readonly #data = new Uint8Array(CALL_BYTES);
  /** Their encoded entities. */
  #packed = new Uint8Array(CALL_BYTES / 8);

  constructor(keys: OpenKeys) {
    this.#keys = keys;
  }

  async protectMany(area: string, items: readonly PlainItem[]): Promise<Uint8Array[]> {
    assertArea(area);
    const taken = take(items, (item) => item.bytes, 'bytes');
    const records = new Array<Uint8Array>(taken.length);
    for (let next = 0; next < taken.length; ) {
      const end = endOfCall(taken, next);
      const data = this.#protectCall(area, taken, next, end) ?? (await this.#protectLater(area, taken, next, end));
      unpack(data, records, next);
      next = end;
    }
    return records;
  }

  async unprotectMany(area: string, items: readonly SealedItem[]): Promise<Uint8Array[]> {
    assertArea(area);
    const taken = take(items, (item) => item.sealed, 'sealed');
    const plaintexts = new Array<Uint8Array>(taken.length);
    let next = 0;
    while (next < taken.length) {
      const first = taken[next]!.bytes;
      const key = this.#keys.decrypting(first) ?? (await this.#keyOf(first, next));
      if (!key.alive) continue;
      let end = next + 1;
      const most = endOfCall(taken, next);
      while (end < most && key.matches(taken[end]!.bytes)) end += 1;
      unpack(this.#unprotectRun(key, area, taken, next, end), plaintexts, next);
      next = end;
    }
    return plaintexts;
  }

  /** At once, when key and budget are at hand; else null. */
  #protectCall(area: string, items: readonly Taken[], start: number, end: number): PackedBytes | null {
    const batch = this.#pack(area, items, start, end);
    try {
      const key = this.#keys.encrypting(area);
      return key?.takeLoad(loadOf(items, start, end)) ? seal(key, batch) : null;
    } finally {
      batch.data.fill(0);
    }
  }

  async #protectLater(area: string, items: readonly Taken[], start: number, end: number): Promise<PackedBytes> {
    // While this waits, another call may pack its own.
    const { data, entities, ...ends } = this.#pack(area, items, start, end);
    const batch = { ...ends, data: new Uint8Array(data), entities: new Uint8Array(entities) };
    data.fill(0);
    try {
      for (;;) {
        const key = await this.#keys.forEncryption(area, loadOf(items, start, endAhead(items, start, end)));
        if (key.takeLoad(loadOf(items, start, end))) return seal(key, batch);
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
  #unprotectRun(key: OpenKey, area: string, items: readonly Taken[], start: number, end: number): PackedBytes {
    const batch = this.#pack(area, items, start, end);
    key.usesLeft -= end - start;
    try {
      return key.handle.unprotectMany(key.header, batch);
    } catch (error) {
      throw this.#firstBad(key, area, items, start, end) ?? error;
    }
  }

  /** Native code counts within its batch; the caller counts all items. */
  #firstBad(key: OpenKey, area: string, items: readonly Taken[], start: number, end: number): unknown {
    for (let index = start; index < end; index += 1) {
      const { entity, bytes } = items[index]!;
      try {
        key.handle.unprotect(bytes, key.header.length, this.#entities.encode(area, entity)).fill(0);
      } catch (error) {
        return atIndex(index, error);
      }
    }
    return null;
  }

  /** Valid until the next call. */
  #pack(area: string, items: readonly Taken[], start: number, end: number): RecordBatch {
    let total = 0;
    for (let index = start; index < end; index += 1) total += lengthOf(items[index]!.bytes);
    const data = total <= CALL_BYTES ? this.#data : new Uint8Array(total);
    const dataEnds = new Uint32Array(end - start);
    const entityEnds = new Uint32Array(end - start);
    let dataEnd = 0;
    let entityEnd = 0;
    for (let index = start; index < end; index += 1) {
      const { entity, bytes } = items[index]!;
      const encoded = this.#encode(area, entity, index);
      if (entityEnd + encoded.length > this.#packed.length)
        this.#packed = grown(this.#packed, entityEnd + encoded.length);
      this.#packed.set(encoded, entityEnd);
      entityEnd += encoded.length;
      entityEnds[index - start] = entityEnd;
      data.set(bytes, dataEnd);
      dataEnd += lengthOf(bytes);
      dataEnds[index - start] = dataEnd;
    }
    return { data: data.subarray(0, dataEnd), dataEnds, entities: this.#packed.subarray(0, entityEnd), entityEnds };
  }

  #encode(area: string, entity: Entity, index: number): Uint8Array {
    try {
      return this.#entities.encode(area, entity);
    } catch (error) {
      this.#data.fill(0); // the items before it were packed already
      throw atIndex(index, error);
    }
  }
}

function grown(bytes: Uint8Array<ArrayBuffer>, needed: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(Math.max(needed, bytes.length * 2));
  larger.set(bytes);
  return larger;
}

/** Items beginning with `start` that one native call takes: at least one. */
function endOfCall(items: readonly Taken[], start: number): number {
  let end = start + 1;
  let bytes = lengthOf(items[start]!.bytes);
  while (end < items.length && bytes + lengthOf(items[end]!.bytes) <= CALL_BYTES) {
    bytes += lengthOf(items[end]!.bytes);
    end += 1;
  }
  return end;
}

/** Up to where budget is reserved when a call for the items before `end` needs some: one trip to the store for many calls. */
function endAhead(items: readonly Taken[], start: number, end: number): number {
  let ahead = end;
  let { blocks } = loadOf(items, start, end);
  while (ahead < items.length && blocks + blocksOf(lengthOf(items[ahead]!.bytes)) <= AHEAD_BLOCKS) {
    blocks += blocksOf(lengthOf(items[ahead]!.bytes));
    ahead += 1;
  }
  return ahead;
}

function loadOf(items: readonly Taken[], start: number, end: number): Load {
  let blocks = 0;
  for (let index = start; index < end; index += 1) blocks += blocksOf(lengthOf(items[index]!.bytes));
  return { messages: end - start, blocks };
}

function seal(key: OpenKey, batch: RecordBatch): PackedBytes {
  try {
    return key.handle.protectMany(key.header, batch);
  } catch (error) {
    throw encryptionError(key, error);
  }
}

/** Items from `start` on become views of one piece of memory, which lives as long as one of them does. */
function unpack({ data, ends }: PackedBytes, items: Uint8Array[], start: number): void {
  let from = 0;
  for (let index = 0; index < ends.length; index += 1) {
    const to = ends[index]!;
    items[start + index] = data.subarray(from, to);
    from = to;
  }
}

function take<T extends { readonly entity: Entity }>(
  items: readonly T[],
  bytesOf: (item: T) => unknown,
  name: string,
): Taken[] {
  if (!Array.isArray(items)) throw new CallsealError('ERR_INVALID_ARGUMENT', 'items must be an array');
  return items.map((item: T | null | undefined, index) => {
    const bytes = item == null ? undefined : bytesOf(item);
    requireBytes(bytes, `items[${index}].${name}`);
    return { entity: takeEntity(item!.entity), bytes };
  });
}

/** Its texts, read once; what is wrong with them is said when they are encoded. */
function takeEntity(entity: Entity): Entity {
  if (typeof entity !== 'object' || entity === null) return entity;
  const { tenant, type, id, field } = entity;
  return { tenant, type, id, field } as Entity;
}

function atIndex(index: number, error: unknown): unknown {
  if (!(error instanceof CallsealError)) return error;
  return new CallsealError(error.code, `item ${index}: ${error.message}`, { cause: error });
}
