/** What the parts of the agent know of each other: the engine that seals files, and what supplies and observes it. */

import type { CallsealError } from '../errors.ts';
import type { Recipients } from '../recipients/recipients.ts';

/** For whom files are encrypted now. */
export interface SupplyState {
  readonly recipients: Recipients;
  /** `escrow`: no configured recipient is usable, and the operator's escrow certificates take their place. */
  readonly kind: 'configured' | 'escrow';
}

/** Where the engine takes its recipients from. It may change between two files, never within one. */
export interface RecipientSupply {
  /** Null: there is nobody to encrypt for. Files wait in plaintext where they are. */
  current(): SupplyState | null;
  /** Called when {@link current} would answer otherwise. Returns how to stop listening. */
  onChange(listener: () => void): () => void;
}

/** A file that was encrypted, and whose plaintext is gone. */
export interface SealedFile {
  path: string;
  output: string;
  inputBytes: number;
  outputBytes: number;
  kind: SupplyState['kind'];
  /** From the file's last change to the removal of its plaintext, in milliseconds. */
  age: number;
  /** A lease told that nobody had it open for writing; otherwise it had been quiet for long enough. */
  leased: boolean;
}

/** A file that was not encrypted. It is left as it is. */
export interface FailedFile {
  path: string;
  error: CallsealError;
  /** How often it was tried, from 1. */
  attempt: number;
  /** Milliseconds until the next attempt. */
  retryIn: number;
}

/** A condition that needs an operator: raised once, cleared once. */
export interface Alarm {
  /** Which, such as `no-recipients`, `config`, `disk-full`, `directory:/var/lumenvox/responses`. Stable while it lasts. */
  key: string;
  /** What is wrong and what to do. */
  message: string;
  /** Milliseconds since the epoch. */
  since: number;
}

/** What happens, as it happens. Every method may be called many hundred times a second and must not throw. */
export interface AgentListener {
  /** A file was encrypted, and its plaintext removed. */
  sealed(file: SealedFile): void;
  /** A file could not be encrypted; it is tried again. */
  failed(file: FailedFile): void;
  /** The file was gone, or renamed, before its turn came. */
  vanished(path: string): void;
  /** An alarm stands from now on. */
  raised(alarm: Alarm): void;
  /** It stands no longer. */
  cleared(alarm: Alarm): void;
  /** A directory is watched from now on, or no longer. */
  watching(directory: string, yes: boolean): void;
}

/** A snapshot for metrics and health. */
export interface AgentState {
  /** Files known to wait, over all directories; a lower bound while a backlog larger than memory allows is worked off. */
  queueLength: number;
  /** More wait than are counted. */
  queueIsLowerBound: boolean;
  /** How long the file that waits longest has been finished, in milliseconds; 0 when none waits. */
  queueAge: number;
  /** Files being encrypted now. */
  working: number;
  /** Files that failed and wait for another attempt. */
  retrying: number;
  /** Files that are still open for writing or not quiet yet. */
  unfinished: number;
  directories: number;
  /** Milliseconds since the epoch; null before the first. */
  lastSuccess: number | null;
  alarms: readonly Alarm[];
  stopping: boolean;
}
