/** The machine and the crypto module that figures were taken with. */

import { readFileSync, realpathSync } from 'node:fs';
import { availableParallelism, cpus, release, totalmem } from 'node:os';

import { status } from '../status.ts';

export interface Machine {
  readonly cpu: string;
  /** Cores this process may use. */
  readonly cores: number;
  readonly memoryBytes: number;
  readonly kernel: string;
  readonly node: string;
  readonly libcrypto: string;
  /** The provider that does the cryptography. */
  readonly module: CryptoModule;
  /** Type of the file system that holds the files worked on. */
  readonly fileSystem: string;
  /** Threads of the pool that file and buffer operations run on. */
  readonly poolThreads: number;
}

export interface CryptoModule {
  readonly name: string;
  readonly version: string;
  readonly fips: 'required' | 'off';
  /** Whether a certificate in force names this version. */
  readonly validated: boolean;
  /** What can truthfully be said of that, in a sentence. */
  readonly validation: string;
}

/** What libuv starts unless UV_THREADPOOL_SIZE says otherwise, and the most it takes. */
const DEFAULT_POOL_THREADS = 4;
const MAX_POOL_THREADS = 1024;

/** @param directory Where the files are that will be worked on. */
export function describeMachine(directory: string): Machine {
  const { mode, provider, libcrypto, validation } = status();
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    kernel: release(),
    node: process.version,
    libcrypto: libcrypto.version,
    module: {
      name: provider.name,
      version: provider.version,
      fips: mode,
      validated: mode === 'required' && validation.status === 'active',
      validation: validation.sentence,
    },
    fileSystem: fileSystemOf(directory),
    poolThreads: poolThreads(process.env.UV_THREADPOOL_SIZE),
  };
}

/** As libuv reads the variable (uv_queue_work in its documentation): not a number counts as 0, and 0 as 1. */
function poolThreads(setting: string | undefined): number {
  if (setting === undefined) return DEFAULT_POOL_THREADS;
  const threads = Number.parseInt(setting, 10) || 1;
  return threads < 0 ? MAX_POOL_THREADS : Math.min(threads, MAX_POOL_THREADS);
}

/** The type of the mount whose point is the longest beginning of the path. */
function fileSystemOf(directory: string): string {
  const path = `${realpathSync(directory)}/`;
  const mounts = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([, point = '-']) => path.startsWith(point === '/' ? point : `${point}/`))
    .sort(([, a = ''], [, b = '']) => b.length - a.length);
  return mounts[0]?.[2] ?? 'unknown';
}
