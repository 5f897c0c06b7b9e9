/**
 * Where the desk listens: on the loopback interface, at an address of its own.
 *
 * All of 127.0.0.0/8 is this host on Linux. An address that was drawn at random is an origin that no browser has seen: what
 * other servers have left behind for theirs (cookies, which know no ports, and service workers) does not reach it, and the
 * desk's cookie goes to nobody else. Whoever names a port means 127.0.0.1, as `ssh -L` does.
 */

import type { Server } from 'node:net';
import { CallsealError, errnoOf } from '../errors.ts';
import { native } from '../native/load.ts';

const LOOPBACK = '127.0.0.1';

/** The addresses to try, the best first. */
export function hostsFor(port: number): string[] {
  if (port !== 0) return [LOOPBACK];
  // Neither 127.0.0.0/16, where resolvers and the host's own name are, nor an end of a range.
  const parts = [...native().randomBytes(3)].map((byte) => 1 + (byte % 254));
  return [['127', ...parts].join('.'), LOOPBACK];
}

/**
 * Listens at the first address that this host has.
 *
 * @param port 0 takes any that is free.
 * @returns the address and its port, as `Host` headers have them
 * @throws {CallsealError} `ERR_IO`
 */
export async function listenAt(server: Server, hosts: readonly string[], port: number): Promise<string> {
  for (const host of hosts) {
    try {
      await listen(server, host, port);
      const address = server.address();
      return `${host}:${address !== null && typeof address === 'object' ? address.port : port}`;
    } catch (error) {
      if (host === hosts.at(-1)) throw cannotListen(`${host}:${port}`, error as Error);
    }
  }
  throw new CallsealError('ERR_INVALID_ARGUMENT', 'there is no address to listen at');
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function cannotListen(where: string, error: Error): CallsealError {
  const errno = errnoOf(error);
  const reason = errno === 'EADDRINUSE' ? 'another process has this port' : (errno ?? error.message);
  const details = { cause: error, ...(errno === undefined ? {} : { errno }) };
  return new CallsealError('ERR_IO', `cannot listen on ${where}: ${reason}; choose another with --port`, details);
}
