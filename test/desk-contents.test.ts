/** Contents that are open: never more than a few, none that nobody closes, and what fails once may go well later. */

import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { beforeAll, expect, it, vi } from 'vitest';
import { wavHeader } from '../lib/desk/audio/wav-header.ts';
import type { FileListing, OpenedView, SoundView } from '../lib/desk/protocol.ts';
import { CallsealError } from '../lib/errors.ts';
import { DeskClient, seal, startDesk } from './helpers/desk.ts';
import { makeParties, type Parties } from './helpers/parties.ts';
import { tempDir } from './helpers/temp.ts';

let parties: Parties;

beforeAll(async () => {
  parties = await makeParties();
});

/** A desk with so many files, and one of the keys that open them. */
async function deskWith(contents: Uint8Array[]) {
  const root = tempDir();
  for (const [n, bytes] of contents.entries()) await seal(root, `${n}.sealed`, bytes, parties.recipients, 4096);
  const test = await startDesk({ paths: [root] });
  const client = await DeskClient.enter(test);
  await client.giveKey('mary.key', readFileSync(parties.mary.privateKey));
  const { files } = await client.json<FileListing>('GET', '/api/files');
  /** Contents that are open: each has two descriptors that lead to its file, its own and its reader's. */
  const held = () =>
    readdirSync('/proc/self/fd').filter((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`).startsWith(root);
      } catch {
        return false; // closed meanwhile
      }
    }).length / 2;
  return { ...test, client, ids: files.map(({ id }) => id), held };
}

it('no more than eight are open, however many are opened at once', async () => {
  const { desk, ids, held } = await deskWith(Array.from({ length: 12 }, () => randomBytes(10_000)));
  for (const id of ids.slice(0, 8)) await desk.open(id, false);
  expect(held()).toBe(8);
  await Promise.all(ids.slice(0, 8).map((id) => desk.open(id, false)));
  expect(held()).toBe(8);
  const outcomes = await Promise.allSettled(ids.map((id) => desk.open(id, false)));
  expect(held()).toBe(8);
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(8);
  expect(outcomes.find(({ status }) => status === 'rejected')).toMatchObject({
    reason: { code: 'ERR_INVALID_ARGUMENT', message: expect.stringContaining('at once') },
  });
});

it('one that was closed before it was open is not opened', async () => {
  const { desk, ids, held } = await deskWith([randomBytes(10_000)]);
  const opening = desk.open(ids[0]!, false);
  await desk.contents.closeWhere(({ fileId }) => fileId === ids[0]);
  await expect(opening).rejects.toMatchObject({ code: 'ERR_KEY_USE' });
  expect(held()).toBe(0);
  const { handle } = await desk.open(ids[0]!, false);
  expect(held()).toBe(1);
  await desk.contents.close(handle);
});

it('one that somebody asked for who has gone is closed', async () => {
  const { desk, host, port, client, ids, held } = await deskWith([randomBytes(10_000)]);
  const opened = vi.spyOn(desk.contents, 'open');
  const socket = connect(port, host.split(':')[0]!);
  const headers = Object.entries({ ...client.headers, Host: host, 'Content-Length': '2' });
  const lines = [`POST /api/files/${ids[0]}/open HTTP/1.1`, ...headers.map((pair) => pair.join(': ')), '', '{}'];
  socket.end(lines.join('\r\n'), () => socket.destroy());
  await vi.waitFor(() => expect(opened).toHaveBeenCalledOnce());
  await opened.mock.results[0]!.value;
  await vi.waitFor(() => expect(held()).toBe(0));
});

it('a sound that could not be read is read again', async () => {
  const wav = wavHeader({ tag: 1, channels: 1, sampleRate: 8000, bitsPerSample: 16 }, 0);
  const { desk, client, ids } = await deskWith([wav]);
  const { handle } = await client.json<OpenedView>('POST', `/api/files/${ids[0]}/open`, {});
  const sound = () => client.json<SoundView>('GET', `/api/open/${handle}/sound?as=wav`);
  const { content } = desk.contents.get(handle);
  vi.spyOn(content, 'readRange').mockRejectedValueOnce(new CallsealError('ERR_IO', 'the disk was away for a moment'));
  await expect(sound()).rejects.toMatchObject({ code: 'ERR_IO' });
  expect(await sound()).toMatchObject({ description: 'WAV: 16-bit PCM, 8 kHz, mono' });
});
