/** What the system grants this user's processes, and what a crash would leave of keys. */

import { readFile } from 'node:fs/promises';
import { type Check, type Finding, note, ok, warning } from '../check.ts';

/** The agent's files, directories it watches, connections, and room. */
const ENOUGH_FILES = 1024;

export const limits: Check = {
  name: 'limits',
  async examine() {
    const text = await readFile('/proc/self/limits', 'utf8').catch(() => null);
    if (text === null) return [note('unknown', 'not examined: /proc/self/limits cannot be read', '/proc/self/limits')];
    const found = [...openFiles(text), ...(await coreDumps(text)), ...(await swap())];
    return found.length > 0
      ? found
      : [ok('limits', 'enough open files; no core dumps and no swap that could hold keys')];
  },
};

/** Soft and hard, from proc(5); Infinity for `unlimited`. */
function limitOf(text: string, name: string): { soft: number; hard: number } | null {
  const match = new RegExp(`^${name} +(\\d+|unlimited) +(\\d+|unlimited)`, 'm').exec(text);
  const number = (word: string | undefined): number => (word === 'unlimited' ? Number.POSITIVE_INFINITY : Number(word));
  return match === null ? null : { soft: number(match[1]), hard: number(match[2]) };
}

/** Node raises the soft limit to the hard one when it starts. */
function openFiles(text: string): Finding[] {
  const limit = limitOf(text, 'Max open files');
  if (limit === null || limit.hard >= ENOUGH_FILES) return [];
  const message = `a process may have ${limit.hard} files open; the agent and many live recordings need more`;
  return [warning('open-files', message, 'RLIMIT_NOFILE', 'LimitNOFILE=65536 in the unit, or ulimit -n 65536')];
}

/** What a core dump holds is the memory of the process, keys included. */
async function coreDumps(text: string): Promise<Finding[]> {
  const limit = limitOf(text, 'Max core file size');
  const pattern = (await readFile('/proc/sys/kernel/core_pattern', 'utf8').catch(() => '')).trim();
  if (limit === null || pattern === '' || limit.soft === 0) return [];
  const message = `a process that crashes leaves its memory, keys included, in a core dump (core_pattern: ${pattern})`;
  return [warning('core-dumps', message, 'RLIMIT_CORE', 'LimitCORE=0 in the unit, or ulimit -c 0')];
}

/** Memory that is written to a disk outlives the process. */
async function swap(): Promise<Finding[]> {
  const lines = (await readFile('/proc/swaps', 'utf8').catch(() => '')).trim().split('\n').slice(1);
  const disks = lines.map((line) => line.split(/\s+/)[0] ?? '').filter((path) => path !== '' && !/zram/.test(path));
  return disks.map((path) =>
    note(
      'swap',
      'memory may be written here, keys included; whether it is encrypted is not known',
      path,
      `lsblk ${path}`,
    ),
  );
}
