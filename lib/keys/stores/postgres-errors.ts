/** PostgreSQL's errors, as errors of a key store. */

import { CallsealError } from '../../errors.ts';
import { explainFailure, type PlainCause, plainCause, sqlState, TIMEOUT } from '../../postgres/failures.ts';

/** The connection is of no use any more, by no fault of the statement. */
export class ConnectionLost extends CallsealError {
  /** Whether that took a while to find out. Where it did not, another connection may do. */
  readonly isSlow: boolean;

  constructor(message: string, cause: Error, isSlow: boolean) {
    super('ERR_STORE_UNAVAILABLE', message, { cause });
    this.isSlow = isSlow;
  }
}

/** What some SQLSTATEs mean for a key store, beside those that mean the same everywhere. */
const WORDS: readonly (readonly [prefix: string, words: string])[] = [
  ['42P01', 'there is no key store, or its tables were dropped'],
  ['3F', 'there is no key store, or its schema was dropped'],
  ['55P03', 'another transaction holds the key store for too long'],
];

/** Rows that the tables do not take. */
const WRONG_ROWS = ['22', '23'];
/** What ends a connection, or makes it useless, without being about its statement. */
const ENDINGS = ['08', '57P', '25P03', '25006'];

/**
 * What failed, in Callseal's words. The cause says what the driver said, and nothing else of it: a driver's error may hold
 * rows.
 *
 * @param phase when connecting, nothing has been lost yet
 */
export function toPostgresError(error: unknown, description: string, phase: 'connecting' | 'connected'): CallsealError {
  if (error instanceof CallsealError) return error;
  const cause = plainCause(error);
  const state = sqlState(cause.code);
  const message = `${description}: ${wordsFor(cause, state)} (${cause.message})`;
  if (state !== null && WRONG_ROWS.some((prefix) => state.startsWith(prefix))) {
    return new CallsealError('ERR_INVALID_ARGUMENT', message, { cause });
  }
  const lost = state === null || ENDINGS.some((prefix) => state.startsWith(prefix));
  if (lost && phase === 'connected') return new ConnectionLost(message, cause, TIMEOUT.test(cause.message));
  return new CallsealError('ERR_STORE_UNAVAILABLE', message, { cause });
}

function wordsFor(cause: PlainCause, state: string | null): string {
  const own = state === null ? undefined : WORDS.find(([prefix]) => state.startsWith(prefix))?.[1];
  const known = own ?? explainFailure(cause);
  if (known !== undefined) return known;
  if (state === null) return 'the key store cannot be reached';
  return WRONG_ROWS.some((prefix) => state.startsWith(prefix))
    ? 'the key store does not take the row'
    : 'the server failed';
}
