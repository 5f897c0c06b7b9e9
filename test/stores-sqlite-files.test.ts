/** The files of an SQLite key store: who may have them, and what happens when they are swapped, damaged or out of space. */

import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join, relative } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import Libsql from 'libsql';
import { beforeEach, describe, expect, it } from 'vitest';
import { openStore } from '../lib/keys/stores/open-store.ts';
import { refusalOf } from './helpers/errors.ts';
import { DIST } from './helpers/native-child.ts';
import { startStoreChild } from './helpers/store-child.ts';
import { masterRow } from './helpers/store-rows.ts';
import { opening } from './helpers/stores.ts';
import { tempDir } from './helpers/temp.ts';

const ROOT = process.getuid?.() === 0;
/** Any user that is neither root nor this one. */
const OTHER = 65534;

let directory: string;
let path: string;
let url: string;

beforeEach(() => {
  directory = tempDir();
  path = join(directory, 'keys.db');
  url = `sqlite:${path}`;
});

const modeOf = (file: string) => (statSync(file).mode & 0o777).toString(8);

/** A store with one key, closed. */
async function makeStore(file = path): Promise<void> {
  const store = await openStore(`sqlite:${file}`);
  await store.transaction((writer) => writer.writeMaster(masterRow()));
  await store.close();
}

describe('the files', () => {
  it.each([0o000, 0o022, 0o077])('are for this user alone, whatever the umask (%o)', async (umask) => {
    const before = process.umask(umask);
    try {
      const store = await opening(url);
      await store.transaction((writer) => writer.writeMaster(masterRow()));
      const files = readdirSync(directory).sort();
      expect(files).toEqual(['keys.db', 'keys.db-shm', 'keys.db-wal']);
      expect(files.map((file) => modeOf(join(directory, file)))).toEqual(['600', '600', '600']);
    } finally {
      process.umask(before);
    }
  });

  it('are whole in the one file once the store is closed', async () => {
    await makeStore();
    const copy = join(directory, 'copy.db');
    copyFileSync(path, copy);
    expect(await (await opening(`sqlite:${copy}`, { create: false })).readMasters()).toHaveLength(1);
  });

  it('may be named by a relative path or a link', async () => {
    await makeStore();
    const link = join(directory, 'link.db');
    symlinkSync(path, link);
    for (const name of [relative(process.cwd(), path), link, `//${path}`]) {
      expect(await (await opening(`sqlite:${name}`, { create: false })).readMasters()).toHaveLength(1);
    }
    expect((await opening(`sqlite:${relative(process.cwd(), path)}`)).description).toBe(url);
  });

  it.each(['sqlite:', 'sqlite://host/keys.db', 'sqlite:a\0b', 'mysql://keys:S3CRET@db/x', 'keys.db', ''])(
    'are not named by "%s"',
    async (wrong) => {
      const { code, message } = await refusalOf(() => openStore(wrong));
      expect(code).toBe('ERR_INVALID_ARGUMENT');
      expect(message).not.toContain('S3CRET');
    },
  );

  it.each(['per%63ent %', 'q?mode=memory#x', 'semi;colon: é', 'file:a'])('may be named %s', async (name) => {
    const named = join(directory, name, `${name}.db`);
    mkdirSync(join(directory, name));
    await makeStore(named);
    const made = readdirSync(directory, { recursive: true }) as string[];
    expect(made.filter((each) => !/-(wal|shm)$/.test(each))).toEqual([name, join(name, `${name}.db`)]);
    const store = await opening(`sqlite:${named}`);
    expect(await store.readMasters()).toHaveLength(1);
  });

  it('are not made in a directory that is not there', async () => {
    const { code, message } = await refusalOf(() => openStore(`sqlite:${join(directory, 'sub/keys.db')}`));
    expect(code).toBe('ERR_IO');
    expect(message).toMatch(/the directory .*\/sub does not exist; make it first/);
  });

  it('are not made at all when the store is only to be opened', async () => {
    const { code, message } = await refusalOf(() => openStore(url, { create: false }));
    expect(code).toBe('ERR_STORE_UNAVAILABLE');
    expect(message).toMatch(/there is no such file/);
    writeFileSync(path, '', { mode: 0o600 });
    expect((await refusalOf(() => openStore(url, { create: false }))).message).toMatch(
      /there is no key store in this file/,
    );
    expect(statSync(path).size).toBe(0);
  });

  it('may be a copy that is not as fast', async () => {
    await makeStore();
    const copy = join(directory, 'copy.db');
    const database = new Libsql(path);
    database.exec(`vacuum into '${copy}'`);
    database.close();
    chmodSync(copy, 0o600);
    const store = await opening(`sqlite:${copy}`, { create: false });
    await store.snapshot(async (reader) => {
      await store.transaction((writer) => writer.writeMaster(masterRow()));
      expect(await reader.readMasters()).toHaveLength(1);
    });
    expect(await store.readMasters()).toHaveLength(2);
  });
});

describe('a file that others could have changed', () => {
  it.each([
    ['keys.db', 0o602],
    ['keys.db', 0o620],
    ['keys.db-wal', 0o622],
    ['keys.db-shm', 0o666],
  ])('is refused: %s with permissions %o', async (name, mode) => {
    await makeStore();
    const file = join(directory, name);
    if (!existsSync(file)) writeFileSync(file, '');
    chmodSync(file, mode);
    const { code, message } = await refusalOf(() => openStore(url));
    expect(code).toBe('ERR_IO');
    expect(message).toMatch(new RegExp(`${name}: other users may write .*permissions 0${mode.toString(8)}.*chmod 600`));
  });

  it('is refused also while the store is open', async () => {
    const store = await opening(url);
    chmodSync(path, 0o606);
    expect((await refusalOf(() => store.readMasters())).code).toBe('ERR_IO');
    chmodSync(path, 0o600);
    expect(await store.readMasters()).toEqual([]);
  });

  it('is refused when it belongs to somebody else', async (context) => {
    if (!ROOT) context.skip('only root can give a file away, so a foreign owner was not tried');
    await makeStore();
    for (const name of readdirSync(directory)) chownSync(join(directory, name), OTHER, OTHER);
    const { code, message } = await refusalOf(() => openStore(url));
    expect(code).toBe('ERR_IO');
    expect(message).toMatch(/belongs to user 65534, and this process runs as user 0; run it as .*sudo -u/);
  });

  it('is refused when it is no regular file', async () => {
    mkdirSync(path);
    expect((await refusalOf(() => openStore(url))).message).toMatch(/must be a regular file/);
  });
});

describe('a file that is not what it was', () => {
  it('is found damaged or foreign', async () => {
    writeFileSync(path, 'x'.repeat(5000), { mode: 0o600 });
    const foreign = await refusalOf(() => openStore(url));
    expect([foreign.code, foreign.message]).toEqual(['ERR_STORE_UNAVAILABLE', expect.stringMatching(/not an SQLite/)]);

    rmSync(path);
    await makeStore();
    const descriptor = openSync(path, 'r+');
    for (let at = 4096; at < statSync(path).size; at += 4096)
      writeSync(descriptor, Buffer.alloc(2000, 0xaa), 0, 2000, at);
    closeSync(descriptor);
    const damaged = await refusalOf(async () => (await opening(url)).readMasters());
    expect([damaged.code, damaged.message]).toEqual([
      'ERR_STORE_UNAVAILABLE',
      expect.stringMatching(/damaged, .* restore a backup/),
    ]);
  });

  it('is noticed: taken away, put back, or another put in its place', async () => {
    const store = await opening(url);
    let heard = 0;
    store.onChange(() => {
      heard += 1;
    });
    while (heard === 0) await pause(5);
    await store.transaction((writer) => writer.writeMaster(masterRow()));
    const aside = join(directory, 'aside.db');
    const interrupted = await refusalOf(() =>
      store.transaction(async (writer) => {
        await writer.writeMaster(masterRow());
        renameSync(path, aside);
      }),
    );
    expect(interrupted.code).toBe('ERR_STORE_UNAVAILABLE');
    for (const attempt of [() => store.readMasters(), () => store.transaction(async () => {})]) {
      const { code, message } = await refusalOf(attempt);
      expect(code).toBe('ERR_STORE_UNAVAILABLE');
      expect(message).toMatch(/there is no such file/);
    }
    expect(existsSync(path)).toBe(false);
    renameSync(aside, path);
    expect(await store.readMasters()).toHaveLength(1);

    const other = join(directory, 'other.db');
    await makeStore(other);
    const seen = heard;
    for (const end of ['-wal', '-shm']) rmSync(path + end, { force: true });
    renameSync(other, path);
    while (heard === seen) await pause(5);
    expect(await store.readRevision()).toBe(1);
    await store.transaction((writer) => writer.writeMaster(masterRow()));
    expect(await store.readMasters()).toHaveLength(2);
  });
});

it('a disk without space is told, and nothing that was committed is lost', async () => {
  await makeStore();
  const script = join(directory, 'fill.mjs');
  writeFileSync(
    script,
    `
      import { openStore } from '${DIST}keys/stores/open-store.js';
      const store = await openStore(process.argv[2]);
      let done = 0;
      const bytes = (length) => new Uint8Array(length).fill(done);
      try {
        for (;;) {
          await store.transaction(async (writer) => {
            for (let i = 0; i < 4; i++) {
              const id = bytes(16);
              id[1] = i;
              id[2] = done >> 8;
              await writer.writeMaster({
                id, suite: 0, state: 'active', sequence: 1, createdAt: 1, changedAt: 1,
                wrapped: bytes(20000), signature: bytes(20000),
              });
            }
          });
          done += 1;
        }
      } catch (error) {
        console.log(JSON.stringify({ done, code: error.code, known: (await store.readMasters()).length }));
      }
    `,
  );
  // The size of files is limited, which SQLite meets as it would meet a full disk.
  const limited = spawnSync('sh', ['-c', 'ulimit -f 4096; exec "$@"', 'sh', process.execPath, script, url]);
  const { done, code, known } = JSON.parse(limited.stdout.toString()) as { done: number; code: string; known: number };
  expect(['ERR_IO', 'ERR_STORE_UNAVAILABLE']).toContain(code);
  expect(done).toBeGreaterThan(0);
  expect(known).toBe(1 + 4 * done);
  const store = await opening(url);
  expect(await store.readMasters()).toHaveLength(known);
  await store.transaction((writer) => writer.writeMaster(masterRow()));
});

it('a process that dies leaves nothing that the next one cannot open', async () => {
  const child = startStoreChild(
    url,
    `
      const store = await openStore(url);
      await store.transaction((writer) => writer.writeMaster(counter(1)));
      await store.transaction(async (writer) => {
        await writer.writeMaster(counter(2));
        process.kill(process.pid, 'SIGKILL');
        await new Promise(() => setInterval(() => {}, 1000));
      });
    `,
  );
  expect((await child.end()).signal).toBe('SIGKILL');
  const store = await opening(url, { create: false });
  expect((await store.readMasters())[0]?.sequence).toBe(1);
  await store.transaction((writer) => writer.writeMaster(masterRow()));
});
