/**
 * The connection that hears of changes: LISTEN, and a question for the revision now and then, which also shows whether the
 * connection still is one. It keeps no process alive.
 */

import type { Socket } from 'node:net';
import pg from 'pg';
import { type ConnectionSettings, clientConfig } from '../../postgres/client.ts';

/** Milliseconds for the answer to so small a question; then the connection is given up. */
const ANSWER_TIMEOUT = 1_000;

export class Listener {
  readonly #settings: ConnectionSettings;
  readonly #heard: () => void;
  readonly #sockets = new Set<Socket>();
  #client: pg.Client | undefined;

  /** @param heard called for each notification, and when the connection ends. */
  constructor(settings: ConnectionSettings, heard: () => void) {
    this.#settings = settings;
    this.#heard = heard;
  }

  /** Connects first, if need be. Not to be called again before it is done. */
  async readRevision(): Promise<string> {
    const client = this.#client ?? (await this.#connect());
    const timer = setTimeout(() => this.close(), ANSWER_TIMEOUT).unref();
    try {
      const { rows } = await client.query(`select revision from ${this.#settings.target.schema}.callseal_revision`);
      return String(rows[0]?.revision);
    } catch (error) {
      this.close();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  close(): void {
    this.#client = undefined;
    for (const socket of this.#sockets) socket.destroy();
  }

  async #connect(): Promise<pg.Client> {
    const client = new pg.Client(clientConfig(this.#settings, this.#sockets));
    client.on('error', () => {});
    client.on('notification', this.#heard);
    client.on('end', () => {
      if (this.#client !== client) return;
      this.#client = undefined;
      this.#heard();
    });
    const connected = client.connect();
    for (const socket of this.#sockets) socket.unref();
    await connected;
    this.#client = client;
    // Where a connection pooler stands between, this may fail or do nothing; asking for the revision goes on.
    await client.query(`listen ${channelOf(this.#settings.target.schema)}`).catch(() => {});
    return client;
  }
}

/** What a transaction of the store in this schema notifies. */
export function channelOf(schema: string): string {
  return `callseal_${schema}`;
}
