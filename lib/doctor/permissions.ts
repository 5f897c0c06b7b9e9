/** Who else could change a file: whoever may write it, or a directory on the way to it. */

import { lstat, realpath, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/** Something that lets others change a file. */
export interface LoosePermission {
  /** The file itself or a directory on the way. */
  path: string;
  /** `everyone`, or `group` with a group other than root's. */
  who: 'everyone' | 'group';
  /** Such as `every user may write /etc/x and so change it`. */
  fact: string;
  /** The command that ends it. */
  command: string;
}

const GROUP_WRITE = 0o020;
const OTHERS_WRITE = 0o002;
const STICKY = 0o1000;

/**
 * Looks at the file, at what it links to, and at every directory above both. A sticky directory, such as /tmp, lets
 * nobody replace what belongs to another.
 */
export async function findLoosePermissions(path: string): Promise<LoosePermission[]> {
  const target = await realpath(path).catch(() => undefined);
  if (target === undefined) return [];
  const places = new Set([target, ...ancestors(target), ...ancestors(resolve(path))]);
  const found: LoosePermission[] = [];
  for (const place of places) {
    const loose = await examine(place);
    if (loose !== null) found.push(loose);
  }
  return found;
}

async function examine(path: string): Promise<LoosePermission | null> {
  const entry = await lstat(path);
  const { mode, gid } = entry.isSymbolicLink() ? await stat(path) : entry;
  const directory = !entry.isFile();
  if (directory && (mode & STICKY) !== 0) return null;
  const what = directory ? `the directory ${path}` : path;
  const effect = directory ? 'replace what is in it' : 'change it';
  if ((mode & OTHERS_WRITE) !== 0) {
    return {
      path,
      who: 'everyone',
      fact: `every user may write ${what} and so ${effect}`,
      command: `chmod o-w ${path}`,
    };
  }
  if ((mode & GROUP_WRITE) !== 0 && gid !== 0) {
    const fact = `group ${gid} may write ${what} and so ${effect}`;
    return { path, who: 'group', fact, command: `chmod g-w ${path}` };
  }
  return null;
}

function ancestors(path: string): string[] {
  const parent = dirname(path);
  return parent === path ? [] : [parent, ...ancestors(parent)];
}
