/** Many records in one call of native code, for throughput: a fraction of the cost of single calls for small records. */

import { CallsealError } from '../errors.ts';
import type { NativeWorkingKey, RecordBatch } from '../native/keys-binding.ts';
import { assertArea } from './area.ts';
import { blocksOf, budgetOf, type Load } from './budget.ts';
import { type Entity, EntityEncoder } from './entity.ts';
import type { OpenKey, OpenKeys } from './open-keys.ts';
import { encryptionError, requireBytes } from './records.ts';
import { SUITES } from './suites.ts';

export interface PlainItem {
  readonly entity: Entity;
  readonly bytes: Uint8Array;
}

export interface SealedItem {
  readonly entity: Entity;
  readonly sealed: Uint8Array;
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
    requireAll(items, (item) => item?.bytes, 'bytes');
    const records = new Array<Uint8Array>(items.length);
    for (let next = 0; next < items.length; ) {
      const end = endOfCall(items, next);
      const data = this.#protectCall(area, items, next, end) ?? (await this.#protectLater(area, items, next, end));
      unpack(data, records, next);
      next = end;
    }
    return records;
  }

  async unprotectMany(area: string, items: readonly SealedItem[]): Promise<Uint8Array[]> {
    assertArea(area);
    requireAll(items, (item) => item?.sealed, 'sealed');
    const plaintexts = new Array<Uint8Array>(items.length);
    let next = 0;
    while (next < items.length) {
      const first = items[next]!.sealed;
      const key = this.#keys.decrypting(first) ?? (await this.#keyOf(first, next));
      if (!key.alive) continue;
      let end = next + 1;
      let bytes = first.length;
      while (end < items.length && bytes + items[end]!.sealed.length <= CALL_BYTES && key.matches(items[end]!.sealed)) {
        bytes += items[end]!.sealed.length;
        end += 1;
      }
      unpack(this.#unprotectRun(key, area, items, next, end), plaintexts, next);
      next = end;
    }
    return plaintexts;
  }

  /** At once, when key and budget are at hand; else null. */
  #protectCall(area: string, items: readonly PlainItem[], start: number, end: number): PackedBytes | null {
    const batch = this.#pack(area, items, start, end, (item) => item.bytes);
    try {
      const key = this.#keys.encrypting(area);
      return key?.takeLoad(loadOf(items, start, end)) ? seal(key, batch) : null;
    } finally {
      batch.data.fill(0);
    }
  }

  async #protectLater(area: string, items: readonly PlainItem[], start: number, end: number): Promise<PackedBytes> {
    // While this waits, another call may pack its own.
    const { data, entities, ...ends } = this.#pack(area, items, start, end, (item) => item.bytes);
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
  #unprotectRun(key: OpenKey, area: string, items: readonly SealedItem[], start: number, end: number): PackedBytes {
    const batch = this.#pack(area, items, start, end, (item) => item.sealed);
    key.usesLeft -= end - start;
    try {
      return key.handle.unprotectMany(key.header, batch);
    } catch (error) {
      throw this.#firstBad(key, area, items, start, end) ?? error;
    }
  }

  /** Native code counts within its batch; the caller counts all items. */
  #firstBad(key: OpenKey, area: string, items: readonly SealedItem[], start: number, end: number): unknown {
    for (let index = start; index < end; index += 1) {
      const { entity, sealed } = items[index]!;
      try {
        key.handle.unprotect(sealed, key.header.length, this.#entities.encode(area, entity)).fill(0);
      } catch (error) {
        return atIndex(index, error);
      }
    }
    return null;
  }

  /** Valid until the next call. */
  #pack<T extends { readonly entity: Entity }>(
    area: string,
    items: readonly T[],
    start: number,
    end: number,
    bytesOf: (item: T) => Uint8Array,
  ): RecordBatch {
    let total = 0;
    for (let index = start; index < end; index += 1) total += bytesOf(items[index]!).length;
    const data = total <= CALL_BYTES ? this.#data : new Uint8Array(total);
    const dataEnds = new Uint32Array(end - start);
    const entityEnds = new Uint32Array(end - start);
    let dataEnd = 0;
    let entityEnd = 0;
    for (let index = start; index < end; index += 1) {
      const item = items[index]!;
      const encoded = this.#encode(area, item.entity, index);
      if (entityEnd + encoded.length > this.#packed.length)
        this.#packed = grown(this.#packed, entityEnd + encoded.length);
      this.#packed.set(encoded, entityEnd);
      entityEnd += encoded.length;
      entityEnds[index - start] = entityEnd;
      const bytes = bytesOf(item);
      data.set(bytes, dataEnd);
      dataEnd += bytes.length;
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
function endOfCall(items: readonly PlainItem[], start: number): number {
  let end = start + 1;
  let bytes = items[start]!.bytes.length;
  while (end < items.length && bytes + items[end]!.bytes.length <= CALL_BYTES) {
    bytes += items[end]!.bytes.length;
    end += 1;
  }
  return end;
}

/** Up to where budget is reserved when a call for the items before `end` needs some: one trip to the store for many calls. */
function endAhead(items: readonly PlainItem[], start: number, end: number): number {
  let ahead = end;
  let { blocks } = loadOf(items, start, end);
  while (ahead < items.length && blocks + blocksOf(items[ahead]!.bytes.length) <= AHEAD_BLOCKS) {
    blocks += blocksOf(items[ahead]!.bytes.length);
    ahead += 1;
  }
  return ahead;
}

function loadOf(items: readonly PlainItem[], start: number, end: number): Load {
  let blocks = 0;
  for (let index = start; index < end; index += 1) blocks += blocksOf(items[index]!.bytes.length);
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

function requireAll<T>(items: readonly T[], bytesOf: (item: T) => unknown, name: string): void {
  for (let index = 0; index < items.length; index += 1) {
    const bytes = bytesOf(items[index]!);
    if (!(bytes instanceof Uint8Array)) requireBytes(bytes, `items[${index}].${name}`);
  }
}

function atIndex(index: number, error: unknown): unknown {
  if (!(error instanceof CallsealError)) return error;
  return new CallsealError(error.code, `item ${index}: ${error.message}`, { cause: error });
}
