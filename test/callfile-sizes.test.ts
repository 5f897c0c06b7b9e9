/** Every way to encrypt × every way to decrypt, at the lengths where segments begin and end. */

import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';

import {
  createDecryptStream,
  createEncryptStream,
  decrypt,
  decryptFile,
  encrypt,
  encryptFile,
  encryptInPlace,
  inspect,
  verify,
} from '../lib/index.ts';
import { makeParties, type Parties } from './helpers/parties.ts';
import { through } from './helpers/streams.ts';
import { tempDir } from './helpers/temp.ts';
import { decodeCallFile } from './independent-decoder.ts';

const SEGMENT = 1024;
const FULL = SEGMENT - 32;

let parties: Parties;
const dir = tempDir();
let count = 0;

beforeAll(async () => {
  parties = await makeParties();
});

function freshPath(): string {
  return join(dir, `file-${count++}`);
}

type Producer = (plaintext: Uint8Array, segmentLength: number) => Promise<Uint8Array>;

const PRODUCERS: Record<string, Producer> = {
  encryptFile: async (plaintext, segmentLength) => {
    const [input, output] = [freshPath(), freshPath()];
    writeFileSync(input, plaintext);
    const result = await encryptFile(input, output, { recipients: parties.recipients, segmentLength, sync: false });
    const sealed = readFileSync(output);
    expect(result).toEqual({ inputBytes: plaintext.length, outputBytes: sealed.length });
    return sealed;
  },
  encryptInPlace: async (plaintext, segmentLength) => {
    const path = freshPath();
    writeFileSync(path, plaintext);
    await encryptInPlace(path, { recipients: parties.recipients, segmentLength, sync: false });
    return readFileSync(path);
  },
  encrypt: (plaintext, segmentLength) => encrypt(plaintext, { recipients: parties.recipients, segmentLength }),
  createEncryptStream: (plaintext, segmentLength) =>
    through(createEncryptStream({ recipients: parties.recipients, segmentLength }), plaintext, 777),
  'createEncryptStream, one chunk': (plaintext, segmentLength) =>
    through(createEncryptStream({ recipients: parties.recipients, segmentLength }), plaintext, 1 << 30),
};

type Consumer = (sealed: Uint8Array, plaintextBytes: number) => Promise<Uint8Array>;

const CONSUMERS: Record<string, Consumer> = {
  decryptFile: async (sealed, plaintextBytes) => {
    const [input, output] = [freshPath(), freshPath()];
    writeFileSync(input, sealed);
    const { inputBytes, outputBytes } = await decryptFile(input, output, { keys: parties.keys, sync: false });
    expect({ inputBytes, outputBytes }).toEqual({ inputBytes: sealed.length, outputBytes: plaintextBytes });
    expect((await verify(input, { keys: parties.keys })).plaintextBytes).toBe(plaintextBytes);
    return readFileSync(output);
  },
  decrypt: (sealed) => decrypt(sealed, { keys: parties.keys }),
  createDecryptStream: (sealed) => through(createDecryptStream({ keys: parties.keys }), sealed, 1000),
  'createDecryptStream, byte by byte': (sealed) =>
    through(createDecryptStream({ keys: parties.keys }), sealed, sealed.length > 20_000 ? 4096 : 1),
  'createDecryptStream, one chunk': (sealed) => through(createDecryptStream({ keys: parties.keys }), sealed, 1 << 30),
  'the independent decoder': async (sealed) => decodeCallFile(Buffer.from(sealed), parties.maryPem).plaintext,
};

const LENGTHS = [0, 1, FULL - 1, FULL, FULL + 1, 2 * FULL - 1, 2 * FULL, 2 * FULL + 1, 10 * FULL, 10 * FULL + 500];

describe.each(Object.keys(PRODUCERS))('what %s makes', (producer) => {
  it.each(LENGTHS)('of %i bytes opens everywhere', async (length) => {
    const plaintext = randomBytes(length);
    const sealed = await PRODUCERS[producer]!(plaintext, SEGMENT);
    for (const [consumer, consume] of Object.entries(CONSUMERS)) {
      expect(Buffer.compare(await consume(sealed, length), plaintext), `${consumer} gives it back`).toBe(0);
    }
  });

  it.each(LENGTHS)('of %i bytes is described by inspect', async (length) => {
    const sealed = await PRODUCERS[producer]!(randomBytes(length), SEGMENT);
    const decoded = decodeCallFile(Buffer.from(sealed), parties.maryPem);
    expect(await inspect(sealed)).toMatchObject({
      fileId: decoded.fileId,
      plaintextBytes: length,
      fileBytes: sealed.length,
      segments: decoded.segments,
      segmentLength: SEGMENT,
      state: 'complete',
      problem: null,
    });
    expect(decoded.segments).toBe(Math.max(1, Math.ceil(length / FULL)));
  });
});

describe('several megabytes with the default segment length', () => {
  const plaintext = randomBytes(5_000_003);

  it.each(Object.keys(PRODUCERS))('made by %s', async (producer) => {
    const sealed = await PRODUCERS[producer]!(plaintext, 262_144);
    for (const [consumer, consume] of Object.entries(CONSUMERS)) {
      expect(Buffer.compare(await consume(sealed, plaintext.length), plaintext), `${consumer} gives it back`).toBe(0);
    }
  });
});
