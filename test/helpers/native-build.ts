/** Builds of the C++ core without Node, under the sanitizers, and the FIPS module they run on. */

import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { findFipsModule } from '../../lib/fips/discover.ts';
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
 * Builds the core's tests, and its fuzz targets where that is possible, in `.cache/native-sanitized`, with address and
 * undefined-behaviour sanitizers. One build for both, as it takes minutes; quick when nothing has changed. Two processes
 * that build wait for each other.
 *
 * @returns the build directory
 */
export async function buildSanitized(): Promise<string> {
  const fuzzers = fuzzingMisses() === null ? 'ON' : 'OFF';
  return build(
    '.cache/native-sanitized',
    ['-DCALLSEAL_SANITIZE=address,undefined', `-DCALLSEAL_FUZZERS=${fuzzers}`],
    'all',
  );
}

/**
 * Builds the core's tests in `.cache/native-thread-sanitized`, with ThreadSanitizer, which does not go together with the others.
 *
 * @param target all of them, or those that contend for something
 * @returns the program
 */
export async function buildThreadSanitized(target: 'core_tests' | 'contention_tests'): Promise<string> {
  const directory = await build('.cache/native-thread-sanitized', ['-DCALLSEAL_SANITIZE=thread'], target);
  return join(directory, target);
}

async function build(place: string, options: readonly string[], target: string): Promise<string> {
  const directory = join(PROJECT, place);
  forgetMovedBuild(directory);
  mkdirSync(directory, { recursive: true });
  const common = [
    `-DCMAKE_CXX_COMPILER=${sanitizingCompiler()}`,
    '-DCMAKE_BUILD_TYPE=Debug',
    '-DCALLSEAL_CORE_TESTS=ON',
  ];
  for (const args of [
    ['-S', PROJECT, '-B', directory, ...common, ...options],
    ['--build', directory, '--target', target, '--parallel', '2'],
  ]) {
    const { status, stdout, stderr } = await run('flock', [`${directory}.lock`, 'cmake', ...args]);
    if (status !== 0)
      throw new Error(`cmake ${args.join(' ')} ended with ${status}\n${stdout.slice(-8000)}\n${stderr}`);
  }
  return directory;
}

function sanitizingCompiler(): string {
  return isInstalled('clang++') ? 'clang++' : 'g++';
}

/** CMake refuses a build directory that was copied along with the project from another place. */
function forgetMovedBuild(directory: string): void {
  const cache = join(directory, 'CMakeCache.txt');
  if (!existsSync(cache)) return;
  const home = /^CMAKE_HOME_DIRECTORY:INTERNAL=(.*)$/m.exec(readFileSync(cache, 'utf8'))?.[1];
  if (home !== PROJECT) rmSync(directory, { recursive: true });
}

/** A directory with `fips.so` and `fipsmodule.cnf`, as CALLSEAL_FIPS_DIR wants it, wherever the module really lies. */
export function fipsDirectory(): string {
  const { modulePath, moduleConfig } = findFipsModule();
  const directory = tempDir();
  symlinkSync(modulePath, join(directory, 'fips.so'));
  writeFileSync(join(directory, 'fipsmodule.cnf'), `[fips_sect]\n${moduleConfig}`);
  return directory;
}
