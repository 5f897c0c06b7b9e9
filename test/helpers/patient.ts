/** A host for the doctor to look at. */

import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Check, Finding, Patient } from '../../lib/doctor/check.ts';
import { tempDir } from './temp.ts';

/** One on which nothing is wrong, but for what is given. */
export function patient(ailments: Partial<Patient> = {}): Patient {
  const place = tempDir();
  return {
    config: null,
    warnDays: 30,
    directories: [],
    outputDirectory: null,
    keys: [],
    passphraseFiles: [],
    store: null,
    stateDirectory: join(place, 'state'),
    installationFolder: join(place, 'installation'),
    scratch: tempDir(),
    agent: new URL('http://127.0.0.1:9'),
    agentExpected: false,
    now: new Date(),
    ...ailments,
  };
}

/** `severity rule` of what a check finds, `ok` left out. */
export async function ailments(check: Check, of: Patient): Promise<string[]> {
  const found = await check.examine(of);
  return found.filter(({ severity }) => severity !== 'ok').map(({ severity, rule }) => `${severity} ${rule}`);
}

/** The one finding of a rule. */
export async function finding(check: Check, of: Patient, rule: string): Promise<Finding> {
  const all = await check.examine(of);
  const found = all.filter((one) => one.rule === rule);
  if (found.length !== 1) throw new Error(`${found.length} of ${rule} among ${all.map((one) => one.rule).join(', ')}`);
  return found[0]!;
}

/** A directory with programs that stand before the system's; the value for PATH. */
export function programs(scripts: Readonly<Record<string, string>>): string {
  const dir = join(tempDir(), 'bin');
  mkdirSync(dir);
  for (const [name, script] of Object.entries(scripts)) {
    writeFileSync(join(dir, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(dir, name), 0o755);
  }
  return `${dir}:${process.env.PATH}`;
}
