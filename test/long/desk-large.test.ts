/** A large recording on the desk: what is listened to is decrypted, the rest is not, and memory stays flat. */

import { randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { beforeAll, expect, it } from 'vitest';
import { createEncryptStream } from '../../lib/callfile/encrypt-stream.ts';
import { wavHeader } from '../../lib/desk/audio/wav-header.ts';
import type { FileListing, OpenedView, SoundView } from '../../lib/desk/protocol.ts';
import { DeskClient, startDesk } from '../helpers/desk.ts';
import { makeParties, type Parties } from '../helpers/parties.ts';
import { tempDir } from '../helpers/temp.ts';

const MEGABYTE = 1 << 20;
const LENGTH = 200 * MEGABYTE;
const PIECE = randomBytes(MEGABYTE);
const PARTS = 64;
const PART = 65_536;

let parties: Parties;
let root: string;

beforeAll(async () => {
  parties = await makeParties();
  root = tempDir();
  const recording = async function* () {
    yield wavHeader({ tag: 1, channels: 1, sampleRate: 8000, bitsPerSample: 16 }, LENGTH);
    for (let done = 0; done < LENGTH; done += MEGABYTE) yield PIECE;
  };
  const sealing = createEncryptStream({ recipients: parties.recipients });
  await pipeline(Readable.from(recording()), sealing, createWriteStream(join(root, 'day.wav.sealed')));
});

it('is heard anywhere at once, byte for byte, without growing', async () => {
  const test = await startDesk({ paths: [root], keys: [parties.mary.privateKey] });
  const client = await DeskClient.enter(test);
  const { files } = await client.json<FileListing>('GET', '/api/files');
  const { handle, bytes } = await client.json<OpenedView>('POST', `/api/files/${files[0]!.id}/open`, {});
  expect(bytes).toBe(LENGTH + 44);
  const { address, seconds } = await client.json<SoundView>('GET', `/api/open/${handle}/sound?as=wav`);
  expect(seconds).toBe(LENGTH / 16_000);
  const before = process.memoryUsage().rss;
  for (let n = 0; n < PARTS; n++) {
    const start = 44 + Math.floor((Math.random() * (LENGTH - PART)) / MEGABYTE) * MEGABYTE;
    const range = { Range: `bytes=${start}-${start + PART - 1}` };
    const { status, body } = await client.ask('GET', address, undefined, range);
    expect([status, body.equals(PIECE.subarray(0, PART))]).toEqual([206, true]);
  }
  expect(process.memoryUsage().rss - before).toBeLessThan(64 * MEGABYTE);
});

it('is saved in full while nothing of it is kept', async () => {
  const test = await startDesk({ paths: [root], keys: [parties.mary.privateKey] });
  const client = await DeskClient.enter(test);
  const { files } = await client.json<FileListing>('GET', '/api/files');
  const { handle } = await client.json<OpenedView>('POST', `/api/files/${files[0]!.id}/open`, {});
  const response = await fetch(`${test.origin}/media/${handle}/save`, { headers: { ...client.headers } });
  let length = 0;
  let highest = 0;
  const before = process.memoryUsage().rss;
  for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    highest = Math.max(highest, process.memoryUsage().rss - before);
  }
  expect(length).toBe(LENGTH + 44);
  expect(highest).toBeLessThan(128 * MEGABYTE);
});
