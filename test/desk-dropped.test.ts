/** Dropped files: what there is no room for is said, and the room of what is taken away is there again. */

import { closeSync, openSync, readFileSync } from 'node:fs';
import { createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, describe, expect, it } from 'vitest';
import { DroppedFiles } from '../lib/desk/dropped.ts';
import type { FileView } from '../lib/desk/protocol.ts';
import type { SealedFile } from '../lib/desk/sealed-file.ts';
import { CallsealError } from '../lib/errors.ts';
import { DeskClient, startDesk } from './helpers/desk.ts';
import { smallDisk } from './helpers/files.ts';

const disk = smallDisk(256);
const why = typeof disk === 'string' ? disk : '';

afterAll(() => {
  delete process.env.TMPDIR;
  if (typeof disk !== 'string') disk.release(true);
});

it.skipIf(typeof disk === 'string')(`is told of a full disk, and where it is ${why && `(${why})`}`, async () => {
  if (typeof disk === 'string') return;
  process.env.TMPDIR = disk.dir;
  const client = await DeskClient.enter(await startDesk());
  const whole = Buffer.alloc(8 << 20, 'CALLSEAL');
  for (let n = 0; n < 3; n++) {
    const failure = await client.drop('monday/call.sealed', whole).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'ERR_IO' });
    expect((failure as Error).message).toContain(`cannot keep monday/call.sealed in ${disk.dir}: no space is left`);
  }
  expect(await client.drop('small.sealed', whole.subarray(0, 1000))).toMatchObject({ dropped: true });
});

it('is refused before it is sent when it is larger than all that may be dropped', async () => {
  const test = await startDesk();
  const client = await DeskClient.enter(test);
  const tooLong = String(2 ** 40);
  const path = '/api/drop?name=a.sealed';
  const answer = await test.ask({ method: 'POST', path, headers: { ...client.headers, 'Content-Length': tooLong } });
  expect([answer.status, answer.body.toString()]).toEqual([422, expect.stringContaining('at most 800 dropped files')]);
});

it('stays the file that it is when it is taken away while it is read', async () => {
  const test = await startDesk();
  const { id } = await (await DeskClient.enter(test)).drop<FileView>('a.sealed', Buffer.from('its own bytes'));
  const { file } = test.desk.shelf.file(id);
  const others: number[] = [];
  const read = await file.with(async (path) => {
    await test.desk.removeFile(id);
    // Descriptors have the lowest numbers that are free.
    for (let n = 0; n < 8; n++) others.push(openSync(import.meta.filename, 'r'));
    return readFileSync(path, 'utf8');
  });
  for (const descriptor of others) closeSync(descriptor);
  expect(read).toBe('its own bytes');
});

describe('the room for dropped files', () => {
  const files: SealedFile[] = [];
  const dropped = new DroppedFiles({ files: 3, bytes: 1000 });
  const server = createServer(async (request, response) => {
    try {
      files.push(await dropped.receive(request, 'a.sealed'));
      response.end('kept');
    } catch (error) {
      response.end(error instanceof CallsealError ? error.code : String(error));
    }
  });
  afterAll(async () => {
    await Promise.all(files.map((file) => file.close()));
    server.close();
  });

  const drop = (bytes: number): Promise<string> =>
    new Promise((resolve, reject) => {
      const { port } = server.address() as AddressInfo;
      const options = { port, host: '127.0.0.1', method: 'POST', agent: false, headers: { 'Content-Length': bytes } };
      const request = httpRequest(options, (response) => {
        response.setEncoding('utf8').once('data', resolve);
      });
      request.once('error', reject);
      request.end(Buffer.alloc(bytes));
    });

  it('is bounded in bytes and in number, and comes back', async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    expect(await drop(1001)).toBe('ERR_INVALID_ARGUMENT');
    expect(await drop(600)).toBe('kept');
    expect(await drop(600)).toBe('ERR_INVALID_ARGUMENT');
    expect(await drop(400)).toBe('kept');
    await files.shift()!.close();
    expect(await drop(600)).toBe('kept');
    await Promise.all(files.splice(0).map((file) => file.close()));
    expect(await Promise.all([drop(1), drop(1), drop(1)])).toEqual(['kept', 'kept', 'kept']);
    expect(await drop(1)).toBe('ERR_INVALID_ARGUMENT');
  });

  it('is not lost with a name that no file can have', async () => {
    const client = await DeskClient.enter(await startDesk());
    await expect(client.drop('../x', Buffer.alloc(4 << 20))).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT' });
    const { id } = await client.drop<FileView>('x', readFileSync(import.meta.filename));
    await client.json('DELETE', `/api/files/${id}`);
  });
});
