/** What the proxies of this folder have in common. */

import type { Server, Socket } from 'node:net';

/**
 * Joins two ends of a wire: when one fails or closes, the other is destroyed.
 *
 * @param open Holds both for as long as they are open.
 * @param isDead Whether neither end shall learn that the other is gone.
 */
export function join(client: Socket, server: Socket, open: Set<Socket>, isDead: () => boolean = () => false): void {
  for (const [socket, other] of [
    [client, server],
    [server, client],
  ] as const) {
    open.add(socket);
    socket.on('error', () => other.destroy());
    socket.on('close', () => {
      open.delete(socket);
      if (!isDead()) other.destroy();
    });
  }
}

/** @returns the port on the loopback interface; for 0 any that is free */
export function listen(server: Server, port = 0): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve((server.address() as { port: number }).port));
  });
}
