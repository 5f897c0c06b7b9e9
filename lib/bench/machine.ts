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
  /** The provider that does the cryptography, its version, and whether FIPS is required. */
  readonly module: { readonly name: string; readonly version: string; readonly fips: 'required' | 'off' };
  /** Type of the file system that holds the files worked on. */
  readonly fileSystem: string;
}

/** @param directory Where the files are that will be worked on. */
export function describeMachine(directory: string): Machine {
  const { mode, provider, libcrypto } = status();
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    kernel: release(),
    node: process.version,
    libcrypto: libcrypto.version,
    module: { name: provider.name, version: provider.version, fips: mode },
    fileSystem: fileSystemOf(directory),
  };
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
