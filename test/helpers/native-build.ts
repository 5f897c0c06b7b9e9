/** Builds of the C++ core without Node, under the sanitizers, and the FIPS module they run on. */

import { execFileSync, spawn } from 'node:child_process';
import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { findFipsModule } from '../../lib/fips/discover.ts';
import { SANITIZED, sanitizedBuild, THREAD_SANITIZED } from '../../scripts/native/sanitized.mjs';
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

const RACE = `
#include <cstdio>
#include <thread>
int shared = 0;
int main() {
  std::thread other([] { ++shared; });
  ++shared;
  other.join();
  std::printf("%d", shared);
}`;

/** Why ThreadSanitizer would see nothing here, or null: it is tried on a program with a race. */
export async function threadSanitizerMisses(): Promise<string | null> {
  const program = join(tempDir(), 'race');
  const options = ['-fsanitize=thread', '-pthread', '-x', 'c++', '-', '-o', program];
  try {
    execFileSync(sanitizingCompiler(), options, { input: RACE, stdio: ['pipe', 'ignore', 'ignore'] });
  } catch {
    return 'the compiler has no ThreadSanitizer (Debian: libclang-rt-dev)';
  }
  const { status, stderr } = await run(program, []);
  return status !== 0 && stderr.includes('data race')
    ? null
    : `ThreadSanitizer does not work here: ${stderr.slice(0, 200)}`;
}

/**
 * Builds the core's tests, and its fuzz targets where that is possible, with address and undefined-behaviour sanitizers.
 * One build for both, as it takes minutes.
 *
 * @returns the build directory
 */
export async function buildSanitized(): Promise<string> {
  await build(SANITIZED, { compiler: sanitizingCompiler(), fuzzers: fuzzingMisses() === null });
  return SANITIZED.directory;
}

/**
 * Builds the core's tests with ThreadSanitizer.
 *
 * @param target all of them, or those that contend for something
 * @returns the program
 */
export async function buildThreadSanitized(target: 'core_tests' | 'contention_tests'): Promise<string> {
  await build(THREAD_SANITIZED, { compiler: sanitizingCompiler(), targets: [target] });
  return join(THREAD_SANITIZED.directory, target);
}

async function build(...wanted: Parameters<typeof sanitizedBuild>): Promise<void> {
  for (const args of sanitizedBuild(...wanted)) {
    const { status, stdout, stderr } = await run('flock', args);
    if (status !== 0)
      throw new Error(`flock ${args.join(' ')} ended with ${status}\n${stdout.slice(-8000)}\n${stderr}`);
  }
}

function sanitizingCompiler(): string {
  return isInstalled('clang++') ? 'clang++' : 'g++';
}

/** A directory with `fips.so` and `fipsmodule.cnf`, as CALLSEAL_FIPS_DIR wants it, wherever the module really lies. */
export function fipsDirectory(): string {
  const { modulePath, moduleConfig } = findFipsModule();
  const directory = tempDir();
  symlinkSync(modulePath, join(directory, 'fips.so'));
  writeFileSync(join(directory, 'fipsmodule.cnf'), `[fips_sect]\n${moduleConfig}`);
  return directory;
}
