/** What a protected record belongs to, and the bytes that bind it: "Entity" in docs/keys.md. */

import { CallsealError } from '../errors.ts';

/**
 * The owner of a record. Callseal compares these texts byte by byte and never interprets them; each has at most 1024 bytes
 * of UTF-8.
 */
export interface Entity {
  /** Whose data it is; default empty. */
  readonly tenant?: string | undefined;
  /** Such as `claimant`. Not empty. */
  readonly type: string;
  /** Such as `c-41`. Not empty. */
  readonly id: string;
  /** Which of the entity's values, such as `template`; default empty. */
  readonly field?: string | undefined;
}

const ENTITY_TEXT_MAX = 1024;

const LABEL = 'callseal entity v1';
const LENGTH_BYTES = 4;
const TEXTS = 5;
const LONE_SURROGATE = /\p{Surrogate}/u;

/** The most bytes an encoded entity has. */
const ENTITY_MAX = LENGTH_BYTES + LABEL.length + TEXTS * (LENGTH_BYTES + ENTITY_TEXT_MAX);

/**
 * Encodes entities into one scratch buffer, because it is done once a record. A result is valid until the next call.
 */
export class EntityEncoder {
  readonly #scratch = new Uint8Array(ENTITY_MAX);
  readonly #encoder = new TextEncoder();
  readonly #start: number;
  #end = 0;

  constructor() {
    this.#text('label', LABEL);
    this.#start = this.#end;
  }

  /** @throws {CallsealError} `ERR_INVALID_ARGUMENT`; names the component. */
  encode(area: string, entity: Entity): Uint8Array {
    if (typeof entity !== 'object' || entity === null) {
      throw new CallsealError('ERR_INVALID_ARGUMENT', 'an entity is an object with at least the texts `type` and `id`');
    }
    // All at once: a getter may encode another entity into the same buffer.
    const { tenant, type, id, field } = entity;
    this.#end = this.#start;
    this.#text('tenant', tenant ?? '');
    this.#text('area', area);
    this.#text('type', required('type', type));
    this.#text('id', required('id', id));
    this.#text('field', field ?? '');
    return this.#scratch.subarray(0, this.#end);
  }

  #text(name: string, text: string): void {
    if (typeof text !== 'string') throw wrong(name, `is a text, not ${typeof text}`);
    const scratch = this.#scratch;
    const start = this.#end + LENGTH_BYTES;
    if (text.length > ENTITY_TEXT_MAX) throw tooLong(name);
    let length = 0;
    // Most texts are short and ASCII; a loop beats the encoder there.
    while (length < text.length) {
      const unit = text.charCodeAt(length);
      if (unit > 0x7f) break;
      scratch[start + length] = unit;
      length += 1;
    }
    if (length < text.length) length = this.#unicode(name, text, start);
    scratch[start - 4] = 0;
    scratch[start - 3] = 0;
    scratch[start - 2] = length >> 8;
    scratch[start - 1] = length & 0xff;
    this.#end = start + length;
  }

  #unicode(name: string, text: string, start: number): number {
    if (LONE_SURROGATE.test(text)) throw wrong(name, 'holds half of a surrogate pair, which no UTF-8 can express');
    const { read, written } = this.#encoder.encodeInto(text, this.#scratch.subarray(start, start + ENTITY_TEXT_MAX));
    if (read < text.length) throw tooLong(name);
    return written;
  }
}

function required(name: string, text: string): string {
  if (text === undefined || text === '') throw wrong(name, 'must not be empty');
  return text;
}

function tooLong(name: string): CallsealError {
  return wrong(name, `has more than ${ENTITY_TEXT_MAX} bytes of UTF-8`);
}

function wrong(name: string, what: string): CallsealError {
  return new CallsealError('ERR_INVALID_ARGUMENT', `the entity's ${name} ${what}`);
}
