/**
 * Who may use the desk: the one who has the one-time token from the terminal.
 *
 * A cookie alone would not do, as cookies know no ports: a server of another user on this host is sent them, too. So the
 * page gets a secret beside the cookie, which the browser keeps for this very origin, and every request bears both. Sound
 * and downloads, which can bear no header, have addresses that cannot be guessed instead.
 */

import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { native } from '../native/load.ts';
import { SECRET_HEADER } from './protocol.ts';

const SECRET_BYTES = 32;

/** Text that nobody guesses, fit for addresses and headers: 256 bits from the crypto module. */
export function unguessable(): string {
  return Buffer.from(native().randomBytes(SECRET_BYTES)).toString('base64url');
}

export class Session {
  /** What the terminal shows; null once somebody has used it. */
  #token: string | null = unguessable();
  readonly #cookie = unguessable();
  readonly #secret = unguessable();

  /** For the address in the terminal. */
  get token(): string | null {
    return this.#token;
  }

  /**
   * Gives cookie and secret for the token, once.
   *
   * @returns null for a token that is wrong or was used
   */
  redeem(token: string): { cookie: string; secret: string } | null {
    if (this.#token === null || !same(token, this.#token)) return null;
    this.#token = null;
    return { cookie: this.#cookie, secret: this.#secret };
  }

  /** Whether a request bears the cookie. */
  hasCookie(request: IncomingMessage, port: number): boolean {
    const name = cookieName(port);
    const pairs = (request.headers.cookie ?? '').split(';').map((pair) => pair.trim());
    return pairs.some((pair) => pair.startsWith(`${name}=`) && same(pair.slice(name.length + 1), this.#cookie));
  }

  /** Whether a request bears the page's secret. */
  hasSecret(request: IncomingMessage): boolean {
    const given = request.headers[SECRET_HEADER];
    return typeof given === 'string' && same(given, this.#secret);
  }
}

/** Two desks of one user do not overwrite each other's cookie. */
export function cookieName(port: number): string {
  return `callseal-desk-${port}`;
}

function same(given: string, wanted: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(wanted)];
  return a.length === b.length && timingSafeEqual(a, b);
}
