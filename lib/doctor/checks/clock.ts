/** The clock, by which certificates expire: against the times of files, and whether it is kept right. */

import { stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { type Check, error, type Finding, note, ok, type Patient, warning } from '../check.ts';
import { askTool } from '../tool.ts';

/** Files of another host's may be ahead by as much. */
const TOLERANCE = 60_000;
/** No release of this package was made before. */
const FIRST_RELEASE = Date.UTC(2026, 10, 1);
const MINUTES = 60_000;

export const clock: Check = {
  name: 'clock',
  async examine(patient) {
    return [...(await plausible(patient)), await synchronised()];
  },
};

async function plausible({ now, config, directories, keys }: Patient): Promise<Finding[]> {
  const shown = `${now.toISOString().slice(0, 19)}Z`;
  const remedy = 'timedatectl set-ntp true';
  if (now.getTime() < FIRST_RELEASE) {
    return [error('past', `the clock says ${shown}, which is before this release was made`, null, remedy)];
  }
  const self = fileURLToPath(import.meta.url);
  const ahead: Finding[] = [];
  for (const path of [self, ...(config === null ? [] : [config]), ...directories, ...keys]) {
    const changed = (await stat(path).catch(() => null))?.mtimeMs ?? 0;
    if (changed <= now.getTime() + TOLERANCE) continue;
    const minutes = Math.round((changed - now.getTime()) / MINUTES);
    const message = `was changed ${minutes} min in the future of a clock that says ${shown}: one of them is wrong`;
    ahead.push(warning('future-file', message, path, 'timedatectl status'));
  }
  return ahead.length > 0 ? ahead : [ok('plausible', `${shown}, not behind the times of files`)];
}

/** What keeps the clock says whether it succeeds. */
async function synchronised(): Promise<Finding> {
  for (const { program, args, verdict } of KEEPERS) {
    const answer = await askTool(program, args);
    const kept = answer === null ? null : verdict(answer);
    if (kept === null) continue;
    if (kept) return ok('synchronised', `kept right by a time server, says ${program}`, program);
    const message = `${program} says that no time server keeps the clock right: certificates expire too late or too early`;
    return warning('not-synchronised', message, program, 'timedatectl set-ntp true');
  }
  const message = 'whether a time server keeps the clock right is not known: neither timedatectl nor chronyc answers';
  return note('unknown', message, null, 'in a container: look on its host, with timedatectl status');
}

interface Keeper {
  readonly program: string;
  readonly args: readonly string[];
  /** Null: does not say. */
  readonly verdict: (text: string) => boolean | null;
}

const KEEPERS: readonly Keeper[] = [
  {
    program: 'timedatectl',
    args: ['show', '--property=NTPSynchronized', '--value'],
    verdict: (text) => (/^(yes|no)$/.test(text.trim()) ? text.trim() === 'yes' : null),
  },
  {
    program: 'chronyc',
    args: ['-c', 'tracking'],
    // The last field is the leap status, from chronyc(1).
    verdict: (text) => (text.includes(',') ? !/Not synchronised\s*$/.test(text) : null),
  },
];
