/** A wire between a client and a server on this host, to be cut, or to go dead. */

import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterAll } from 'vitest';

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
  mend(): Promise<void> {
    const server = createServer({ allowHalfOpen: true }, (client) => this.#join(client));
    this.#server = server;
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.#port, '127.0.0.1', () => {
        this.#port = (server.address() as { port: number }).port;
        resolve();
      });
    });
  }

  #join(client: Socket): void {
    const server = connect({ port: this.#target(), host: '127.0.0.1', allowHalfOpen: true });
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(socket);
      socket.on('error', () => other.destroy());
      socket.on('close', () => {
        this.#sockets.delete(socket);
        if (!this.#isFrozen) other.destroy();
      });
      if (this.#isFrozen) socket.pause();
      else socket.pipe(other);
    }
  }
}
