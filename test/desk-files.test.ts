/** Files at the desk: what is told of them, how they are opened, and that nothing leads out of the directories named. */

import { randomBytes } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import type { FileListing, FileView, OpenedView, SaveView, SoundView, VerifiedView } from '../lib/desk/protocol.ts';
import { Recipients } from '../lib/recipients/recipients.ts';
import { DeskClient, seal, startDesk } from './helpers/desk.ts';
import { makeParties, type Parties } from './helpers/parties.ts';
import { tempDir } from './helpers/temp.ts';

const SEGMENT = 4096;
const CONTENT = randomBytes(50_000);

let parties: Parties;

beforeAll(async () => {
  parties = await makeParties();
});

/** A desk with a directory of its own, and somebody at it. */
async function deskWith(names: Record<string, Uint8Array>, options: Parameters<typeof startDesk>[0] = {}) {
  const root = tempDir();
  for (const [name, bytes] of Object.entries(names)) {
    mkdirSync(join(root, name, '..'), { recursive: true });
    await seal(root, name, bytes, parties.recipients, SEGMENT);
  }
  const test = await startDesk({ paths: [root], ...options });
  const client = await DeskClient.enter(test);
  return { root, test, client };
}

const list = (client: DeskClient) => client.json<FileListing>('GET', '/api/files');
const giveMary = (client: DeskClient) => client.giveKey('mary.key', readFileSync(parties.mary.privateKey));

async function named(client: DeskClient, name: string): Promise<FileView> {
  const found = (await list(client)).files.find((file) => file.name === name);
  if (found === undefined) throw new Error(`no ${name}`);
  return found;
}

const open = (client: DeskClient, { id }: FileView, recover = false) =>
  client.json<OpenedView>('POST', `/api/files/${id}/open`, { recover });

const verify = (client: DeskClient, handle: string) => client.json<VerifiedView>('POST', `/api/open/${handle}/verify`);

describe('a folder', () => {
  it('is listed with states and recipients, before any key is given', async () => {
    const root = tempDir();
    mkdirSync(join(root, 'deep/er'), { recursive: true });
    await seal(root, 'whole.sealed', CONTENT, parties.recipients, SEGMENT);
    truncateSync(await seal(root, 'deep/cut.sealed', CONTENT, parties.recipients, SEGMENT), 20_000);
    const long = await seal(root, 'deep/er/long.sealed', CONTENT, parties.recipients, SEGMENT);
    writeFileSync(long, Buffer.concat([readFileSync(long), Buffer.alloc(5)]));
    writeFileSync(join(root, 'notes.txt'), 'plain');
    writeFileSync(join(root, 'fake.sealed'), 'plain');
    const client = await DeskClient.enter(await startDesk({ paths: [root] }));
    const { files, recipients, passedOver, scanning } = await list(client);
    expect({ passedOver, scanning }).toEqual({ passedOver: 1, scanning: false });
    expect(Object.fromEntries(files.map(({ name, state }) => [name, state]))).toEqual({
      'whole.sealed': 'complete',
      'deep/cut.sealed': 'truncated',
      'deep/er/long.sealed': 'damaged',
      'fake.sealed': 'not-callseal',
    });
    expect(files.find(({ name }) => name === 'whole.sealed')).toMatchObject({
      plainName: 'whole',
      plaintextBytes: 50_000,
    });
    expect(recipients.map(({ certificate }) => certificate?.subject.match(/CN=(\w+)/)?.[1])).toEqual(['mary', 'fred']);
    expect(JSON.stringify(files)).not.toContain('/proc/');
  });

  it('leads nowhere else: neither by links in it, nor by what is put in a file’s place', async () => {
    const outside = tempDir();
    const secret = await seal(outside, 'secret.sealed', CONTENT, parties.recipients);
    const { root, test, client } = await deskWith({ 'call.sealed': CONTENT, 'sub/other.sealed': CONTENT });
    symlinkSync(secret, join(root, 'link.sealed'));
    symlinkSync(outside, join(root, 'folder'));
    await client.json('POST', '/api/rescan');
    await test.desk.shelf.scan();
    expect((await list(client)).files.map(({ name }) => name).sort()).toEqual(['call.sealed', 'sub/other.sealed']);
    await giveMary(client);
    const [call, other] = [await named(client, 'call.sealed'), await named(client, 'sub/other.sealed')];
    renameSync(join(root, 'call.sealed'), join(root, 'moved'));
    symlinkSync(secret, join(root, 'call.sealed'));
    renameSync(join(root, 'sub'), join(root, 'gone'));
    renameSync(join(outside, 'secret.sealed'), join(outside, 'other.sealed'));
    symlinkSync(outside, join(root, 'sub'));
    await expect(open(client, call)).rejects.toMatchObject({ code: 'ERR_IO' });
    await expect(open(client, other)).rejects.toMatchObject({ code: 'ERR_INPUT_CHANGED' });
    expect(test.troubles).toEqual([]);
  });

  it.skipIf(process.getuid?.() === 0)('that may not be read is counted (needs a user other than root)', async () => {
    const { root, test, client } = await deskWith({ 'call.sealed': CONTENT });
    mkdirSync(join(root, 'closed'), { mode: 0 });
    await test.desk.shelf.scan();
    expect((await list(client)).closed).toBe(1);
  });

  it('may hold five hundred files', async () => {
    const root = tempDir();
    const first = readFileSync(await seal(root, 'call-0.sealed', CONTENT, parties.recipients));
    for (let n = 1; n < 500; n++) writeFileSync(join(root, `call-${n}.sealed`), first);
    const client = await DeskClient.enter(await startDesk({ paths: [root] }));
    const { files, recipients } = await list(client);
    expect(files).toHaveLength(500);
    expect(recipients).toHaveLength(2);
    expect(files.every(({ state }) => state === 'complete')).toBe(true);
  });
});

describe('content', () => {
  it('is given by range, each byte where it belongs', async () => {
    const { client } = await deskWith({ 'call.bin.sealed': CONTENT });
    await giveMary(client);
    const { handle, bytes, kind, complete } = await open(client, await named(client, 'call.bin.sealed'));
    expect({ bytes, kind, complete }).toEqual({ bytes: 50_000, kind: { view: 'binary' }, complete: true });
    const part = await client.ask('GET', `/api/open/${handle}/bytes?start=4090&end=12300`);
    expect(part.body.equals(CONTENT.subarray(4090, 12_300))).toBe(true);
    await verify(client, handle);
    const ranged = await client.ask('GET', `/media/${handle}/save`, undefined, { Range: 'bytes=100-199' });
    expect(ranged.status).toBe(206);
    expect(ranged.headers['content-range']).toBe('bytes 100-199/50000');
    expect(ranged.body.equals(CONTENT.subarray(100, 200))).toBe(true);
    const whole = await client.ask('GET', `/media/${handle}/save`);
    expect(whole.body.equals(CONTENT)).toBe(true);
    expect(whole.headers['content-disposition']).toBe("attachment; filename*=UTF-8''call.bin");
    expect((await client.ask('GET', `/media/${handle}/save`, undefined, { Range: 'bytes=50000-' })).status).toBe(416);
  });

  it('is heard as a WAV file, whatever it was recorded as', async () => {
    const { client } = await deskWith({ 'call.ulaw.sealed': CONTENT });
    await giveMary(client);
    const { handle, kind } = await open(client, await named(client, 'call.ulaw.sealed'));
    expect(kind).toEqual({ view: 'sound', format: 'ulaw' });
    const sound = await client.json<SoundView>('GET', `/api/open/${handle}/sound?as=ulaw`);
    expect(sound.seconds).toBe(50_000 / 8000);
    const wav = await client.ask('GET', sound.address);
    expect(wav.headers['content-type']).toBe('audio/wav');
    expect(wav.body.length).toBe(44 + 100_000);
    await expect(client.json('GET', `/api/open/${handle}/sound?as=mp3`)).rejects.toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
    });
  });

  it('that is damaged is not given, nor a part taken for the whole', async () => {
    const { root, test, client } = await deskWith({ 'call.sealed': randomBytes(150_000) });
    const bytes = readFileSync(join(root, 'call.sealed'));
    bytes[120_000]! ^= 1;
    writeFileSync(join(root, 'call.sealed'), bytes);
    await giveMary(client);
    const file = await named(client, 'call.sealed');
    const { handle } = await open(client, file);
    await expect(verify(client, handle)).rejects.toMatchObject({ code: 'ERR_TAMPERED' });
    const bad = await client.ask('GET', `/api/open/${handle}/bytes?start=110000&end=125000`);
    expect([bad.status, JSON.parse(bad.body.toString()).problem.code]).toEqual([422, 'ERR_TAMPERED']);
    expect(bad.body.toString()).toContain('call.sealed');
    const part = await client.ask('GET', `/media/${handle}/sound/pcm8k`, undefined, { Range: 'bytes=117000-119999' });
    expect(part.status).toBe(422);
    expect(test.troubles).toEqual([]);
  });

  it('that breaks off on the way never ends as if it were whole', async () => {
    const large = randomBytes(400_000);
    const { root, client } = await deskWith({ 'call.sealed': large });
    const bytes = readFileSync(join(root, 'call.sealed'));
    bytes[350_000]! ^= 1;
    writeFileSync(join(root, 'call.sealed'), bytes);
    await giveMary(client);
    const { handle } = await open(client, await named(client, 'call.sealed'));
    const told = await client.listen();
    const sound = client.ask('GET', `/media/${handle}/sound/pcm8k`);
    await expect(sound).rejects.toThrow(/aborted|socket|ECONNRESET/);
    const problem = { code: 'ERR_TAMPERED', message: expect.stringContaining('call.sealed') };
    await vi.waitFor(() => expect(told.slice(1)).toEqual([{ event: 'broken', handle, what: 'sound', problem }]));
  });

  it('of a file that is still being written is what is there', async () => {
    const { root, client } = await deskWith({ 'live.sealed': CONTENT });
    truncateSync(join(root, 'live.sealed'), 25_000);
    await client.json('POST', '/api/rescan');
    await vi.waitFor(async () => expect((await named(client, 'live.sealed')).state).toBe('truncated'));
    await giveMary(client);
    const file = await named(client, 'live.sealed');
    await expect(open(client, file)).rejects.toMatchObject({ code: 'ERR_TRUNCATED' });
    const { handle, complete, bytes } = await open(client, file, true);
    expect(complete).toBe(false);
    expect(bytes).toBeGreaterThan(16_000);
    const { body } = await client.ask('GET', `/media/${handle}/save`);
    expect(body.equals(CONTENT.subarray(0, bytes))).toBe(true);
  });

  it('is not held for more files than a person looks at', async () => {
    const names = Array.from({ length: 9 }, (_, n) => `call-${n}.sealed`);
    const { client } = await deskWith(Object.fromEntries(names.map((name) => [name, CONTENT])));
    await giveMary(client);
    const handles: string[] = [];
    for (const name of names) handles.push((await open(client, await named(client, name))).handle);
    const first = await client.ask('GET', `/api/open/${handles[0]}/bytes?start=0&end=1`);
    expect(JSON.parse(first.body.toString()).problem.code).toBe('ERR_KEY_USE');
    expect((await client.ask('GET', `/api/open/${handles[8]}/bytes?start=0&end=1`)).status).toBe(200);
  });
});

describe('a dropped file', () => {
  it('is like any other, and leaves nothing behind', async () => {
    const temporary = tempDir();
    process.env.TMPDIR = temporary;
    try {
      const client = await DeskClient.enter(await startDesk());
      const bytes = readFileSync(await seal(tempDir(), 'x.sealed', CONTENT, parties.recipients, SEGMENT));
      const file = await client.drop<FileView>('monday/call.sealed', bytes);
      expect(file).toMatchObject({
        name: 'monday/call.sealed',
        plainName: 'monday/call',
        dropped: true,
        state: 'complete',
      });
      expect(readdirSync(temporary).filter((name) => name.startsWith('callseal-desk-'))).toEqual([]);
      await giveMary(client);
      const { handle } = await open(client, file);
      expect(await verify(client, handle)).toMatchObject({ plaintextBytes: 50_000, signer: null });
      expect((await client.ask('GET', `/media/${handle}/save`)).body.equals(CONTENT)).toBe(true);
      await client.json('DELETE', `/api/files/${file.id}`);
      expect((await client.ask('GET', `/api/open/${handle}/bytes`)).status).toBe(422);
      expect((await list(client)).files).toEqual([]);
    } finally {
      delete process.env.TMPDIR;
    }
  });

  it('has no name that leads elsewhere', async () => {
    const client = await DeskClient.enter(await startDesk());
    for (const name of ['../x', 'a/../../x', '/etc/passwd', 'a//b', '', '.', 'a\nb', 'a\u202eb', 'x'.repeat(2000)]) {
      await expect(client.drop(name, Buffer.from('CALLSEAL'))).rejects.toMatchObject({ code: 'ERR_INVALID_ARGUMENT' });
    }
  });

  it('that is none of ours is told apart', async () => {
    const client = await DeskClient.enter(await startDesk());
    expect(await client.drop('a.wav', Buffer.from('RIFF'))).toMatchObject({ state: 'not-callseal' });
    expect(await client.drop('b.sealed', Buffer.from('CALLSEAL'))).toMatchObject({ state: 'truncated' });
  });
});

describe('saving all', () => {
  it('writes what opens, and says why the rest was not', async () => {
    const outputDir = join(tempDir(), 'out');
    const { root, client } = await deskWith(
      { 'a.sealed': CONTENT, 'sub/b.sealed': CONTENT, 'c.sealed': CONTENT, 'd.sealed': CONTENT },
      { outputDir },
    );
    const damaged = readFileSync(join(root, 'c.sealed'));
    damaged[30_000]! ^= 1;
    writeFileSync(join(root, 'c.sealed'), damaged);
    await seal(root, 'd.sealed', CONTENT, await Recipients.load([parties.stranger.certificate]));
    await giveMary(client);
    const ids = (await list(client)).files.map(({ id }) => id);
    await client.json('POST', '/api/save', { files: ids });
    const done = await vi.waitFor(async () => {
      const save = await client.json<SaveView>('GET', '/api/save');
      expect(save.running).toBe(false);
      return save;
    });
    expect(done).toMatchObject({ total: 4, done: 4, saved: 2, failed: 2, cancelled: false });
    expect(Object.fromEntries(done.failures.map(({ name, problem }) => [name, problem.code]))).toEqual({
      'c.sealed': 'ERR_TAMPERED',
      'd.sealed': 'ERR_NO_MATCHING_KEY',
    });
    expect(readFileSync(join(outputDir, 'sub/b')).equals(CONTENT)).toBe(true);
    expect(readdirSync(outputDir).sort()).toEqual(['a', 'sub']);
    await client.json('POST', '/api/save', { files: ids.slice(0, 1) });
    await vi.waitFor(async () =>
      expect(await client.json('GET', '/api/save')).toMatchObject({ running: false, failed: 1 }),
    );
  });

  it('stays below its directory, whatever a file is called', async () => {
    const outputDir = join(tempDir(), 'out');
    const { client } = await deskWith({ '...sealed': CONTENT, 'sub/..sealed': CONTENT }, { outputDir });
    await giveMary(client);
    await client.json('POST', '/api/save', { files: (await list(client)).files.map(({ id }) => id) });
    await vi.waitFor(async () =>
      expect(await client.json('GET', '/api/save')).toMatchObject({ running: false, saved: 2, failures: [] }),
    );
    expect([readdirSync(outputDir).sort(), readdirSync(join(outputDir, 'sub'))]).toEqual([
      ['...sealed.plain', 'sub'],
      ['..sealed.plain'],
    ]);
  });

  it('takes as many files as the desk lists', async () => {
    const { client } = await deskWith({ 'a.sealed': CONTENT }, { outputDir: join(tempDir(), 'out') });
    const files = Array.from({ length: 10_000 }, (_, n) => 10_000_000 + n);
    await expect(client.json('POST', '/api/save', { files })).rejects.toThrow(/not at the desk any more/);
  });

  it('tells the terminal what nobody expected, and the page that it happened', async () => {
    const { root, test, client } = await deskWith({ 'a.sealed': CONTENT }, { outputDir: join(tempDir(), 'out') });
    const { file, view } = test.desk.shelf.file((await named(client, 'a.sealed')).id);
    const odd = new TypeError(`odd: ${root}`);
    vi.spyOn(file, 'with').mockRejectedValueOnce(odd);
    await client.json('POST', '/api/save', { files: [view.id] });
    await vi.waitFor(() => expect(test.troubles).toEqual([odd]));
    const { failures } = await client.json<SaveView>('GET', '/api/save');
    expect(failures).toMatchObject([{ name: 'a.sealed', problem: { code: 'ERR_DESK' } }]);
    expect(JSON.stringify(failures)).not.toContain('odd');
  });

  it('needs a directory that the command line names', async () => {
    const { client } = await deskWith({ 'a.sealed': CONTENT });
    await expect(client.json('POST', '/api/save', { files: [0] })).rejects.toThrow(/--output-dir/);
    expect(existsSync('undefined')).toBe(false);
  });
});
