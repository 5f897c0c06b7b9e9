/** A wire to PostgreSQL that is cut at the n-th message of the client. */

import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterAll } from 'vitest';
import { join, listen } from './sockets.ts';

/** Whether the server still gets the message at which the wire is cut: then it does what it says, and nobody hears of it. */
export type Cut = 'before' | 'after';

/** https://www.postgresql.org/docs/current/protocol-message-formats.html; a connection's first message has no type. */
class Messages {
  #rest = Buffer.alloc(0);
  #typed = false;

  /** Whole messages, as far as they have come. */
  take(chunk: Buffer): Buffer[] {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    const messages: Buffer[] = [];
    for (;;) {
      const at = this.#typed ? 1 : 0;
      if (this.#rest.length < at + 4) return messages;
      const end = at + this.#rest.readUInt32BE(at);
      if (this.#rest.length < end) return messages;
      messages.push(this.#rest.subarray(0, end));
      this.#rest = this.#rest.subarray(end);
      this.#typed = true;
    }
  }
}

export class MessageProxy {
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #port = 0;
  #left = Number.POSITIVE_INFINITY;
  #cut: Cut = 'before';
  #seen = 0;

  /** @param target The server's port on the loopback interface. */
  static async start(target: () => number): Promise<MessageProxy> {
    const proxy = new MessageProxy();
    const server = createServer((client) => proxy.#join(client, target()));
    proxy.#server = server;
    afterAll(() => proxy.end());
    proxy.#port = await listen(server);
    return proxy;
  }

  get port(): number {
    return this.#port;
  }

  /** Messages since {@link arm}. */
  get seen(): number {
    return this.#seen;
  }

  /** Cuts all connections once at the n-th message from now; connections that are made later hold. */
  arm(nth: number, cut: Cut): void {
    this.#seen = 0;
    this.#left = nth;
    this.#cut = cut;
  }

  disarm(): void {
    this.#left = Number.POSITIVE_INFINITY;
  }

  end(): void {
    this.#server?.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #join(client: Socket, port: number): void {
    const server = connect({ port, host: '127.0.0.1' });
    const messages = new Messages();
    join(client, server, this.#sockets);
    server.pipe(client);
    client.on('data', (chunk: Buffer) => {
      for (const message of messages.take(chunk)) if (!this.#pass(message, server)) return;
    });
  }

  /** False when this was the message to cut at. */
  #pass(message: Buffer, server: Socket): boolean {
    this.#seen += 1;
    this.#left -= 1;
    if (this.#left !== 0) return server.write(message) || true;
    for (const socket of this.#sockets) {
      if (this.#cut === 'after' && socket === server) server.end(message);
      else socket.resetAndDestroy();
    }
    return false;
  }
}
