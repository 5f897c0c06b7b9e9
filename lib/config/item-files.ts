/**
 * Looks at the file behind a path without opening it: whether it is there, is a regular file, and may be read.
 * What is in it is for `lib/recipients`.
 */

import { accessSync, constants, existsSync, opendirSync, type Stats, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path/posix';
import { errnoOf } from '../errors.ts';
import type { Objection } from './item-rules.ts';
import { shownItem } from './problems.ts';
import { closestName } from './similar.ts';

/** What is wrong with the file at an absolute path, or undefined. */
export function objectionToFile(path: string): Objection | undefined {
  let status: Stats;
  try {
    status = statSync(path);
  } catch (error) {
    return objectionToFailure(path, errnoOf(error));
  }
  if (status.isDirectory()) {
    const message = `${shownItem(path)} is a directory; name each certificate in it, separated by commas`;
    return { rule: 'not-a-file', message };
  }
  if (!status.isFile()) {
    const message = `${shownItem(path)} is a device, pipe or socket; name a certificate file`;
    return { rule: 'not-a-file', message };
  }
  try {
    accessSync(path, constants.R_OK);
  } catch {
    const message = `${shownItem(path)} may not be read by this user; "chmod a+r" it, a certificate is public`;
    return { rule: 'not-readable', message };
  }
  return undefined;
}

function objectionToFailure(path: string, errno: string | undefined): Objection {
  switch (errno) {
    case 'ENOTDIR': {
      const message = `${shownItem(path)} does not exist, because a part of it is a file, not a directory; correct it`;
      return { rule: 'not-found', message };
    }
    case 'ENOENT':
      return { rule: 'not-found', message: `${shownItem(path)} does not exist; ${whatToWrite(path)}` };
    case 'EACCES':
    case 'EPERM': {
      const message = `${shownItem(path)} cannot be reached by this user; "chmod a+x" its directories`;
      return { rule: 'not-readable', message };
    }
    default:
      return { rule: 'not-readable', message: `${shownItem(path)} cannot be looked at (${errno}); check the path` };
  }
}

/** The likeliest reason that a path leads nowhere, from what is on the disk and how the path is written. */
function whatToWrite(path: string): string {
  if (/[ \t]\//.test(path)) return 'if two certificates are meant, write a comma between them';
  if (/["']/.test(path)) return 'quotes must enclose the whole path';
  if (/\$|[*?]/.test(path)) return 'variables and patterns are not expanded; write the path in full';
  const missing = firstMissing(path);
  const similar = closestName(basename(missing), namesIn(dirname(missing)));
  if (similar !== undefined) {
    const proposal = join(dirname(missing), similar) + path.slice(missing.length);
    return `write ${shownItem(proposal)} if that is the one meant`;
  }
  if (missing === path) return `put the certificate there, or write the path of one in ${shownItem(dirname(path))}`;
  return `there is no directory ${shownItem(missing)}; write the path of an existing certificate`;
}

/** The first directory on the way that does not exist, or the path itself. */
function firstMissing(path: string): string {
  let missing = path;
  while (!existsSync(dirname(missing))) missing = dirname(missing);
  return missing;
}

/** A directory of more is read no further: a proposal is a courtesy. */
const MAX_NAMES = 1000;

function namesIn(directory: string): string[] {
  const names: string[] = [];
  try {
    const entries = opendirSync(directory);
    try {
      for (let entry = entries.readSync(); entry !== null && names.length < MAX_NAMES; entry = entries.readSync()) {
        names.push(entry.name);
      }
    } finally {
      entries.closeSync();
    }
  } catch {
    // Not a directory, or one that may not be listed: no proposal then.
  }
  return names;
}
