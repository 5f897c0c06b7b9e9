/** Where files are written: space, inodes, and what the file system cannot do. */

import { constants } from 'node:fs';
import { open, stat, statfs } from 'node:fs/promises';
import { errnoOf } from '../../errors.ts';
import { count, formatBytes } from '../../wording.ts';
import { type Check, error, type Finding, note, ok, type Patient, warning } from '../check.ts';

/** Below these, a full disk is near; encrypting needs room for plaintext and encrypted file beside each other. */
const LOW_BYTES = 1 << 30;
const LOW_SHARE = 0.05;
const NO_BYTES = 64 << 20;
const LOW_INODES = 10_000;

/** `f_type` of statfs(2), of file systems that other hosts write to, or that know no owners. */
const REMOTE: Readonly<Record<number, string>> = {
  26985: 'NFS',
  20859: 'SMB',
  4283649346: 'CIFS',
  4266872130: 'SMB2',
  12805120: 'Ceph',
  1702057286: 'FUSE',
};
const WITHOUT_OWNERS: Readonly<Record<number, string>> = { 19780: 'FAT', 538032816: 'exFAT' };

/** <asm-generic/fcntl.h>; Node has no name for it. With O_DIRECTORY, as the system demands. */
const O_TMPFILE = 0o20000000 | constants.O_DIRECTORY;

export const disk: Check = {
  name: 'disk',
  async examine(patient) {
    const findings = await Promise.all(directoriesOf(patient).map(examineDirectory));
    const all = findings.flat();
    return all.length > 0
      ? all
      : [note('none', 'no directory that files are written to was named', null, 'callseal doctor --watch DIR')];
  },
};

function directoriesOf({ directories, outputDirectory, store, stateDirectory }: Patient): string[] {
  const state = store === null ? [] : [stateDirectory];
  return [...new Set([...directories, ...(outputDirectory === null ? [] : [outputDirectory]), ...state])];
}

async function examineDirectory(path: string): Promise<Finding[]> {
  const there = await stat(path).catch(() => null);
  if (there?.isDirectory() !== true) return []; // the check of permissions says so
  const found = [...(await space(path)), ...(await kind(path))];
  return found.some(({ severity }) => severity !== 'note') ? found : [...(await enough(path)), ...found];
}

async function enough(path: string): Promise<Finding[]> {
  const { bavail, bsize } = await statfs(path);
  return [ok('space', `${formatBytes(bavail * bsize)} free`, path)];
}

async function space(path: string): Promise<Finding[]> {
  const { bavail, blocks, bsize, ffree, files } = await statfs(path);
  const free = bavail * bsize;
  const findings: Finding[] = [];
  const left = `${formatBytes(free)} of ${formatBytes(blocks * bsize)} left`;
  const remedy = `df -h ${path}; make room, or move the files that are encrypted to where there is some`;
  if (free < NO_BYTES) findings.push(error('no-space', `the disk is full: ${left}`, path, remedy));
  else if (free < LOW_BYTES || bavail < blocks * LOW_SHARE) {
    findings.push(warning('low-space', `the disk is nearly full: ${left}`, path, remedy));
  }
  // Btrfs and others make inodes as they need them, and say 0.
  if (files > 0 && ffree < LOW_INODES) {
    const message = `${count(ffree, 'file')} more can be made, then the inodes of this file system are used up`;
    findings.push((ffree === 0 ? error : warning)('inodes', message, path, `df -i ${path}`));
  }
  return findings;
}

async function kind(path: string): Promise<Finding[]> {
  const { type } = await statfs(path);
  const remote = REMOTE[type];
  const ownerless = WITHOUT_OWNERS[type];
  const findings: Finding[] = [];
  if (remote !== undefined) {
    const message =
      `${remote} tells nobody who has a file open on another host: there are no leases, and a file that is still ` +
      'written may be taken for finished';
    const remedy = 'encrypt on the host that writes the files, or give the agent --quiet-seconds';
    findings.push(warning('remote', message, path, remedy));
  }
  if (ownerless !== undefined) {
    const message = `${ownerless} knows no owners and modes: every user may read what is written here`;
    findings.push(warning('no-owners', message, path, 'use ext4 or XFS'));
  }
  if (await lacksUnnamedFiles(path)) {
    const message = 'no unnamed files (O_TMPFILE) here: a process that is killed may leave files named *.callseal-tmp';
    findings.push(note('no-tmpfile', message, path, 'use ext4, XFS or tmpfs, or delete them when nothing runs'));
  }
  return findings;
}

/** Tried: the file has no name, and is gone when it is closed. Where this user may not write nothing is said. */
async function lacksUnnamedFiles(path: string): Promise<boolean> {
  try {
    const file = await open(path, O_TMPFILE | constants.O_WRONLY, 0o600);
    await file.close();
    return false;
  } catch (problem) {
    return ['EOPNOTSUPP', 'EISDIR', 'EINVAL', 'ENOTSUP'].includes(errnoOf(problem) ?? '');
  }
}
