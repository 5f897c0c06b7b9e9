/** Who else may read keys and passphrases or change what the host remembers, and what this user may not do. */

import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { errnoOf } from '../../errors.ts';
import { findExposure } from '../../fips/ownership.ts';
import { type Check, error, type Finding, ok, type Patient, warning } from '../check.ts';

const OTHERS = 0o077;
const EVERYBODY_READS = 0o004;

export const permissions: Check = {
  name: 'permissions',
  async examine(patient) {
    const found = (await Promise.all([secrets(patient), places(patient), workplaces(patient)])).flat();
    return found.length > 0 ? found : [ok('kept', 'keys are kept from others, directories can be written')];
  },
};

/** Files that nobody but their owner should read. */
async function secrets({ keys, passphraseFiles, installationFolder }: Patient): Promise<Finding[]> {
  const named = [...keys.map(asKey), ...passphraseFiles.map((path) => ({ path, what: 'a passphrase' }))];
  const installed = asKey(join(installationFolder, 'installation.key'));
  const findings = await Promise.all(named.map(({ path, what }) => secret(path, what, true)));
  return [...findings, await secret(installed.path, installed.what, false)].flat();
}

function asKey(path: string): { path: string; what: string } {
  return { path, what: 'a private key' };
}

async function secret(path: string, what: string, required: boolean): Promise<Finding[]> {
  const stats = await stat(path).catch((problem: unknown) => errnoOf(problem) ?? 'EIO');
  if (typeof stats === 'string') {
    // A folder of another user's that this one may not enter is as it should be.
    return required ? [error('unreadable', `cannot be examined (${stats})`, path, `ls -l ${path}`)] : [];
  }
  if ((stats.mode & OTHERS) === 0) return exposed(path, what);
  const who = (stats.mode & EVERYBODY_READS) === 0 ? 'its group' : 'every user of this host';
  return [error('readable', `${who} may use this file, which holds ${what}`, path, `chmod 600 ${path}`)];
}

/** Where somebody else could put another file in this one's place. */
function exposed(path: string, what: string): Finding[] {
  const exposure = findExposure(path);
  if (exposure === null) return [];
  const message = `somebody else could replace this file, which holds ${what}: ${exposure.fact}`;
  return [error('replaceable', message, exposure.path, exposure.command)];
}

/** What others must not change. */
async function places({ stateDirectory, store }: Patient): Promise<Finding[]> {
  if (store === null) return [];
  const exposure = findExposure(stateDirectory);
  if (exposure === null) return [];
  const message = `what this host remembers of the key store can be made to be forgotten: ${exposure.fact}`;
  return [error('state', message, exposure.path, exposure.command)];
}

/** Directories in which files are encrypted. */
async function workplaces({ directories, outputDirectory }: Patient): Promise<Finding[]> {
  const all = [...directories, ...(outputDirectory === null ? [] : [outputDirectory])];
  return (await Promise.all(all.map(workplace))).flat();
}

async function workplace(path: string): Promise<Finding[]> {
  try {
    await access(path, constants.R_OK | constants.W_OK | constants.X_OK);
    const { mode } = await stat(path);
    if ((mode & 0o002) === 0) return [];
    const message = 'every user may write here, and so choose what is encrypted, or remove it';
    return [warning('writable', message, path, `chmod o-w ${path}`)];
  } catch (problem) {
    const errno = errnoOf(problem) ?? 'EIO';
    if (errno === 'ENOENT') {
      return [
        error('missing', 'this directory does not exist', path, `mkdir -m 770 ${path}, or name another with --watch`),
      ];
    }
    if (errno === 'EROFS')
      return [error('read-only', 'this file system is mounted read-only', path, `findmnt -T ${path}`)];
    const message = `user ${userInfo().username} may not read and write here (${errno})`;
    const remedy = `run doctor as the user of the agent (runuser -u callseal -- callseal doctor), or give it the right: ls -ld ${path}`;
    return [error('not-writable', message, path, remedy)];
  }
}
