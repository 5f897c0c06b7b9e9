/** PostgreSQL's and the network's errors, in words; https://www.postgresql.org/docs/current/errcodes-appendix.html. */

/** What an SQLSTATE means, and what to do. Longest prefix first. */
const WORDS: readonly (readonly [prefix: string, words: string])[] = [
  ['28', 'the server refuses the user or the password; look at the URL, PGPASSWORD or ~/.pgpass, and at pg_hba.conf'],
  ['3D', 'the server has no such database; make it with `createdb`'],
  ['42501', 'the user may not do this; GRANT it the rights on the schema and its tables'],
  ['57014', 'the server took too long'],
  ['25P03', 'a transaction was idle for too long, and the server ended it'],
  ['25006', 'the server takes no changes, as a standby does not; connect to the primary'],
  ['53300', 'the server has no connection left; raise max_connections'],
  ['53100', "the server's disk is full"],
  ['57P', 'the server is shutting down or starting'],
  ['40', 'another transaction was in the way; try again'],
];

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

/** How the driver says that it waited too long. */
export const TIMEOUT = /timeout|timed out/i;

/** By the words of `pg`, which gives these no codes. */
const DRIVER: readonly (readonly [pattern: RegExp, words: string])[] = [
  [/does not support SSL/, 'the server has TLS switched off; switch it on, or say sslmode=disable'],
  [TIMEOUT, 'the server does not answer'],
  [/terminated|not queryable/i, 'the connection was cut'],
];

/** What a failure means wherever it is met; undefined for those that must be explained where they are. */
export function explainFailure({ code, message }: PlainCause): string | undefined {
  const state = sqlState(code);
  if (state !== null) return WORDS.find(([prefix]) => state.startsWith(prefix))?.[1];
  return NETWORK[code ?? ''] ?? DRIVER.find(([pattern]) => pattern.test(message))?.[1];
}

/** What the driver said, and nothing else of its error, which may hold rows. */
export type PlainCause = Error & { code?: string };

/** From whatever was thrown. */
export function plainCause(error: unknown): PlainCause {
  if (!(error instanceof Error)) return new Error(String(error));
  // Node tries each address of a name; the last failure is as good as any.
  const single = error instanceof AggregateError && error.errors.length > 0 ? error.errors.at(-1) : error;
  const cause: PlainCause = new Error(single.message);
  cause.name = single.name;
  if (typeof single.code === 'string') cause.code = single.code;
  return cause;
}

/** The SQLSTATE among the codes of the driver, or null for one of Node's. */
export function sqlState(code: string | undefined): string | null {
  return code !== undefined && /^[0-9A-Z]{5}$/.test(code) && !/^E[A-Z]{4}$/.test(code) ? code : null;
}
