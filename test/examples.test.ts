/** examples/, run as they stand, with the package that is built. */

import { type ChildProcessWithoutNullStreams, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decryptFile } from '../lib/callfile/index.ts';
import type { InstallationSource } from '../lib/keys/index.ts';
import { type KeyPair, makeKeyPair } from './helpers/keys.ts';
import { PROJECT } from './helpers/native-build.ts';
import { makeParties, type Parties } from './helpers/parties.ts';
import { startPostgres } from './helpers/postgres.ts';
import { tempDir } from './helpers/temp.ts';

const EXAMPLES = join(PROJECT, 'examples');
const run = promisify(execFile);
const running: ChildProcessWithoutNullStreams[] = [];

let parties: Parties;

beforeAll(async () => {
  parties = await makeParties();
});

afterAll(() => {
  for (const child of running) child.kill('SIGKILL');
});

/** Starts an example that goes on until it is told to stop. */
function start(file: string, args: readonly string[], env: NodeJS.ProcessEnv) {
  const child = spawn(process.execPath, [join(EXAMPLES, file), ...args], { env: { ...process.env, ...env } });
  running.push(child);
  child.stderr.pipe(process.stderr);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    nextLine: async (): Promise<string> => (await lines.next()).value ?? '',
    async stop(): Promise<number | null> {
      child.kill('SIGTERM');
      return child.exitCode ?? ((await once(child, 'exit')) as [number | null])[0];
    },
  };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await pause(20);
}

it('are all of them listed', () => {
  const listed = readFileSync(join(EXAMPLES, 'README.md'), 'utf8');
  const folders = readdirSync(EXAMPLES, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  expect(folders.length).toBeGreaterThan(0);
  for (const { name } of folders) expect(listed).toContain(`](${name}/`);
});

describe('fastify-upload', () => {
  let directory: string;
  let url: string;
  let service: ReturnType<typeof start>;

  beforeAll(async () => {
    directory = tempDir();
    const env = { CERTIFICATES: parties.mary.certificate, DIRECTORY: directory, PORT: '0' };
    service = start('fastify-upload/server.mjs', [], env);
    url = await service.nextLine();
  });

  const upload = (name: string, body: Uint8Array<ArrayBuffer>) =>
    fetch(`${url}/calls/${name}`, { method: 'POST', body, headers: { 'content-type': 'application/octet-stream' } });

  it('encrypts what is uploaded', async () => {
    const body = new Uint8Array(3_000_000).fill(7);
    const answer = await upload('call.wav', body);
    expect([answer.status, await answer.json()]).toEqual([201, expect.objectContaining({ plaintextBytes: 3_000_000 })]);
    const opened = join(tempDir(), 'call.wav');
    await decryptFile(join(directory, 'call.wav.sealed'), opened, { keys: parties.keys });
    expect(readFileSync(opened).equals(body)).toBe(true);
  });

  it('keeps nothing of an upload that breaks off, and takes no path for a name', async () => {
    const { hostname, port } = new URL(url);
    const socket = net.connect(Number(port), hostname);
    socket.on('error', () => {});
    const head =
      'POST /calls/half.wav HTTP/1.1\r\nHost: x\r\nContent-Type: application/octet-stream\r\nContent-Length: 1000000\r\n\r\n';
    socket.write(head + 'x'.repeat(200_000));
    await until(() => readdirSync(directory).some((name) => name.endsWith('.part')));
    socket.destroy();
    await until(() => !readdirSync(directory).some((name) => name.endsWith('.part')));
    expect(existsSync(join(directory, 'half.wav.sealed'))).toBe(false);
    expect((await upload('..%2Fcall.wav', new Uint8Array(1))).status).toBe(400);
  });

  it('ends when it is told to', async () => {
    expect(await service.stop()).toBe(0);
  });
});

it('queue-worker: encrypts what is queued, and takes what is done for done', { timeout: 60_000 }, async () => {
  const server = await startPostgres();
  const env = { DATABASE: server.url(await server.createDatabase()), CERTIFICATES: parties.mary.certificate };
  const directory = tempDir();
  const call = join(directory, 'call.wav');
  writeFileSync(call, 'what was said');
  const add = () =>
    run(process.execPath, [join(EXAMPLES, 'queue-worker/worker.mjs'), 'add', call], {
      env: { ...process.env, ...env },
    });
  await add();
  const worker = start('queue-worker/worker.mjs', [], env);
  expect(await worker.nextLine()).toMatch(/call\.wav: \d+ bytes$/);
  await add();
  expect(await worker.nextLine()).toMatch(/call\.wav: done before$/);
  await decryptFile(`${call}.sealed`, join(directory, 'opened'), { keys: parties.keys });
  expect(readFileSync(join(directory, 'opened'), 'utf8')).toBe('what was said');
  expect(await worker.stop()).toBe(0);
});

it('voice-models: a model opens for its claimant only', { timeout: 60_000 }, async () => {
  const server = await startPostgres();
  const database = server.url(await server.createDatabase());
  const installation: InstallationSource = { key: makeKeyPair(tempDir(), { name: 'installation' }).privateKey };
  // The example imports the package by its name: no types of this project's sources.
  const module = join(EXAMPLES, 'voice-models/store.mjs');
  const { openModels } = (await import(module)) as { openModels(options: object): Promise<Models> };
  const options = { database, installation, stateDirectory: join(tempDir(), 'state') };
  const models = await openModels(options);
  const template = new Uint8Array(2000).fill(41);
  await models.save('c-41', template);
  await models.save('c-41', template.fill(42));
  expect(Buffer.from((await models.load('c-41'))!)).toEqual(Buffer.from(template));
  expect(await models.load('c-42')).toBeNull();
  const client = new pg.Client({ connectionString: database });
  await client.connect();
  await client.query("INSERT INTO voice_models SELECT 'c-42', template FROM voice_models");
  await client.end();
  await expect(models.load('c-42')).rejects.toMatchObject({ code: 'ERR_ENTITY_MISMATCH' });
  await models.close();
});

interface Models {
  save(claimant: string, template: Uint8Array): Promise<void>;
  load(claimant: string): Promise<Uint8Array | null>;
  close(): Promise<void>;
}

describe('decrypt-script', () => {
  const decrypt = (key: KeyPair, from: string, to: string, passphrase: string) =>
    run(process.execPath, [join(EXAMPLES, 'decrypt-script/decrypt.mjs'), key.privateKey, from, to], {
      env: { ...process.env, KEY_PASSPHRASE: passphrase },
    }).then(
      ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
      (error: { code: number; stdout: string; stderr: string }) => error,
    );

  it('opens what it can, and says of the rest why not', async () => {
    const directory = tempDir();
    const [from, to] = [join(directory, 'from'), join(directory, 'to')];
    const key = makeKeyPair(directory, { name: 'locked', passphrase: 'secret' });
    mkdirSync(from);
    const { encryptFile, Recipients } = await import('../lib/index.ts');
    const recipients = await Recipients.load([key.certificate]);
    for (const name of ['good', 'damaged']) {
      writeFileSync(join(directory, name), name);
      await encryptFile(join(directory, name), join(from, `${name}.sealed`), { recipients });
    }
    await encryptFile(join(directory, 'good'), join(from, 'strange.sealed'), { recipients: parties.recipients });
    const damaged = readFileSync(join(from, 'damaged.sealed'));
    damaged[damaged.length - 1]! ^= 1;
    writeFileSync(join(from, 'damaged.sealed'), damaged);

    const first = await decrypt(key, from, to, 'secret');
    expect([first.code, first.stdout]).toEqual([1, 'good.sealed: 4 bytes\n']);
    expect(first.stderr.split('\n').sort()).toEqual([
      '',
      'damaged.sealed: damaged or altered; fetch it again',
      'strange.sealed: encrypted for somebody else',
    ]);
    expect([readdirSync(to), readFileSync(join(to, 'good'), 'utf8')]).toEqual([['good'], 'good']);
    const second = await decrypt(key, from, tempDir(), 'wrong');
    expect(second.stderr).toContain('good.sealed: the passphrase is wrong');
  });
});

it('unit-test: its tests pass under vitest', async () => {
  const vitest = join(PROJECT, 'node_modules/vitest/vitest.mjs');
  const { stdout } = await run(process.execPath, [vitest, 'run', '--reporter=json'], {
    cwd: join(EXAMPLES, 'unit-test'),
  });
  expect(JSON.parse(stdout)).toMatchObject({ success: true, numPassedTests: 2 });
});
