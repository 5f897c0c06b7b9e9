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
  const child = fork(fileURLToPath(program), { stdio: stdioFor(descriptorsOf(referral)) });
  child.send(referral, () => {}); // that it ended before is heard of otherwise
  return child;
}

/** Those that hold a passphrase, or that a path leads to, as the shell's `<(…)` does. */
function descriptorsOf({ places, keys, config }: Referral): number[] {
  const paths = [...places.filter(({ kind }) => kind === 'file').map(({ name }) => name), ...keys, config ?? ''];
  const led = paths.map((path) => (path === '/dev/stdin' ? '0' : /^\/(?:dev|proc\/self)\/fd\/(\d+)$/.exec(path)?.[1]));
  const named = places.filter(({ kind }) => kind === 'descriptor').map(({ name }) => name);
  return [...led, ...named]
    .filter((text) => text !== undefined && existsSync(`/proc/self/fd/${text}`))
    .map((text) => Number(text));
}

/** Nothing of the terminal's, whose reader would wait for a process that hangs; but these descriptors. */
function stdioFor(descriptors: readonly number[]): StdioOptions {
  const last = Math.max(2, ...descriptors);
  const kept = Array.from({ length: last + 1 }, (_, index) => (descriptors.includes(index) ? index : 'ignore'));
  return [...kept.slice(0, 2), kept[2] === 2 ? 2 : 'pipe', ...kept.slice(3), 'ipc'];
}
