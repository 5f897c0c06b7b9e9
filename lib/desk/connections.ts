/**
 * Connections of those who have not shown yet that they may ask: few at a time, and not for long, so that other users of
 * this host cannot take all connections that there are. Whoever has the session keeps theirs.
 */

import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/** All that the desk holds at a time; most of it is kept for the one with the session. */
const MAX_CONNECTIONS = 128;

/** How long, and how many. */
export interface StrangerLimits {
  /** Seconds that a connection has to show a session, also one that loads the page. */
  strangerSeconds: number;
  /** How many may be without one; another takes the place of the oldest. */
  strangers: number;
}

export class Connections {
  readonly #limits: StrangerLimits;
  /** The oldest first. */
  readonly #strangers = new Map<Socket, NodeJS.Timeout>();

  constructor(server: Server, limits: StrangerLimits) {
    this.#limits = limits;
    server.maxConnections = MAX_CONNECTIONS;
    server.on('connection', (socket) => this.#meet(socket));
  }

  /** The connection bears the session. */
  admit(socket: Socket): void {
    clearTimeout(this.#strangers.get(socket));
    this.#strangers.delete(socket);
  }

  #meet(socket: Socket): void {
    const timer = setTimeout(() => socket.destroy(), this.#limits.strangerSeconds * 1000).unref();
    this.#strangers.set(socket, timer);
    socket.once('close', () => this.admit(socket));
    const [oldest] = this.#strangers.keys();
    if (this.#strangers.size > this.#limits.strangers) oldest?.destroy();
  }
}
