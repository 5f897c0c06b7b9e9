/** How a PostgreSQL server is spoken to: TLS, password, types. */

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Socket } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import pg from 'pg';
import { CallsealError, type ErrorCode, errnoOf } from '../errors.ts';
import type { PostgresTarget } from './url.ts';

export interface ConnectionSettings {
  readonly target: PostgresTarget;
  /** Milliseconds. */
  readonly connectTimeout: number;
  /** The code of the error when no password is at hand. Default `ERR_STORE_UNAVAILABLE`. */
  readonly unavailable?: ErrorCode;
}

/** @param sockets where the connection's socket is kept while it is open. */
export function clientConfig(settings: ConnectionSettings, sockets: Set<Socket>): pg.ClientConfig {
  const { target, connectTimeout } = settings;
  const { host, port, user, database } = target;
  const ssl = tlsOptions(target);
  return {
    host,
    port,
    user,
    database,
    ssl,
    password: () => passwordFor(settings),
    application_name: 'callseal',
    connectionTimeoutMillis: connectTimeout,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    // Binds the password's proof to this TLS connection, where the server can.
    ...(ssl !== false && { enableChannelBinding: true }),
    stream: () => {
      const socket = new Socket();
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
      return socket;
    },
    types: { getTypeParser },
  };
}

const INT8 = 20;

/** Exact integers, whatever the application that we run in has told `pg` to make of them. */
const getTypeParser = ((oid: number, format: 'text') =>
  oid === INT8 ? (text: string) => BigInt(text) : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser;

function tlsOptions({ host, sslMode, sslRootCert }: PostgresTarget): ConnectionOptions | false {
  if (sslMode === 'disable' || host.startsWith('/')) return false;
  return {
    minVersion: 'TLSv1.2',
    rejectUnauthorized: sslMode !== 'require',
    ...(sslRootCert !== null && { ca: readCertificates(sslRootCert) }),
    ...(sslMode === 'verify-ca' && { checkServerIdentity: () => undefined }),
  };
}

function readCertificates(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    const errno = errnoOf(error);
    throw new CallsealError('ERR_IO', `${path}: sslrootcert cannot be read (${errno ?? error})`, {
      cause: error,
      path,
      ...(errno !== undefined && { errno }),
    });
  }
}

type PasswordFile = (target: object, found: (password: string | undefined) => void) => void;

/** Asked only when the server wants one. */
async function passwordFor({ target, unavailable }: ConnectionSettings): Promise<string> {
  const { description, host, port, user, database, password } = target;
  const given = password ?? process.env.PGPASSWORD;
  if (given !== undefined) return given;
  const passwordFile = createRequire(import.meta.url)('pgpass') as PasswordFile;
  const found = await new Promise<string | undefined>((resolve) =>
    passwordFile({ host, port, user, database }, resolve),
  );
  if (found !== undefined) return found;
  throw new CallsealError(
    unavailable ?? 'ERR_STORE_UNAVAILABLE',
    `${description}: the server wants a password; give it in PGPASSWORD, or in ~/.pgpass with permissions 0600`,
  );
}
