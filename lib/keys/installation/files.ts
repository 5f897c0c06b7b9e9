/** Small files that appear complete or not at all. */

import { link, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

import { CallsealError, errnoOf } from '../../errors.ts';
import { createLockedTemporary, discardTemporary, type LockedTemporary } from '../../locked-temporary.ts';
import { systemError } from '../../recipients/regular-file.ts';
import { syncDirectory } from '../../sync-directory.ts';

export interface NewFile {
  path: string;
  content: string;
  mode: number;
  /** Whether a file of that name gives way; otherwise `ERR_OUTPUT_EXISTS`. */
  replace: boolean;
}

/**
 * Writes a file under a temporary name, syncs it, gives it its name, syncs the directory.
 *
 * @throws {CallsealError} `ERR_OUTPUT_EXISTS`, `ERR_IO`.
 */
export async function writeNewFile(file: NewFile): Promise<void> {
  const { path, content, mode, replace } = file;
  let temporary: LockedTemporary | undefined;
  try {
    temporary = await createLockedTemporary(path);
    await temporary.handle.writeFile(content);
    await temporary.handle.chmod(mode); // whatever the umask is
    await temporary.handle.sync();
    await (replace ? rename : link)(temporary.name, path); // a link refuses a name that is taken
    await syncDirectory(dirname(path));
    await rm(temporary.name, { force: true });
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') {
      throw new CallsealError('ERR_OUTPUT_EXISTS', `${path} exists already; it is never replaced`, { path });
    }
    throw systemError(error, 'cannot write', path);
  } finally {
    if (temporary !== undefined) await discardTemporary(temporary);
  }
}
