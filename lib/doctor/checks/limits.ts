/** What the system grants this user's processes, and where it may write their memory. No command leaves a core dump. */

import { readFile } from 'node:fs/promises';
import { type Check, type Finding, note, ok, warning } from '../check.ts';

/** The agent's files, directories it watches, connections, and room. */
const ENOUGH_FILES = 1024;

export const limits: Check = {
  name: 'limits',
  async examine() {
    const text = await readFile('/proc/self/limits', 'utf8').catch(() => null);
    if (text === null) return [note('unknown', 'not examined: /proc/self/limits cannot be read', '/proc/self/limits')];
    const found = [...openFiles(text), ...(await swap())];
    return found.length > 0 ? found : [ok('limits', 'enough open files; no swap that could hold keys')];
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
