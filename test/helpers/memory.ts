/** How much memory a job takes. */

import { readFileSync, writeFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** What nobody refers to goes now, and not when V8 finds time, which depends on what else runs. */
export function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
}

/** Runs a job and returns by how many bytes the process grew at its largest meanwhile (proc(5): clear_refs, VmHWM). */
export async function growthDuring(job: () => Promise<unknown>): Promise<number> {
  writeFileSync('/proc/self/clear_refs', '5');
  const before = memory('VmRSS');
  await job();
  return memory('VmHWM') - before;
}

function memory(field: 'VmRSS' | 'VmHWM'): number {
  const status = readFileSync('/proc/self/status', 'latin1');
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)![1]) * 1024;
}
