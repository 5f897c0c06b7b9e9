/** What a file is, seen from outside: a call file, or a certificate or key given by mistake. */

import { MAGIC } from '../callfile/format.ts';
import { hasMagic } from '../callfile/prelude.ts';
import { closeRead, openRegularFile, readAt } from '../recipients/regular-file.ts';

/** Whether a file begins as call files do; false when that cannot be seen. */
export async function beginsAsCallFile(path: string): Promise<boolean> {
  const start = await firstBytes(path, MAGIC.length).catch(() => new Uint8Array(0));
  return hasMagic(start);
}

const PEM = '-----BEGIN ';
const KEY_FILE_NAME = /\.(crt|cer|pem|der|key|p8|pk8|p12|pfx)$/i;

/**
 * Whether a file given to be encrypted is a certificate or a key by its name or its beginning: somebody who types
 * `-r one.crt two.crt` means two recipients, and would lose the second.
 */
export async function looksLikeKeyFile(path: string): Promise<boolean> {
  if (KEY_FILE_NAME.test(path)) return true;
  const start = await firstBytes(path, PEM.length).catch(() => new Uint8Array(0));
  return Buffer.from(start).toString('latin1') === PEM;
}

async function firstBytes(path: string, length: number): Promise<Uint8Array> {
  const { handle } = await openRegularFile(path);
  try {
    const bytes = new Uint8Array(length);
    return bytes.subarray(0, await readAt(handle, bytes, 0, path));
  } finally {
    await closeRead(handle);
  }
}
