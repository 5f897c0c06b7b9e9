/** Who could put other content at a path: whoever owns or may write it, or a directory on the way to it. */

import { lstatSync, readlinkSync, type Stats } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { errnoOf } from '../errors.ts';

/** Something that lets others change what is at a path. */
export interface Exposure {
  /** The path itself, a directory on the way or a symbolic link on the way. */
  path: string;
  /** Such as `every user may write it`. */
  fact: string;
  /** The command that ends it, such as `chmod o-w /opt/fips`. */
  command: string;
}

const GROUP_WRITE = 0o020;
const OTHERS_WRITE = 0o002;
const STICKY = 0o1000;

/** As many symbolic links as Linux follows, path_resolution(7). */
const MAX_LINKS = 40;

/**
 * The first thing at or above the paths that anybody but root and this process's user could change, or null.
 *
 * Everything must belong to root or the effective user, and neither every user nor a group may write it, other than
 * root's group and an ordinary user's own. Directories on the way may be writable when they are sticky, as /tmp is: nobody renames there what belongs to
 * another. Symbolic links are followed, and what leads to them is looked at, too. What does not exist is not exposed.
 *
 * One `lstat` for each component, shared by all paths.
 *
 * @throws The system's error when something cannot be looked at.
 */
export function findExposure(...paths: string[]): Exposure | null {
  const seen = new Map<string, Stats | null>();
  for (const path of paths) {
    for (const step of walk(resolve(path), seen)) {
      const exposure = judge(step);
      if (exposure !== null) return exposure;
    }
  }
  return null;
}

interface Step {
  path: string;
  stats: Stats;
  /** Whether it is what the path leads to, and not on the way. */
  last: boolean;
}

/** Every component that the system looks at when it resolves an absolute path, as far as they exist. */
function* walk(path: string, seen: Map<string, Stats | null>): Generator<Step> {
  const pending = ['/', ...components(path)];
  let current = '/';
  let links = 0;
  while (pending.length > 0) {
    const name = pending.shift() as string;
    if (name === '..') {
      current = dirname(current);
      continue;
    }
    const next = join(current, name);
    const stats = look(next, seen);
    if (stats === null) return;
    const link = stats.isSymbolicLink();
    yield { path: next, stats, last: pending.length === 0 && !link };
    if (!link) {
      current = next;
      continue;
    }
    links += 1;
    if (links > MAX_LINKS) return;
    const target = readlinkSync(next);
    pending.unshift(...components(target));
    if (target.startsWith('/')) current = '/';
  }
}

function components(path: string): string[] {
  return path.split('/').filter((name) => name !== '' && name !== '.');
}

function look(path: string, seen: Map<string, Stats | null>): Stats | null {
  const known = seen.get(path);
  if (known !== undefined) return known;
  const stats = lstatOrNull(path);
  seen.set(path, stats);
  return stats;
}

function lstatOrNull(path: string): Stats | null {
  try {
    return lstatSync(path);
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENOENT' || errno === 'ENOTDIR') return null;
    throw error;
  }
}

function judge({ path, stats, last }: Step): Exposure | null {
  const user = process.geteuid?.() ?? 0;
  if (stats.uid !== 0 && stats.uid !== user) {
    const fact = `it belongs to user ${stats.uid}, and this process runs as user ${user}`;
    return { path, fact, command: `chown${stats.isSymbolicLink() ? ' -h' : ''} root ${path}` };
  }
  // The mode of a symbolic link means nothing.
  if (stats.isSymbolicLink()) return null;
  if (!last && (stats.mode & STICKY) !== 0) return null;
  // An ordinary user's own group is, as a rule, theirs alone (umask 002 on Ubuntu and RHEL counts on it).
  const own = stats.gid === 0 || (user !== 0 && stats.gid === process.getegid?.());
  const group = (stats.mode & GROUP_WRITE) !== 0 && !own;
  const everyone = (stats.mode & OTHERS_WRITE) !== 0;
  if (!group && !everyone) return null;
  const fact = everyone ? 'every user may write it' : `group ${stats.gid} may write it`;
  return { path, fact, command: `chmod ${group ? 'g' : ''}${everyone ? 'o' : ''}-w ${path}` };
}
