/** How a hierarchy is opened, with its defaults. */

import { hostname, userInfo } from 'node:os';
import { CallsealError } from '../errors.ts';
import type { Who } from './audit.ts';

/** How long and how often a key may be used before it is fetched and verified again. */
export interface CacheOptions {
  /** Seconds that keys stay open after the store was last verified; also how long they serve when it cannot be reached. 1 to 86,400; default 300. */
  readonly ttlSeconds?: number | undefined;
  /** Records that an opened key serves before it is opened anew. At least 1; default 2^20. */
  readonly maxUses?: number | undefined;
}

export interface CacheLimits {
  readonly ttlMilliseconds: number;
  readonly maxUses: number;
}

const DEFAULT_TTL_SECONDS = 300;
const LONGEST_TTL_SECONDS = 86_400;
const DEFAULT_MAX_USES = 2 ** 20;

/** @throws {CallsealError} `ERR_INVALID_ARGUMENT` */
export function cacheLimits(options: CacheOptions = {}): CacheLimits {
  const { ttlSeconds = DEFAULT_TTL_SECONDS, maxUses = DEFAULT_MAX_USES } = options;
  if (!(ttlSeconds >= 1 && ttlSeconds <= LONGEST_TTL_SECONDS)) {
    throw new CallsealError(
      'ERR_INVALID_ARGUMENT',
      `cache.ttlSeconds is from 1 to ${LONGEST_TTL_SECONDS}, not ${ttlSeconds}`,
    );
  }
  if (!Number.isSafeInteger(maxUses) || maxUses < 1) {
    throw new CallsealError('ERR_INVALID_ARGUMENT', `cache.maxUses is a whole number from 1, not ${maxUses}`);
  }
  return { ttlMilliseconds: ttlSeconds * 1000, maxUses };
}

/** @param actor Default: the operating system's user. */
export function who(actor?: string): Who {
  return { actor: actor ?? userName(), host: hostname() };
}

/** A container may run under a number that has no name. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}
