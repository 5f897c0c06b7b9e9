/** The native segment ciphers: in order, whole, once; from bytes in two places; straight into the caller's output. */

import { randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';

import type {
  NativeEnvelopeTemplate,
  NativeFloeDecryptor,
  NativeFloeEncryptor,
  NativePrivateKey,
} from '../lib/native/binding.ts';
import { native } from '../lib/native/load.ts';
import { codeOf } from './helpers/errors.ts';

const SEGMENT = 1024;
const FULL = SEGMENT - 32;
const NONE = new Uint8Array(0);
const PRELUDE = new Uint8Array(48);
const LABEL = new Uint8Array(1);
const SECOND = 1_000_000;

const n = native();
let key: NativePrivateKey;
let template: NativeEnvelopeTemplate;

beforeAll(async () => {
  key = await n.PrivateKey.generate(2048);
  const wraps = [{ publicKey: key.publicKey, offset: 0 }];
  template = new n.EnvelopeTemplate({ recipients: new Uint8Array(256), wraps, bodyLabel: LABEL, macLabel: LABEL });
});

async function newMessage(): Promise<{ encryptor: NativeFloeEncryptor; open: () => NativeFloeDecryptor }> {
  const { header, encryptor } = await template.start(PRELUDE, SEGMENT);
  const content = await key.unwrap(header.subarray(48, 304));
  const body = content.derive('floe', LABEL, PRELUDE);
  return { encryptor, open: () => new n.FloeDecryptor(body, PRELUDE, encryptor.header) };
}

const encrypted = (bytes: number) => bytes + 32 * Math.max(1, Math.ceil(bytes / FULL));

/** All of `plaintext` as one message. */
function seal(encryptor: NativeFloeEncryptor, plaintext: Uint8Array, threads = 1): Buffer {
  const output = Buffer.alloc(encrypted(plaintext.length));
  expect(encryptor.encrypt(NONE, plaintext, true, output, threads, SECOND)).toBe(output.length);
  return output;
}

describe('an encryptor', () => {
  it('writes whole segments, in order, and the last one once', async () => {
    const { encryptor, open } = await newMessage();
    const full = new Uint8Array(FULL).fill(7);
    const output = new Uint8Array(SEGMENT);
    expect(encryptor.header).toHaveLength(74);
    expect(encryptor.plaintextLength).toBe(FULL);
    for (const length of [1, FULL - 1, FULL + 1]) {
      const wrong = () => encryptor.encrypt(NONE, new Uint8Array(length), false, new Uint8Array(4096), 1, SECOND);
      expect(await codeOf(wrong)).toBe('ERR_INVALID_ARGUMENT');
    }
    expect(encryptor.encrypt(NONE, NONE, false, output, 1, SECOND)).toBe(0);
    expect(encryptor.encrypt(NONE, full, false, output, 1, SECOND)).toBe(SEGMENT);
    const last = new Uint8Array(35);
    expect(encryptor.encrypt(NONE, full.subarray(0, 3), true, last, 1, SECOND)).toBe(35);
    for (const end of [true, false]) {
      expect(await codeOf(() => encryptor.encrypt(NONE, full, end, output, 1, SECOND))).toBe('ERR_KEY_USE');
    }
    const plaintext = new Uint8Array(FULL + 3);
    const decryptor = open();
    const body = Buffer.concat([output, last]);
    expect(decryptor.decrypt(NONE, body, plaintext, 1, SECOND)).toBe(SEGMENT);
    expect(decryptor.decrypt(NONE, last, plaintext.subarray(FULL), 1, SECOND)).toBe(35);
    expect(plaintext.every((byte) => byte === 7)).toBe(true);
  });

  it('takes bytes that lie in two places, cut anywhere', async () => {
    const plaintext = randomBytes(2 * FULL + 100);
    for (const cut of [0, 1, 15, 16, 17, FULL - 1, FULL, FULL + 1, 2 * FULL, plaintext.length]) {
      const { encryptor, open } = await newMessage();
      const output = Buffer.alloc(encrypted(plaintext.length));
      encryptor.encrypt(plaintext.subarray(0, cut), plaintext.subarray(cut), true, output, 1, SECOND);
      for (const other of [0, 3, 4, 5, 16, 20, 1007, 1008, 1023, 1024, 1025, 1030, 2100]) {
        const decryptor = open();
        const opened = Buffer.alloc(plaintext.length);
        const read = decryptor.decrypt(output.subarray(0, other), output.subarray(other), opened, 1, SECOND);
        expect(read).toBe(2 * SEGMENT);
        decryptor.decrypt(NONE, output.subarray(read), opened.subarray(2 * FULL), 1, SECOND);
        expect(opened.equals(plaintext), `cut at ${cut} and ${other}`).toBe(true);
      }
    }
  });

  it.each([1, 2, 64])('makes the same of a large message with %i threads', async (threads) => {
    const plaintext = randomBytes(700 * FULL + 5);
    const { encryptor, open } = await newMessage();
    const body = seal(encryptor, plaintext, threads);
    const ivs = new Set<string>();
    for (let at = 0; at < body.length; at += SEGMENT) ivs.add(body.toString('hex', at + 4, at + 16));
    expect(ivs.size).toBe(701);
    const decryptor = open();
    const opened = Buffer.alloc(plaintext.length);
    expect(decryptor.decrypt(NONE, body, opened, threads, SECOND)).toBe(700 * SEGMENT);
    expect(decryptor.finished).toBe(false);
    expect(decryptor.decrypt(NONE, body.subarray(700 * SEGMENT), opened.subarray(700 * FULL), threads, SECOND)).toBe(
      37,
    );
    expect(decryptor.finished).toBe(true);
    expect(opened.equals(plaintext)).toBe(true);
  });

  it('stops when its time is over, after some segments', async () => {
    const plaintext = randomBytes(1000 * FULL);
    const { encryptor, open } = await newMessage();
    const body = Buffer.alloc(encrypted(plaintext.length));
    let calls = 0;
    for (let written = 0; written < body.length; calls++) {
      const read = (written / SEGMENT) * FULL;
      const count = encryptor.encrypt(NONE, plaintext.subarray(read), true, body.subarray(written), 2, 0);
      expect(count % SEGMENT).toBe(0);
      written += count;
    }
    expect(calls).toBeGreaterThan(1);
    const opened = Buffer.alloc(plaintext.length);
    const decryptor = open();
    for (let read = 0; !decryptor.finished; ) {
      const count = decryptor.decrypt(NONE, body.subarray(read), opened.subarray((read / SEGMENT) * FULL), 2, 0);
      expect(count).toBeGreaterThan(0);
      read += count;
    }
    expect(opened.equals(plaintext)).toBe(true);
  });

  it('refuses an output that is too short or lies over the input', async () => {
    const { encryptor } = await newMessage();
    const memory = new Uint8Array(8 * SEGMENT);
    const input = memory.subarray(SEGMENT, SEGMENT + FULL);
    const outputs = [
      new Uint8Array(SEGMENT - 1),
      memory,
      memory.subarray(0, SEGMENT + 1),
      memory.subarray(SEGMENT + FULL - 1),
    ];
    for (const output of outputs) {
      expect(await codeOf(() => encryptor.encrypt(NONE, input, true, output, 1, SECOND))).toBe('ERR_INVALID_ARGUMENT');
      expect(await codeOf(() => encryptor.encrypt(input, NONE, true, output, 1, SECOND))).toBe('ERR_INVALID_ARGUMENT');
    }
    expect(encryptor.encrypt(NONE, input, true, memory.subarray(SEGMENT + FULL), 1, SECOND)).toBe(SEGMENT);
  });
});

describe('a decryptor', () => {
  const plaintext = randomBytes(5 * FULL);

  it('reads no segment that is not there in full', async () => {
    const { encryptor, open } = await newMessage();
    const body = seal(encryptor, plaintext);
    const decryptor = open();
    const output = new Uint8Array(plaintext.length);
    for (const length of [0, 3, 4, 31, 32, SEGMENT - 1]) {
      expect(decryptor.decrypt(NONE, body.subarray(0, length), output, 1, SECOND)).toBe(0);
    }
    expect(decryptor.decrypt(NONE, body.subarray(0, 2 * SEGMENT + 500), output, 1, SECOND)).toBe(2 * SEGMENT);
  });

  it('reads as many as its output has room for, and refuses one that has none', async () => {
    const { encryptor, open } = await newMessage();
    const body = seal(encryptor, plaintext);
    const decryptor = open();
    expect(decryptor.segmentLength).toBe(SEGMENT);
    expect(await codeOf(() => decryptor.decrypt(NONE, body, new Uint8Array(FULL - 1), 1, SECOND))).toBe(
      'ERR_INVALID_ARGUMENT',
    );
    expect(await codeOf(() => decryptor.decrypt(NONE, body, body, 1, SECOND))).toBe('ERR_INVALID_ARGUMENT');
    const output = new Uint8Array(2 * FULL + 5);
    expect(decryptor.decrypt(NONE, body, output, 1, SECOND)).toBe(2 * SEGMENT);
    expect(Buffer.from(output.subarray(0, 2 * FULL)).equals(plaintext.subarray(0, 2 * FULL))).toBe(true);
  });

  it.each([1, 2])('stops before a segment that was altered, then refuses it, with %i threads', async (threads) => {
    const { encryptor, open } = await newMessage();
    const body = seal(encryptor, randomBytes(300 * FULL));
    body[200 * SEGMENT + 700]! ^= 1;
    body[250 * SEGMENT + 700]! ^= 1;
    const decryptor = open();
    const output = Buffer.alloc(300 * FULL, 1);
    expect(decryptor.decrypt(NONE, body, output, threads, SECOND)).toBe(200 * SEGMENT);
    const rest = output.subarray(200 * FULL);
    // What was decrypted beyond it is cleared; what was not begun is as it was.
    expect(rest.every((byte) => byte === 0 || byte === 1)).toBe(true);
    rest.fill(1);
    for (let again = 0; again < 2; again++) {
      const call = () => decryptor.decrypt(NONE, body.subarray(200 * SEGMENT), rest, threads, SECOND);
      expect(await codeOf(call)).toBe('ERR_TAMPERED');
      expect(rest.every((byte) => byte === 0 || byte === 1)).toBe(true);
    }
  });

  it('refuses segments out of order, and what follows the last', async () => {
    const { encryptor, open } = await newMessage();
    const body = seal(encryptor, plaintext);
    const output = new Uint8Array(plaintext.length);
    const decryptor = open();
    const from = (index: number) => () => decryptor.decrypt(NONE, body.subarray(index * SEGMENT), output, 1, SECOND);
    expect(await codeOf(from(1))).toBe('ERR_TAMPERED');
    expect(await codeOf(from(4))).toBe('ERR_TAMPERED');
    expect(from(0)()).toBe(4 * SEGMENT);
    expect(decryptor.finished).toBe(false);
    expect(from(4)()).toBe(SEGMENT);
    expect(decryptor.finished).toBe(true);
    expect(await codeOf(from(4))).toBe('ERR_KEY_USE');
  });

  it('opens any segment by its number', async () => {
    const { encryptor, open } = await newMessage();
    const body = seal(encryptor, plaintext);
    const decryptor = open();
    const segment = (index: number) => body.subarray(index * SEGMENT, (index + 1) * SEGMENT);
    for (const index of [4, 0, 2]) {
      const opened = decryptor.decryptSegmentAt(index, segment(index), index === 4);
      expect(Buffer.from(opened).equals(plaintext.subarray(index * FULL, (index + 1) * FULL))).toBe(true);
    }
    expect(await codeOf(() => decryptor.decryptSegmentAt(1, segment(0), false))).toBe('ERR_TAMPERED');
    expect(await codeOf(() => decryptor.decryptSegmentAt(4, segment(4), false))).toBe('ERR_TAMPERED');
    for (const length of [0, 3, 31, 1025, 5000]) {
      expect(await codeOf(() => decryptor.decryptSegmentAt(0, new Uint8Array(length), false))).toBe('ERR_TAMPERED');
    }
    for (const index of [undefined, null, 0.5, -1, 2 ** 53, '0']) {
      const call = () => decryptor.decryptSegmentAt(index as number, segment(0), false);
      expect(await codeOf(call)).toBe('ERR_INVALID_ARGUMENT');
    }
    for (const final of [undefined, 1]) {
      expect(await codeOf(() => decryptor.decryptSegmentAt(0, segment(0), final as never))).toBe(
        'ERR_INVALID_ARGUMENT',
      );
    }
  });
});

describe('starting ahead', () => {
  it('gives the same message as starting, with its header later', async () => {
    const { header, encryptor } = template.startAhead(PRELUDE, SEGMENT);
    const body = seal(encryptor, Buffer.from('a call'));
    const content = await key.unwrap((await header).subarray(48, 304));
    const mac = content.derive('mac', LABEL, PRELUDE);
    expect(mac.verifyMac((await header).subarray(0, 304), (await header).subarray(304))).toBe(true);
    const decryptor = new n.FloeDecryptor(content.derive('floe', LABEL, PRELUDE), PRELUDE, encryptor.header);
    const opened = Buffer.alloc(6);
    decryptor.decrypt(NONE, body, opened, 1, SECOND);
    expect(opened.toString()).toBe('a call');
  });
});
