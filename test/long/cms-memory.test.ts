/** A quarter of a gigabyte to a partner with plain OpenSSL and back: memory, every byte, and a kill in the middle. */

import { closeSync, createWriteStream, openSync, readdirSync, readSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout } from 'node:timers/promises';
import { expect, it } from 'vitest';

import { decryptFile, encryptFile, exportCms, importCms } from '../../lib/index.ts';
import { finish, start } from '../helpers/cli.ts';
import { partnerEncrypts } from '../helpers/cms.ts';
import { sha256OfFile } from '../helpers/files.ts';
import { openssl } from '../helpers/keys.ts';
import { growthDuring } from '../helpers/memory.ts';
import { makeParties } from '../helpers/parties.ts';
import { tempDir } from '../helpers/temp.ts';

const BLOCK = 1 << 20;
const BLOCKS = 256;
/** Many times what a job needs, and a small part of the file. */
const MEMORY_LIMIT = 64 << 20;

function* content(): Generator<Buffer> {
  for (let i = 0; i < BLOCKS; i++) yield Buffer.alloc(i === BLOCKS - 1 ? BLOCK - 7 : BLOCK, `block ${i}`);
}

it('goes both ways with flat memory', async () => {
  const dir = tempDir();
  const { keys, recipients, mary } = await makeParties();
  const [plain, sealed, message, back] = ['plain', 'sealed', 'cms', 'back'].map((name) => join(dir, name)) as [
    string,
    string,
    string,
    string,
  ];
  await pipeline(Readable.from(content()), createWriteStream(plain));
  const whole = await sha256OfFile(plain);
  await encryptFile(plain, sealed, { recipients, sync: false });

  for (const pem of [false, true]) {
    const writing = { keys, recipients, pem, sync: false, overwrite: true };
    expect(await growthDuring(() => exportCms(sealed, message, writing))).toBeLessThan(MEMORY_LIMIT);
    const key = ['-recip', mary.certificate, '-inkey', mary.privateKey];
    openssl('cms', '-decrypt', '-binary', '-inform', pem ? 'PEM' : 'DER', '-in', message, ...key, '-out', back);
    expect(await sha256OfFile(back)).toBe(whole);
  }
  for (const form of ['DER', 'PEM'] as const) {
    const from = partnerEncrypts(plain, [mary.certificate], { form, stream: true });
    const reading = { keys, recipients, sync: false, overwrite: true };
    expect(await growthDuring(() => importCms(from, message, reading))).toBeLessThan(MEMORY_LIMIT);
    rmSync(from);
    await decryptFile(message, back, { keys, sync: false, overwrite: true });
    expect(await sha256OfFile(back)).toBe(whole);
  }
});

it('leaves nothing that can be opened when it is killed', async () => {
  const { mary } = await makeParties();
  const [source, dir] = [tempDir(), tempDir()];
  const plain = join(source, 'plain');
  await pipeline(Readable.from(content()), createWriteStream(plain));
  const message = partnerEncrypts(plain, [mary.certificate], { stream: true });
  const args = ['-k', mary.privateKey, '-r', mary.certificate, '-o', join(dir, 'back'), message];
  const child = start(['import-cms', ...args]);
  const done = finish(child);
  const begun = (): string | undefined => readdirSync(dir).find((name) => statSync(join(dir, name)).size > 8 * BLOCK);
  while (begun() === undefined && child.exitCode === null) await setTimeout(1);
  child.kill('SIGKILL');
  expect((await done).status).toBe(null);

  const left = readdirSync(dir);
  expect(left).toEqual([expect.stringMatching(/\.callseal-tmp$/)]);
  // Prelude, recipients with the wrapped key, MAC: all of it is still to come.
  const head = Buffer.alloc(256);
  const file = openSync(join(dir, left[0]!), 'r');
  readSync(file, head);
  closeSync(file);
  expect(head.equals(Buffer.alloc(256))).toBe(true);
});
