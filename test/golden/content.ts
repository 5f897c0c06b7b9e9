/** What is encrypted in the golden files: nothing that has to be kept, as it can be made again from a name. */

import { createHash } from 'node:crypto';

/** SHA-256 of the name and a counter, again and again. */
export function contentOf(name: string, length: number): Buffer {
  const blocks: Buffer[] = [Buffer.alloc(0)];
  for (let index = 0; index * 32 < length; index++) {
    blocks.push(createHash('sha256').update(`${name} ${index}`).digest());
  }
  return Buffer.concat(blocks).subarray(0, length);
}
