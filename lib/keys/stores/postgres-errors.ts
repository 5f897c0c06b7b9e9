/** PostgreSQL's and the network's errors, in words; https://www.postgresql.org/docs/current/errcodes-appendix.html. */

import { CallsealError } from '../../errors.ts';

/** The connection is of no use any more, by no fault of the statement. */
export class ConnectionLost extends CallsealError {
  /** Whether that took a while to find out. Where it did not, another connection may do. */
  readonly isSlow: boolean;

  constructor(message: string, cause: Error, isSlow: boolean) {
    super('ERR_STORE_UNAVAILABLE', message, { cause });
    this.isSlow = isSlow;
  }
}

/** What each SQLSTATE means for a key store, and what to do. Longest prefix first. */
const WORDS: readonly (readonly [prefix: string, words: string])[] = [
  ['28', 'the server refuses the user or the password; look at the URL, PGPASSWORD or ~/.pgpass, and at pg_hba.conf'],
  ['3D', 'the server has no such database; make it with `createdb`'],
  ['42501', 'the user may not do this; GRANT it the rights on the schema and its tables'],
  ['42P01', 'there is no key store, or its tables were dropped'],
  ['3F', 'there is no key store, or its schema was dropped'],
  ['55P03', 'another transaction holds the key store for too long'],
  ['57014', 'the server took too long'],
  ['25P03', 'a transaction was idle for too long, and the server ended it'],
  ['25006', 'the server takes no changes, as a standby does not; connect to the primary'],
  ['53300', 'the server has no connection left; raise max_connections'],
  ['53100', "the server's disk is full"],
  ['57P', 'the server is shutting down or starting'],
  ['40', 'another transaction was in the way; try again'],
];

/** Rows that the tables do not take. */
const WRONG_ROWS = ['22', '23'];
/** What ends a connection, or makes it useless, without being about its statement. */
const ENDINGS = ['08', '57P', '25P03', '25006'];

/** By Node's and OpenSSL's codes. */
const NETWORK: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there; is the server running, and are host and port right?',
  ENOENT: 'there is no socket of a server in that directory; is the server running?',
  EACCES: "this user may not use the server's socket",
  ENOTFOUND: 'the host name is not known',
  EAI_AGAIN: 'the host name cannot be looked up now',
  ERR_TLS_CERT_ALTNAME_INVALID: "the server's certificate is for another host name",
  CERT_HAS_EXPIRED: "the server's certificate has expired",
  DEPTH_ZERO_SELF_SIGNED_CERT: "nobody vouches for the server's certificate; name its CA with sslrootcert=FILE",
  SELF_SIGNED_CERT_IN_CHAIN: "the server's certificate comes from an unknown CA; name it with sslrootcert=FILE",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "the server's certificate comes from an unknown CA; name it with sslrootcert=FILE",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "the server's certificate comes from an unknown CA; name it with sslrootcert=FILE",
};

const TIMEOUT = /timeout|timed out/i;

/** By the words of `pg`, which gives these no codes. */
const DRIVER: readonly (readonly [pattern: RegExp, words: string])[] = [
  [/does not support SSL/, 'the server has TLS switched off; switch it on, or say sslmode=disable'],
  [TIMEOUT, 'the server does not answer'],
  [/terminated|not queryable/i, 'the connection was cut'],
];

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

function wordsFor({ code = '', message }: PlainCause, state: string | null): string {
  if (state !== null) {
    const known = WORDS.find(([prefix]) => state.startsWith(prefix))?.[1];
    if (known !== undefined) return known;
    return WRONG_ROWS.some((prefix) => state.startsWith(prefix))
      ? 'the key store does not take the row'
      : 'the server failed';
  }
  return NETWORK[code] ?? DRIVER.find(([pattern]) => pattern.test(message))?.[1] ?? 'the key store cannot be reached';
}

type PlainCause = Error & { code?: string };

function plainCause(error: unknown): PlainCause {
  if (!(error instanceof Error)) return new Error(String(error));
  // Node tries each address of a name; the last failure is as good as any.
  const single = error instanceof AggregateError && error.errors.length > 0 ? error.errors.at(-1) : error;
  const cause: PlainCause = new Error(single.message);
  cause.name = single.name;
  if (typeof single.code === 'string') cause.code = single.code;
  return cause;
}

function sqlState(code: string | undefined): string | null {
  return code !== undefined && /^[0-9A-Z]{5}$/.test(code) && !/^E[A-Z]{4}$/.test(code) ? code : null;
}
