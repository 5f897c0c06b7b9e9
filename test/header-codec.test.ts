/** The header codec is total, bounded and has one encoding of everything. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { MAX_RECIPIENTS_BYTES } from '../lib/callfile/format.ts';
import { type CallFileHeader, headerEndsEarly, parseHeader } from '../lib/callfile/header.ts';
import { encodePrelude } from '../lib/callfile/prelude.ts';
import { encodeRecipients } from '../lib/callfile/recipients-block.ts';
import { CallsealError } from '../lib/errors.ts';
import { EXPLORING, explore } from './helpers/explore.ts';
import { anyHeaderFields, floeHeader, headerBytes } from './helpers/header-bytes.ts';

const LARGEST_NEED = 48 + 8 + MAX_RECIPIENTS_BYTES + 32 + 74;
const CODES = ['ERR_NOT_CALLSEAL', 'ERR_UNSUPPORTED_VERSION', 'ERR_TAMPERED', 'ERR_TRUNCATED'];

/** What becomes of bytes: a header, or the code they are refused with. */
function outcome(bytes: Uint8Array): CallFileHeader | string {
  try {
    const { header, need } = parseHeader(bytes);
    if (header !== null) return header;
    expect(need).toBeGreaterThan(bytes.length);
    expect(need).toBeLessThanOrEqual(LARGEST_NEED);
    throw headerEndsEarly(bytes.length, need);
  } catch (error) {
    expect(error).toBeInstanceOf(CallsealError);
    expect(CODES).toContain((error as CallsealError).code);
    return (error as CallsealError).code;
  }
}

/** As a stream or file does it: never more bytes than asked for. Also counts the steps. */
function incrementalOutcome(bytes: Uint8Array): { outcome: CallFileHeader | string; steps: number } {
  let have = 0;
  for (let steps = 1; ; steps++) {
    try {
      const { header, need } = parseHeader(bytes.subarray(0, have));
      if (header !== null) return { outcome: header, steps };
      if (need > bytes.length) throw headerEndsEarly(bytes.length, need);
      have = need;
    } catch (error) {
      return { outcome: (error as CallsealError).code, steps };
    }
  }
}

/** Lays the typed fields out again. */
function encodeAgain(header: CallFileHeader): Uint8Array {
  const { prelude, recipients, mac, segmentLength, floeHeader: floe } = header;
  const { bytes } = encodeRecipients(recipients);
  return Buffer.concat([encodePrelude(prelude), bytes, mac, floeHeader(segmentLength, floe.subarray(10))]);
}

const mutation = fc.record({ position: fc.nat(), byte: fc.integer({ min: 0, max: 255 }) });

/** A valid header with a few bytes replaced, most of them where the lengths are. */
const damagedHeader = fc
  .record({
    fields: anyHeaderFields,
    mutations: fc.array(mutation, { minLength: 1, maxLength: 4 }),
    near: fc.boolean(),
  })
  .map(({ fields, mutations, near }) => {
    const bytes = Uint8Array.from(headerBytes(fields));
    for (const { position, byte } of mutations) bytes[position % (near ? 100 : bytes.length)] = byte;
    return bytes;
  });

/** Bytes that at least claim to be a call file of this version. */
const claimedHeader = fc
  .uint8Array({ maxLength: 2000, size: 'max' })
  .map((rest) => Buffer.concat([Buffer.from('CALLSEAL\0\x01\0\x01\0\0\0\0'), rest]));

describe('the header codec', () => {
  it('gives back every field of every header it laid out', () => {
    fc.assert(
      fc.property(anyHeaderFields, (fields) => {
        const { header } = parseHeader(headerBytes(fields));
        expect(header?.prelude).toEqual(fields.prelude);
        expect(header?.recipients).toEqual(fields.entries);
        expect(header?.mac).toEqual(fields.mac);
        expect(header?.segmentLength).toBe(fields.segmentLength);
        expect(header?.bodyOffset).toBe(headerBytes(fields).length - 74);
      }),
      { numRuns: 300 },
    );
  });

  it('says where in the section each wrapped key lies', () => {
    fc.assert(
      fc.property(anyHeaderFields, ({ entries }) => {
        const { bytes, wrapOffsets } = encodeRecipients(entries);
        for (const [index, offset] of wrapOffsets.entries()) {
          const { wrappedKey } = entries[index]!;
          expect(Buffer.compare(bytes.subarray(offset, offset + wrappedKey.length), wrappedKey)).toBe(0);
        }
      }),
    );
  });

  it.each([
    ['arbitrary bytes', fc.uint8Array({ maxLength: 3000, size: 'max' }), 1000],
    ['bytes that claim to be a call file', claimedHeader, 1000],
    ['damaged headers', damagedHeader, 1500],
  ])(
    'refuses %s with a known code, or they are the one encoding of what they say',
    async (_what, bytes, numRuns) => {
      await explore(
        fc.asyncProperty(bytes, async (input) => {
          const result = outcome(input);
          if (typeof result === 'string') return;
          expect(Buffer.compare(encodeAgain(result), input.subarray(0, result.bodyOffset + 74))).toBe(0);
        }),
        numRuns,
      );
    },
    EXPLORING,
  );

  it('finds the same whether the bytes come at once or as it asks for them, in five steps at most', () => {
    fc.assert(
      fc.property(fc.oneof(damagedHeader, claimedHeader, anyHeaderFields.map(headerBytes)), (input) => {
        const incremental = incrementalOutcome(input);
        expect(incremental.outcome).toEqual(outcome(input));
        expect(incremental.steps).toBeLessThanOrEqual(5);
      }),
      { numRuns: 600 },
    );
  });

  it('tells every cut of a header as what it is', () => {
    const [fields] = fc.sample(anyHeaderFields, { numRuns: 1, seed: 7 });
    const bytes = headerBytes(fields!);
    for (let length = 0; length < bytes.length; length++) {
      expect(outcome(bytes.subarray(0, length)), `cut to ${length} bytes`).toBe(
        length < 8 ? 'ERR_NOT_CALLSEAL' : 'ERR_TRUNCATED',
      );
    }
  });
});
