/** Builds of the C++ core without Node, under the sanitizers, and the FIPS module they run on. */

import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { findFipsModule } from '../../lib/fips/discover.ts';
import { SANITIZED, sanitizedBuild } from '../../scripts/native/sanitized.mjs';
import { tempDir } from './temp.ts';

export const PROJECT = join(import.meta.dirname, '../..');

export interface Outcome {
  /** Exit code, or null when a signal ended it. */
  status: number | null;
  stdout: string;
  stderr: string;
}

/** Runs a program to its end. */
export function run(program: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Outcome> {
  const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  const outcome: Outcome = { status: null, stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    outcome.stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    outcome.stderr += text;
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status) => resolve({ ...outcome, status }));
  });
}

export function isInstalled(program: string): boolean {
  try {
    execFileSync(program, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Why fuzzing is impossible here, or null. */
export function fuzzingMisses(): string | null {
  if (!isInstalled('clang++')) return 'clang++ is not installed';
  const source = 'extern "C" int LLVMFuzzerTestOneInput(const unsigned char*, unsigned long) { return 0; }';
  const options = ['-fsanitize=fuzzer,address,undefined', '-x', 'c++', '-', '-o', join(tempDir(), 'empty')];
  try {
    execFileSync('clang++', options, { input: source, stdio: ['pipe', 'ignore', 'ignore'] });
    return null;
  } catch {
    return 'clang++ has no libFuzzer or sanitizer runtime (Debian: libclang-rt-dev)';
  }
}

/**
 * Builds the core's tests, and its fuzz targets where that is possible, in `.cache/native-sanitized`, with address and
 * undefined-behaviour sanitizers. One build for both, as it takes minutes; quick when nothing has changed. Two processes
 * that build wait for each other.
 *
 * @returns the build directory
 */
export async function buildSanitized(): Promise<string> {
  mkdirSync(SANITIZED, { recursive: true });
  const compiler = isInstalled('clang++') ? 'clang++' : 'g++';
  for (const args of sanitizedBuild({ compiler, fuzzers: fuzzingMisses() === null })) {
    const { status, stdout, stderr } = await run('flock', args);
    if (status !== 0)
      throw new Error(`flock ${args.join(' ')} ended with ${status}\n${stdout.slice(-8000)}\n${stderr}`);
  }
  return SANITIZED;
}

/** A directory with `fips.so` and `fipsmodule.cnf`, as CALLSEAL_FIPS_DIR wants it, wherever the module really lies. */
export function fipsDirectory(): string {
  const { modulePath, moduleConfig } = findFipsModule();
  const directory = tempDir();
  symlinkSync(modulePath, join(directory, 'fips.so'));
  writeFileSync(join(directory, 'fipsmodule.cnf'), `[fips_sect]\n${moduleConfig}`);
  return directory;
}
