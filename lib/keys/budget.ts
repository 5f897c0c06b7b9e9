/** How much a working key may encrypt, and how that is given out: usage limits that survive a kill. */

import { CallsealError } from '../errors.ts';
import { DEFAULT_SUITE, type Suite } from './suites.ts';

export interface Budget {
  readonly unit: 'messages' | 'blocks';
  /** For the key's whole life. */
  readonly limit: number;
  /** What a process reserves at a time; a killed process loses at most that. */
  readonly slice: number;
}

/** What one operation encrypts. */
export interface Load {
  readonly messages: number;
  /** Of 8 bytes, padding included. */
  readonly blocks: number;
}

/** SP 800-38D, section 8.3: 2^32 messages under one key with random IVs. */
const GCM: Budget = { unit: 'messages', limit: 2 ** 32, slice: 65_536 };
/** SP 800-67 rev. 2, section 3.3: 2^20 blocks under one key bundle. */
const TRIPLE_DES: Budget = { unit: 'blocks', limit: 2 ** 20, slice: 16_384 };

const BLOCK_BYTES = 8;
/** Of a wrapped working key: 32 or 56 bytes with their padding. */
const WRAPPED_BLOCKS = { aes: 5, '3des': 8 } as const;

export function budgetOf(suite: Suite): Budget {
  return suite.working === 'aes' ? GCM : TRIPLE_DES;
}

/** Blocks of a plaintext with PKCS#7 padding, which always adds at least one byte. */
export function blocksOf(length: number): number {
  return Math.floor(length / BLOCK_BYTES) + 1;
}

export function loadOf(length: number): Load {
  return { messages: 1, blocks: blocksOf(length) };
}

/** What a load takes from a key of the suite. */
export function costOf(suite: Suite, load: Load): number {
  return suite.working === 'aes' ? load.messages : load.blocks;
}

/**
 * How much to reserve for a load on a key of which `reserved` is given out; null when the key has not enough left.
 *
 * @throws {CallsealError} `ERR_USAGE_LIMIT` when no key of the suite ever has enough.
 */
export function grant(suite: Suite, reserved: number, load: Load): number | null {
  const { limit, slice } = budgetOf(suite);
  const cost = costOf(suite, load);
  if (cost > limit) {
    throw new CallsealError(
      'ERR_USAGE_LIMIT',
      `one record of ${cost} blocks is more than a whole 3DES key may encrypt (${limit} blocks, SP 800-67 rev. 2); split it, or ` +
        `migrate to suite ${DEFAULT_SUITE.text} (\`callseal master rotate --suite ${DEFAULT_SUITE.text}\`)`,
    );
  }
  const left = limit - reserved;
  return left < cost ? null : Math.min(left, Math.max(slice, cost));
}

/**
 * Checks that a master key may wrap one more working key. A 3DES master key has the budget of every 3DES key.
 *
 * @param wrapped Working keys that it has wrapped so far.
 * @throws {CallsealError} `ERR_USAGE_LIMIT`
 */
export function requireWrapBudget(suite: Suite, wrapped: number): void {
  if (suite.master === 'aes' || (wrapped + 1) * WRAPPED_BLOCKS[suite.working] <= TRIPLE_DES.limit) return;
  throw new CallsealError(
    'ERR_USAGE_LIMIT',
    `the current 3DES master key has wrapped ${wrapped} working keys and may wrap no more (2^20 blocks, SP 800-67 rev. 2); ` +
      `go on under another with \`callseal master rotate --suite ${DEFAULT_SUITE.text}\``,
  );
}
