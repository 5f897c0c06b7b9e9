/** The process of `callseal doctor` that looks: what it is told, and how it is started. */

import { type ChildProcess, fork, type StdioOptions } from 'node:child_process';
import { existsSync } from 'node:fs';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Patient } from '../doctor/check.ts';
import type { CheckResult } from '../doctor/doctor.ts';
import type { PassphrasePlace } from './passphrase-options.ts';

/** What the operator named, fit for a message. Null: whether what stands in its place is there is seen by who looks. */
export interface Referral extends Omit<Patient, 'directories' | 'passphraseFiles' | 'passphrase' | 'agent' | 'now'> {
  readonly directories: readonly string[] | null;
  readonly places: readonly PassphrasePlace[];
  readonly agent: string;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly earlier: readonly CheckResult[];
}

/** As `callseal agent` has it. */
export const DEFAULT_DIRECTORY = '/var/lumenvox/responses';

/** It sends each result as a message. */
export function startExaminer(referral: Referral): ChildProcess {
  const program = new URL(`./doctor-examiner${extname(import.meta.url)}`, import.meta.url);
  const child = fork(fileURLToPath(program), { stdio: stdioFor(referral.places) });
  child.send(referral, () => {}); // that it ended before is heard of otherwise
  return child;
}

/** Nothing of the terminal's, whose reader would wait for a process that hangs; but the descriptors of passphrases. */
function stdioFor(places: readonly PassphrasePlace[]): StdioOptions {
  const descriptors = places
    .filter(({ kind, name }) => kind === 'descriptor' && existsSync(`/proc/self/fd/${name}`))
    .map(({ name }) => Number(name));
  const last = Math.max(2, ...descriptors);
  const kept = Array.from({ length: last + 1 }, (_, index) => (descriptors.includes(index) ? index : 'ignore'));
  return [...kept.slice(0, 2), kept[2] === 2 ? 2 : 'pipe', ...kept.slice(3), 'ipc'];
}
