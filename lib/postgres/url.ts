/** `postgres://…`, as libpq writes it, but careful by default: TLS with verification to any other host. */

import { isIP, isIPv4 } from 'node:net';
import { userInfo } from 'node:os';
import { CallsealError } from '../errors.ts';

/** How far the connection is protected; libpq's names. */
export type SslMode = 'disable' | 'require' | 'verify-ca' | 'verify-full';

export interface PostgresTarget {
  /** For people: without the password, and with what is weak about it. */
  readonly description: string;
  /** Name or address; a directory with the server's socket when it begins with a slash. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** Null when the URL has none; then PGPASSWORD or the password file has it, or the server wants none. */
  readonly password: string | null;
  readonly database: string;
  readonly schema: string;
  readonly sslMode: SslMode;
  /** A file of certificates to trust instead of those that come with Node. */
  readonly sslRootCert: string | null;
}

const DEFAULT_PORT = 5432;
/** Where Debian's and Fedora's packages put the server's socket. */
const SOCKET_DIRECTORY = '/var/run/postgresql';
const DEFAULT_SCHEMA = 'public';
const PARAMETERS = ['host', 'port', 'schema', 'sslmode', 'sslrootcert'];

/** Names that need no quoting, with room for a prefix in what PostgreSQL takes (63 bytes). */
const SCHEMA = /^[a-z_][a-z0-9_]{0,47}$/;

const WEAKNESSES: Partial<Record<SslMode, string>> = {
  disable: 'not encrypted',
  require: 'encrypted, but with whichever server answers',
  'verify-ca': "encrypted, but without a check of the server's name",
};

/**
 * Takes apart `postgres://[USER[:PASSWORD]@][HOST][:PORT]/DATABASE[?PARAMETERS]`; also `postgresql://`. What is special in a part is
 * percent-encoded. Parameters: `host` (a socket's directory) and `port`, `schema` (default `public`), `sslmode` and
 * `sslrootcert`.
 *
 * `sslmode` is `verify-full` by default for every host but this one, where it is `disable`; `require` and `disable`
 * to another host must be written. `prefer` and `allow`, which protect from nobody, are taken for this host only.
 *
 * @throws {CallsealError} `ERR_INVALID_ARGUMENT`; the message shows no part of the URL that may hold a password.
 */
export function parsePostgresUrl(url: string): PostgresTarget {
  const match = /^postgres(?:ql)?:\/\/(?:([^@/?#]*)@)?([^@/?#]*)(?:\/([^/?#]*))?(?:\?([^#]*))?$/.exec(url);
  if (match === null) {
    throw invalid('is not postgres://USER@HOST/DATABASE; percent-encode what is special in the user or the password');
  }
  const [, credentials = '', authority = '', path = '', query = ''] = match;
  const parameters = parametersOf(query);
  const [, user = '', password] = /^([^:]*)(?::(.*))?$/.exec(credentials) ?? [];
  const place = { ...hostAndPort(authority), ...placeOf(parameters) };
  const host = place.host === '' ? SOCKET_DIRECTORY : place.host;

  const name = user === '' ? userInfo().username : decode(user, 'user');
  const target = {
    host,
    port: place.port,
    user: name,
    password: password === undefined ? null : decode(password, 'password'),
    database: path === '' ? name : decode(path, 'database'),
    schema: schemaOf(parameters),
    sslMode: sslModeOf(host, parameters),
    sslRootCert: parameters.get('sslrootcert') ?? null,
  };
  return { ...target, description: describe(target) };
}

function parametersOf(query: string): Map<string, string> {
  const parameters = new Map<string, string>();
  for (const pair of query.split('&').filter((text) => text !== '')) {
    const [name = '', value = ''] = pair.split(/=(.*)/s);
    if (!PARAMETERS.includes(name)) {
      throw invalid(`has a parameter that is not known; known are ${PARAMETERS.join(', ')}`);
    }
    if (parameters.has(name)) throw invalid(`has the parameter ${name} twice`);
    parameters.set(name, decode(value, name));
  }
  return parameters;
}

function hostAndPort(authority: string): { host: string; port: number } {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]*))(?::([^:]*))?$/.exec(authority);
  if (match === null) throw invalid('has no host that can be understood; an IPv6 address stands in brackets');
  const [, address, name = '', port] = match;
  return { host: address ?? decode(name, 'host'), port: port === undefined ? DEFAULT_PORT : portOf(port) };
}

function placeOf(parameters: Map<string, string>): { host?: string; port?: number } {
  const host = parameters.get('host');
  const port = parameters.get('port');
  return { ...(host !== undefined && { host }), ...(port !== undefined && { port: portOf(port) }) };
}

function portOf(text: string): number {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port < 1 || port > 65535) throw invalid('has no port from 1 to 65535');
  return port;
}

function schemaOf(parameters: Map<string, string>): string {
  const schema = parameters.get('schema') ?? DEFAULT_SCHEMA;
  if (SCHEMA.test(schema)) return schema;
  throw invalid('has a schema that is not 1 to 48 lower-case letters, digits and underscores, a digit not first');
}

function sslModeOf(host: string, parameters: Map<string, string>): SslMode {
  const local = isLocal(host);
  const mode = parameters.get('sslmode') ?? (local ? 'disable' : 'verify-full');
  switch (mode) {
    case 'disable':
    case 'verify-ca':
    case 'verify-full':
      return mode;
    case 'require':
      // libpq, too, verifies when it is given certificates to verify with.
      return parameters.has('sslrootcert') ? 'verify-ca' : mode;
    case 'allow':
    case 'prefer':
      if (local) return 'disable';
      throw invalid(
        `has sslmode=${mode}, which protects from nobody who can cut the connection; ` +
          'use verify-full (the default), with sslrootcert=FILE for a private CA, or say sslmode=disable',
      );
    default:
      throw invalid('has an sslmode that is none of disable, require, verify-ca, verify-full');
  }
}

/** Whether what is sent there leaves this host. */
function isLocal(host: string): boolean {
  return host.startsWith('/') || host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'));
}

function describe(target: Omit<PostgresTarget, 'description'>): string {
  const { host, port, user, database, schema, sslMode } = target;
  const socket = host.startsWith('/');
  const parameters = [
    ...(socket && host !== SOCKET_DIRECTORY ? [`host=${encodeURI(host)}`] : []),
    ...(socket && port !== DEFAULT_PORT ? [`port=${port}`] : []),
    ...(schema === DEFAULT_SCHEMA ? [] : [`schema=${schema}`]),
  ];
  const name = isIP(host) === 6 ? `[${host}]` : host;
  const place = socket ? '' : `${name}${port === DEFAULT_PORT ? '' : `:${port}`}`;
  const query = parameters.length === 0 ? '' : `?${parameters.join('&')}`;
  const weakness = isLocal(host) ? undefined : WEAKNESSES[sslMode];
  const note = weakness === undefined ? '' : ` (${weakness}: sslmode=${sslMode})`;
  return `postgres://${encodeURIComponent(user)}@${place}/${encodeURIComponent(database)}${query}${note}`;
}

function decode(text: string, part: string): string {
  let decoded: string;
  try {
    decoded = decodeURIComponent(text);
  } catch {
    throw invalid(`has a wrong percent-encoding in its ${part}`);
  }
  if (decoded.includes('\0')) throw invalid(`has a NUL character in its ${part}`);
  return decoded;
}

function invalid(what: string): CallsealError {
  return new CallsealError('ERR_INVALID_ARGUMENT', `the PostgreSQL URL ${what}`);
}
