/** A directory of many small call files, and who can open each of them. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { encryptFile } from '../../lib/callfile/encrypt.ts';
import { inspect } from '../../lib/callfile/inspect.ts';
import type { Recipients } from '../../lib/recipients/recipients.ts';
import { tempDir } from './temp.ts';

const PER_FOLDER = 50;

/** Makes `count` files below a fresh directory, in folders of 50. */
export async function makeCallTree(count: number, recipients: Recipients): Promise<string> {
  const root = tempDir();
  const plain = join(tempDir(), 'plain');
  writeFileSync(plain, 'what was said in a call');
  await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const folder = join(root, `day-${Math.floor(index / PER_FOLDER)}`);
      mkdirSync(folder, { recursive: true });
      await encryptFile(plain, join(folder, `call-${index}.callsre.sealed`), { recipients, sync: false });
    }),
  );
  return root;
}

/** The key ids that a file names, sorted. */
export async function keyIdsOf(path: string): Promise<string> {
  return (await inspect(path)).recipients
    .map(({ keyId }) => keyId)
    .sort()
    .join(' ');
}
