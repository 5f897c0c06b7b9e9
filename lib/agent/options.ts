/** What an agent is told, and what holds where it is not told. */

import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import type { SealOptions } from '../callfile/seal.ts';
import { CallsealError } from '../errors.ts';
import { type Include, Names } from './names.ts';
import type { AgentListener, RecipientSupply } from './types.ts';

/** Options of an {@link Agent}. */
export interface AgentOptions {
  /** Directories to work in, with all that are below them. They need not exist yet. */
  directories: readonly string[];
  /** For whom files are encrypted. */
  supply: RecipientSupply;
  /** Told what happens. Default: nobody. */
  listener?: AgentListener | undefined;
  /** Where encrypted files go, in directories as they are below the watched one. Default: beside the plaintext. */
  outputDir?: string | undefined;
  /** The end of an encrypted file's name; files with it are passed over. Default `.sealed`. */
  suffix?: string | undefined;
  /** Which names are taken. Default: all. Hidden files never are. */
  include?: Include | undefined;
  /**
   * Files worked on at a time. Default: 4 a core, at most 8, as they wait for the disk more than they work. Each takes a
   * thread of libuv's pool: let `UV_THREADPOOL_SIZE` be at least two more, or else 4 are worked on at most.
   */
  concurrency?: number | undefined;
  /** Without a lease, milliseconds that a file must not have changed for. Default 5000. */
  quietFor?: number | undefined;
  /** Names held in memory of each kind: backlog, newly heard of, unfinished, failed. Default 10000. */
  maxQueue?: number | undefined;
  /** Milliseconds between two readings of all directories. Default 30000. */
  rescan?: number | undefined;
  /** Passed on to every `sealFile`. */
  seal?: Omit<SealOptions, 'recipients' | 'signal' | 'quietFor' | 'observed' | 'inputRoot' | 'outputRoot'> | undefined;
}

/** Options, complete. */
export interface Settings {
  readonly directories: readonly string[];
  readonly supply: RecipientSupply;
  readonly listener: AgentListener;
  readonly outputDir: string | null;
  readonly names: Names;
  readonly concurrency: number;
  readonly quietFor: number;
  readonly maxQueue: number;
  readonly rescan: number;
  readonly seal: NonNullable<AgentOptions['seal']>;
}

const MOST_WORKERS = 8;
const WORKERS_PER_CORE = 4;

/** For those who do not listen. */
const UNHEARD: AgentListener = {
  sealed() {},
  failed() {},
  vanished() {},
  raised() {},
  cleared() {},
  watching() {},
};

/** @throws {CallsealError} `ERR_INVALID_ARGUMENT`. */
export function settingsOf(options: AgentOptions): Settings {
  const { directories, supply, listener = UNHEARD, outputDir } = options;
  if (directories.length === 0) throw new CallsealError('ERR_INVALID_ARGUMENT', 'directories: name at least one');
  return {
    directories: [...new Set(directories.map((path) => resolve(path)))],
    supply,
    listener,
    outputDir: outputDir === undefined ? null : resolve(outputDir),
    names: new Names(options.suffix, options.include),
    concurrency: atLeast('concurrency', options.concurrency ?? defaultConcurrency(), 1),
    quietFor: atLeast('quietFor', options.quietFor ?? 5000, 0),
    maxQueue: atLeast('maxQueue', options.maxQueue ?? 10_000, 1),
    rescan: atLeast('rescan', options.rescan ?? 30_000, 1),
    seal: options.seal ?? {},
  };
}

/** Files worked on at a time, unless told otherwise. */
export function defaultConcurrency(): number {
  return Math.min(MOST_WORKERS, WORKERS_PER_CORE * availableParallelism());
}

function atLeast(name: string, value: number, least: number): number {
  if (Number.isSafeInteger(value) && value >= least) return value;
  throw new CallsealError('ERR_INVALID_ARGUMENT', `${name} must be a whole number of at least ${least}, not ${value}`);
}
