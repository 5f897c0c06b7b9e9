/**
 * `/metrics` and `/healthz` over HTTP, on this host only: there is neither TLS nor a password here. Whoever wants them from
 * elsewhere puts a proxy with both in front.
 */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { BlockList, isIP, isIPv6 } from 'node:net';
import { CallsealError, errnoOf } from '../errors.ts';

/** A loopback address and a port; port 0 takes any that is free. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** What can be asked for. */
export interface ServerPages {
  metrics(): Promise<{ contentType: string; body: string }>;
  health(): { healthy: boolean };
}

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

const SECONDS = 1000;
const LIMITS = {
  maxHeaderSize: 8 << 10,
  headersTimeout: 5 * SECONDS,
  requestTimeout: 5 * SECONDS,
  keepAliveTimeout: 5 * SECONDS,
  connectionsCheckingInterval: 5 * SECONDS,
};
const MAX_CONNECTIONS = 32;

/**
 * `127.0.0.1:9465`, `[::1]:9465` or `localhost:9465`.
 *
 * @throws {CallsealError} ERR_INVALID_ARGUMENT, also for an address that others can reach
 */
export function parseListenAddress(text: string): ListenAddress {
  const match = /^(?:\[([0-9a-fA-F:]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text);
  const host = match?.[1] ?? (match?.[2] === 'localhost' ? '127.0.0.1' : match?.[2]);
  const port = Number(match?.[3]);
  if (host === undefined || isIP(host) === 0 || !(port <= 65_535)) {
    throw new CallsealError(
      'ERR_INVALID_ARGUMENT',
      `"${text}" is no address to listen on; write one as 127.0.0.1:9465`,
    );
  }
  if (!LOOPBACK.check(host, isIPv6(host) ? 'ipv6' : 'ipv4')) {
    const why = 'metrics have neither TLS nor a password; listen on 127.0.0.1 and put a proxy with both in front of it';
    throw new CallsealError('ERR_INVALID_ARGUMENT', `${text} can be reached from other hosts, and ${why}`);
  }
  return { host, port };
}

export class MetricsServer {
  readonly #server: Server;

  private constructor(pages: ServerPages) {
    this.#server = createServer(LIMITS, (request, response) => {
      request.resume();
      void answer(pages, request, response);
    });
    this.#server.maxConnections = MAX_CONNECTIONS;
  }

  /** @throws {CallsealError} ERR_IO when the address is taken or not allowed */
  static async listen(address: ListenAddress, pages: ServerPages): Promise<MetricsServer> {
    const metrics = new MetricsServer(pages);
    const server = metrics.#server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) => reject(cannotListen(address, error)));
      server.listen(address.port, address.host, resolve);
    });
    return metrics;
  }

  /** Where it really listens. */
  get port(): number {
    const address = this.#server.address();
    return address !== null && typeof address === 'object' ? address.port : 0;
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }
}

function cannotListen({ host, port }: ListenAddress, error: Error): CallsealError {
  const errno = errnoOf(error);
  const reason = errno === 'EADDRINUSE' ? 'another process has this port' : (errno ?? error.message);
  const details = { cause: error, ...(errno === undefined ? {} : { errno }) };
  return new CallsealError(
    'ERR_IO',
    `cannot listen on ${host}:${port}: ${reason}; choose another with --listen`,
    details,
  );
}

async function answer(pages: ServerPages, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const page = request.url?.replace(/\?.*/, '');
  if (page !== '/metrics' && page !== '/healthz') return send(response, 404, 'text/plain', 'not found\n');
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('Allow', 'GET, HEAD');
    return send(response, 405, 'text/plain', 'method not allowed\n');
  }
  try {
    if (page === '/healthz') {
      const health = pages.health();
      return send(response, health.healthy ? 200 : 503, 'application/json', `${JSON.stringify(health)}\n`);
    }
    const { contentType, body } = await pages.metrics();
    send(response, 200, contentType, body);
  } catch {
    send(response, 500, 'text/plain', 'internal error\n');
  }
}

function send(response: ServerResponse, status: number, contentType: string, body: string): void {
  response.writeHead(status, {
    'Content-Type': contentType,
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
  });
  response.end(body);
}
