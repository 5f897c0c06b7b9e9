/** The files that recipients come from: which they are, and whether their contents are still the same. */

import { encryptionRecipients } from '../config/index.ts';
import { errnoOf } from '../errors.ts';
import { hex } from '../hex.ts';
import { native } from '../native/load.ts';
import { openRegularFile, readAt } from '../recipients/regular-file.ts';

/** Where recipients are named: in a configuration, or each by itself. */
export type RecipientFiles =
  | { /** client_property.conf. */ readonly config: string }
  | { /** Certificates and public keys. */ readonly certificates: readonly string[] };

/** More than what any of them may have. */
const MAX_BYTES = 32 << 20;

/** Every file that has a say: the configuration, and what it lists now as far as it can be read. */
export function namedFiles(source: RecipientFiles): string[] {
  if ('certificates' in source) return [...source.certificates];
  try {
    const { recipients } = encryptionRecipients(source.config, { onError: 'report', checkFiles: false });
    return [source.config, ...recipients.map(({ path }) => path)];
  } catch {
    return [source.config];
  }
}

/** Tells whether anything has changed: SHA-256 over what each file holds, or why it cannot be read. */
export async function digestOf(paths: readonly string[]): Promise<string> {
  const parts: string[] = [];
  for (const path of paths) parts.push(`${path}\0${await contentDigest(path)}`);
  return hex(native().sha256(Buffer.from(parts.join('\0'))));
}

async function contentDigest(path: string): Promise<string> {
  try {
    const { handle, stats } = await openRegularFile(path);
    try {
      const bytes = new Uint8Array(Math.min(Number(stats.size), MAX_BYTES));
      return hex(native().sha256(bytes.subarray(0, await readAt(handle, bytes, 0, path))));
    } finally {
      await handle.close();
    }
  } catch (error) {
    return errnoOf(error instanceof Error ? (error.cause ?? error) : error) ?? 'unreadable';
  }
}
