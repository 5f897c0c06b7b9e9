/** A quarter of a gigabyte to a partner with plain OpenSSL and back: memory stays flat, every byte is right. */

import { createWriteStream, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { expect, it } from 'vitest';

import { decryptFile, encryptFile, exportCms, importCms } from '../../lib/index.ts';
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
