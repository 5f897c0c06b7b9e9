/** A file of more than 4 GiB: every length is right, and memory stays flat. */

import { rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';

import { decryptFile, encryptFile, inspect, verify } from '../lib/index.ts';
import { sha256OfFile, sparseFile } from './helpers/files.ts';
import { growthDuring } from './helpers/memory.ts';
import { makeParties, type Parties } from './helpers/parties.ts';
import { tempDir } from './helpers/temp.ts';

/** Beyond 32 bits, and no multiple of anything. */
const LENGTH = 2 ** 32 + 12_345;
/** Many times what a job needs, and a small part of the file. */
const MEMORY_LIMIT = 64 << 20;

let parties: Parties;

beforeAll(async () => {
  parties = await makeParties();
});

describe('a file of more than 4 GiB', () => {
  it('goes there and back with flat memory', { timeout: 300_000 }, async () => {
    const dir = tempDir();
    const plain = sparseFile(join(dir, 'plain'), LENGTH);
    const sealed = join(dir, 'sealed');
    const again = join(dir, 'again');
    const { recipients, keys } = parties;

    let plaintextBytes = 0;
    const growth = {
      encryptFile: await growthDuring(() => encryptFile(plain, sealed, { recipients, sync: false })),
      verify: await growthDuring(async () => {
        ({ plaintextBytes } = await verify(sealed, { keys }));
      }),
      inspect: await growthDuring(() => inspect(sealed)),
      decryptFile: await growthDuring(() => decryptFile(sealed, again, { keys, sync: false })),
    };
    for (const [job, bytes] of Object.entries(growth)) expect(bytes, job).toBeLessThan(MEMORY_LIMIT);

    expect((await inspect(sealed)).plaintextBytes).toBe(LENGTH);
    expect(plaintextBytes).toBe(LENGTH);
    rmSync(sealed);
    expect(statSync(again).size).toBe(LENGTH);
    expect(await sha256OfFile(again)).toBe(await sha256OfFile(plain));
  });
});
