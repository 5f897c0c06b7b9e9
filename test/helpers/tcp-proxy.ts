/** A wire between a client and a server on this host, to be cut, or to go dead. */

import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterAll } from 'vitest';
import { join, listen } from './sockets.ts';

export class TcpProxy {
  readonly #target: () => number;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #port = 0;
  #isFrozen = false;

  private constructor(target: () => number) {
    this.#target = target;
  }

  /** @param target gives the port of the server on the loopback interface. */
  static async start(target: () => number): Promise<TcpProxy> {
    const proxy = new TcpProxy(target);
    afterAll(() => proxy.cut());
    await proxy.mend();
    return proxy;
  }

  /** To connect to, on the loopback interface; stays the same. */
  get port(): number {
    return this.#port;
  }

  get connections(): number {
    return this.#sockets.size / 2;
  }

  /** Ends all connections, and takes no new ones. */
  async cut(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    const closed = new Promise((resolve) => server?.close(resolve) ?? resolve(null));
    for (const socket of this.#sockets) socket.resetAndDestroy();
    await closed;
    this.#isFrozen = false;
  }

  /** Passes nothing on any more, and tells nobody: neither side learns that the other is gone. */
  freeze(): void {
    this.#isFrozen = true;
    for (const socket of this.#sockets) {
      socket.unpipe();
      socket.pause();
    }
  }

  /** After `cut`: takes connections again. */
  async mend(): Promise<void> {
    this.#server = createServer({ allowHalfOpen: true }, (client) => this.#join(client));
    this.#port = await listen(this.#server, this.#port);
  }

  #join(client: Socket): void {
    const server = connect({ port: this.#target(), host: '127.0.0.1', allowHalfOpen: true });
    join(client, server, this.#sockets, () => this.#isFrozen);
    if (this.#isFrozen) {
      for (const socket of [client, server]) socket.pause();
    } else {
      client.pipe(server).pipe(client);
    }
  }
}
