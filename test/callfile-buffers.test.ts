/** `encrypt` and `decrypt`: the caller's output, and what scripts do to buffers between the turns of the event loop. */

import { randomBytes } from 'node:crypto';
import { getEventListeners } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';

import { decrypt, encrypt, encryptedLength } from '../lib/index.ts';
import { codeOf, refusalOf } from './helpers/errors.ts';
import { makeParties, type Parties } from './helpers/parties.ts';

const MIB = 1 << 20;
/** Short ones, so that a turn does not get far. */
const SEGMENT = 1024;
/** Far more than is done in one turn. */
const LARGE = 32 * MIB;

let parties: Parties & { segmentLength?: number };
/** What makes a large buffer take many turns. */
let slow: Parties & { segmentLength: number };
let large: Uint8Array;
let largeSealed: Uint8Array;

beforeAll(async () => {
  parties = await makeParties();
  slow = { ...parties, segmentLength: SEGMENT };
  large = new Uint8Array(LARGE);
  large.set(randomBytes(MIB), LARGE - 2 * MIB);
  largeSealed = await encrypt(large, slow);
});

const isZero = (bytes: Uint8Array) => Buffer.compare(bytes, Buffer.alloc(bytes.length)) === 0;

/** An ArrayBuffer as TypeScript's library knows it from ES2024 on. */
type Resizable = ArrayBuffer & { resize(length: number): void };
const ResizableBuffer = ArrayBuffer as unknown as new (length: number, options: { maxByteLength: number }) => Resizable;

/** A copy whose buffer can shrink. */
function resizable(bytes: Uint8Array): Uint8Array {
  const copy = new Uint8Array(new ResizableBuffer(bytes.length, { maxByteLength: bytes.length }));
  copy.set(bytes);
  return copy;
}

/** Waits until `pending` has written to `output`, so that it is between two turns. */
async function begun(output: Uint8Array, at: number): Promise<void> {
  while (output[at] === 0) await nextTurn();
}

describe('the length of what encrypt makes', () => {
  it.each([0, 1, 991, 992, 993, 1984, 1985, 50_000])('is known before, for %i bytes', async (length) => {
    const plaintext = randomBytes(length);
    for (const segmentLength of [1024, 262_144, undefined]) {
      const expected = encryptedLength(length, { ...parties, segmentLength });
      expect(await encrypt(plaintext, { ...parties, segmentLength })).toHaveLength(expected);
    }
  });

  it.each([-1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, '5', undefined])(
    'of %s bytes is refused',
    (length) => {
      expect(() => encryptedLength(length as number, parties)).toThrow(
        expect.objectContaining({ code: 'ERR_INVALID_ARGUMENT' }),
      );
    },
  );
});

describe('a given output', () => {
  const plaintext = randomBytes(3 * MIB + 7);

  it('is written to and nothing beyond, whether it is exact or longer', async () => {
    const length = encryptedLength(plaintext.length, parties);
    for (const extra of [0, 1000]) {
      const output = Buffer.alloc(length + extra, 9);
      const sealed = await encrypt(plaintext, { ...parties, output });
      expect(sealed.buffer).toBe(output.buffer);
      expect([sealed.byteOffset, sealed.length]).toEqual([output.byteOffset, length]);
      expect(output.subarray(length).every((byte) => byte === 9)).toBe(true);

      const target = Buffer.alloc(plaintext.length + extra, 9);
      const opened = await decrypt(sealed, { ...parties, output: target });
      expect(opened.buffer).toBe(target.buffer);
      expect(opened).toHaveLength(plaintext.length);
      expect(Buffer.from(opened).equals(plaintext)).toBe(true);
      expect(target.subarray(plaintext.length).every((byte) => byte === 9)).toBe(true);
    }
  });

  it('may lie beside the input in one buffer', async () => {
    const length = encryptedLength(1000, parties);
    const memory = new Uint8Array(1000 + length + 1000);
    memory.set(plaintext.subarray(0, 1000), 1000);
    memory.copyWithin(0, 1000, 2000);
    const sealed = await encrypt(memory.subarray(0, 1000), {
      ...parties,
      output: memory.subarray(1000, 1000 + length),
    });
    const opened = await decrypt(sealed, { ...parties, output: memory.subarray(1000 + length) });
    expect(Buffer.from(opened).equals(plaintext.subarray(0, 1000))).toBe(true);
  });

  it('is refused when it is too short', async () => {
    const length = encryptedLength(plaintext.length, parties);
    const short = await refusalOf(() => encrypt(plaintext, { ...parties, output: new Uint8Array(length - 1) }));
    expect(short).toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
      message: `output has ${length - 1} bytes, and ${length} are needed`,
    });
    const sealed = await encrypt(plaintext, parties);
    const output = new Uint8Array(plaintext.length - 1);
    expect(await codeOf(() => decrypt(sealed, { ...parties, output }))).toBe('ERR_INVALID_ARGUMENT');
  });

  it('is refused when it overlaps the input, as memory or as bytes of another kind', async () => {
    const memory = new Uint8Array(10_000);
    const message = 'output must not overlap the input';
    for (const [input, output] of [
      [memory.subarray(0, 100), memory],
      [memory.subarray(5000, 5100), memory.subarray(0, 5001)],
      [memory.subarray(5000, 5100), memory.subarray(5099)],
      [memory.subarray(5000, 5100), Buffer.from(memory.buffer, 1000)],
    ] as const) {
      const refusal = await refusalOf(() => encrypt(input, { ...parties, output }));
      expect(refusal).toMatchObject({ code: 'ERR_INVALID_ARGUMENT', message });
    }
    memory.set(await encrypt(new Uint8Array(100), parties));
    const sealed = memory.subarray(0, encryptedLength(100, parties));
    const refusal = await refusalOf(() => decrypt(sealed, { ...parties, output: memory.subarray(sealed.length - 1) }));
    expect(refusal).toMatchObject({ code: 'ERR_INVALID_ARGUMENT', message });
  });

  it.each([
    ['shared', () => new Uint8Array(new SharedArrayBuffer(9_000_000))],
    ['no Uint8Array', () => new Uint16Array(9_000_000)],
    ['an imitation', () => Object.create(Uint8Array.prototype)],
  ])('that is %s is refused', async (_what, make) => {
    expect(await codeOf(() => encrypt(plaintext, { ...parties, output: make() }))).toBe('ERR_INVALID_ARGUMENT');
    const sealed = await encrypt(plaintext, parties);
    expect(await codeOf(() => decrypt(sealed, { ...parties, output: make() }))).toBe('ERR_INVALID_ARGUMENT');
    expect(await codeOf(() => encrypt(make(), parties))).toBe('ERR_INVALID_ARGUMENT');
    expect(await codeOf(() => decrypt(make(), parties))).toBe('ERR_INVALID_ARGUMENT');
  });
});

describe('threads', () => {
  it.each([1, 2, 64])('%i of them make and open a file that one opens', async (threads) => {
    const plaintext = randomBytes(5 * MIB + 1);
    for (const segmentLength of [1024, 262_144]) {
      const sealed = await encrypt(plaintext, { ...parties, segmentLength, threads });
      expect(Buffer.from(await decrypt(sealed, parties)).equals(plaintext)).toBe(true);
      expect(Buffer.from(await decrypt(sealed, { ...parties, threads })).equals(plaintext)).toBe(true);
    }
  });

  it.each([0, 65, 1.5, -1, '2', null])('%s of them are refused', async (threads) => {
    const options = { ...parties, threads: threads as number };
    expect(await codeOf(() => encrypt(new Uint8Array(1), options))).toBe('ERR_INVALID_ARGUMENT');
    expect(await codeOf(() => decrypt(new Uint8Array(1), options))).toBe('ERR_INVALID_ARGUMENT');
  });

  it('serve many calls at once, large and small', async () => {
    const sizes = [0, 1, 4096, 65_536, MIB, 3 * MIB, 20 * MIB];
    const plaintexts = Array.from({ length: 42 }, (_, index) =>
      large.subarray(LARGE - 2 * MIB - 100 * index).subarray(0, sizes[index % sizes.length]),
    );
    const opened = await Promise.all(
      plaintexts.map(async (plaintext, index) => {
        const options = { ...parties, threads: 1 + (index % 3) };
        return decrypt(await encrypt(plaintext, options), options);
      }),
    );
    for (const [index, plaintext] of plaintexts.entries()) {
      expect(Buffer.compare(opened[index]!, plaintext)).toBe(0);
    }
  });
});

describe('the event loop', () => {
  it.each(['encrypt', 'decrypt'] as const)('turns while %s works through a large buffer', async (operation) => {
    let done = false;
    let turns = 0;
    const counting = (async () => {
      for (; !done; turns++) await nextTurn();
    })();
    await (operation === 'encrypt' ? encrypt(large, slow) : decrypt(largeSealed, parties));
    done = true;
    await counting;
    expect(turns).toBeGreaterThan(2);
  });
});

type Disturbance = [what: string, disturb: (array: Uint8Array) => void];

const DISTURBANCES: Disturbance[] = [
  ['transferred', (array) => structuredClone(array.buffer, { transfer: [array.buffer as ArrayBuffer] })],
  ['shrunk', (array) => (array.buffer as Resizable).resize(array.buffer.byteLength - 1)],
  ['shrunk to nothing', (array) => (array.buffer as Resizable).resize(0)],
];

describe.each(DISTURBANCES)('a buffer that is %s between two turns', (_what, disturb) => {
  const MEANWHILE = /^(bytes|output) was transferred or resized while it was worked on$/;

  it('stops encryption, as input and as output', async () => {
    const bytes = resizable(large);
    const output = new Uint8Array(encryptedLength(LARGE, slow));
    let pending = refusalOf(() => encrypt(bytes, { ...slow, output }));
    await begun(output, 4096);
    disturb(bytes);
    expect(await pending).toMatchObject({ code: 'ERR_INVALID_ARGUMENT', message: expect.stringMatching(MEANWHILE) });

    const target = resizable(new Uint8Array(output.length));
    pending = refusalOf(() => encrypt(large, { ...slow, output: target }));
    await begun(target, 4096);
    disturb(target);
    expect(await pending).toMatchObject({ code: 'ERR_INVALID_ARGUMENT', message: expect.stringMatching(MEANWHILE) });
  });

  it('stops decryption, as input and as output, and clears what it has written', async () => {
    const bytes = resizable(largeSealed);
    const output = new Uint8Array(LARGE).fill(1);
    let pending = refusalOf(() => decrypt(bytes, { ...parties, output }));
    while (output[0] === 1) await nextTurn();
    disturb(bytes);
    expect(await pending).toMatchObject({ code: 'ERR_INVALID_ARGUMENT', message: expect.stringMatching(MEANWHILE) });
    expect(output.every((byte) => byte === 0 || byte === 1)).toBe(true);

    const target = resizable(output.fill(1));
    const { buffer } = target;
    pending = refusalOf(() => decrypt(largeSealed, { ...parties, output: target }));
    while (target[0] === 1) await nextTurn();
    disturb(target);
    expect(await pending).toMatchObject({ code: 'ERR_INVALID_ARGUMENT', message: expect.stringMatching(MEANWHILE) });
    const left = buffer.byteLength === 0 ? [] : [...new Set(new Uint8Array(buffer))];
    expect(left.filter((byte) => byte > 1)).toEqual([]);
  });

  it('stops both when it happens before the first turn', async () => {
    const bytes = resizable(new Uint8Array(1000));
    const output = resizable(new Uint8Array(encryptedLength(1000, parties)));
    for (const victim of [bytes, output]) {
      const pending = codeOf(() => encrypt(bytes, { ...parties, output }));
      disturb(victim);
      expect(await pending).toBe('ERR_INVALID_ARGUMENT');
    }
    const sealed = resizable(await encrypt(new Uint8Array(1000), parties));
    const pending = codeOf(() => decrypt(sealed, parties));
    disturb(sealed);
    expect(await pending).toBe('ERR_INVALID_ARGUMENT');
  });
});

it('a buffer that was transferred before is refused, and not taken for an empty one', async () => {
  const gone = new Uint8Array(1000);
  structuredClone(gone.buffer, { transfer: [gone.buffer] });
  const message = 'bytes was transferred: its bytes are elsewhere';
  expect(await refusalOf(() => encrypt(gone, parties))).toMatchObject({ code: 'ERR_INVALID_ARGUMENT', message });
});

it('an empty buffer that is transferred meanwhile is refused like any other', async () => {
  const empty = new Uint8Array(0);
  const pending = codeOf(() => encrypt(empty, parties));
  structuredClone(empty.buffer, { transfer: [empty.buffer] });
  expect(await pending).toBe('ERR_INVALID_ARGUMENT');
});

it('an array that grows with its buffer is taken as long as it was', async () => {
  const buffer = new ResizableBuffer(1000, { maxByteLength: 2000 });
  const pending = encrypt(new Uint8Array(buffer), parties);
  buffer.resize(2000);
  expect(await decrypt(await pending, parties)).toHaveLength(1000);
});

describe('decrypt that fails', () => {
  it.each([1, 2])('late leaves nothing in its output, with %i threads', async (threads) => {
    const altered = Buffer.from(largeSealed);
    altered[altered.length - SEGMENT]! ^= 1;
    const output = new Uint8Array(LARGE);
    expect(await codeOf(() => decrypt(altered, { ...parties, output, threads }))).toBe('ERR_TAMPERED');
    expect(isZero(output)).toBe(true);
  });

  it('for want of an end leaves nothing in its output', async () => {
    const output = new Uint8Array(LARGE);
    const cut = largeSealed.subarray(0, largeSealed.length - 1);
    const { code, message } = await refusalOf(() => decrypt(cut, { ...parties, output }));
    expect([code, message]).toEqual([
      'ERR_TRUNCATED',
      expect.stringMatching(/^input is incomplete: it ends inside segment \d+; /),
    ]);
    expect(isZero(output)).toBe(true);
    const longer = Buffer.concat([largeSealed, Buffer.alloc(3)]);
    const room = new Uint8Array(LARGE + 3);
    const refusal = await refusalOf(() => decrypt(longer, { ...parties, output: room }));
    expect([refusal.code, refusal.message]).toEqual(['ERR_TAMPERED', expect.stringMatching(/3 bytes follow/)]);
    expect(isZero(room)).toBe(true);
  });

  it('says between which segments a file was cut', async () => {
    const sealed = await encrypt(new Uint8Array(3000), slow);
    const cut = sealed.subarray(0, sealed.length - (3000 - 3 * 992) - 32);
    expect((await refusalOf(() => decrypt(cut, parties))).message).toMatch(/it ends before segment 3;/);
  });
});

describe('a signal that is raised between two turns', () => {
  it('stops encryption, with its reason, and is not listened to', async () => {
    const controller = new AbortController();
    const output = new Uint8Array(encryptedLength(LARGE, slow));
    const pending = refusalOf(() => encrypt(large, { ...slow, output, signal: controller.signal }));
    await begun(output, 4096);
    controller.abort(new Error('enough'));
    expect(await pending).toMatchObject({ code: 'ERR_ABORTED', cause: expect.objectContaining({ message: 'enough' }) });
    expect(isZero(output.subarray(-1000))).toBe(true);
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
  });

  it('stops decryption, and clears what it has written', async () => {
    const controller = new AbortController();
    const output = new Uint8Array(LARGE).fill(1);
    const pending = codeOf(() => decrypt(largeSealed, { ...parties, output, signal: controller.signal }));
    while (output[0] === 1) await nextTurn();
    controller.abort();
    expect(await pending).toBe('ERR_ABORTED');
    expect(output[0]).toBe(0);
    expect(output.every((byte) => byte === 0 || byte === 1)).toBe(true);
  });
});
