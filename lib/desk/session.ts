/**
 * Who may use the desk: the one who has the one-time token from the terminal.
 *
 * A cookie alone would not do, as cookies know no ports: where the desk shares 127.0.0.1 with a server of another user,
 * that one is sent them, too. It has a name that nobody can have taken before, as servers can overwrite each other's. So
 * the page gets a secret beside the cookie, which the browser keeps for this very origin, and every request bears both. Sound
 * and downloads, which can bear no header, have addresses that cannot be guessed instead.
 */

import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { native } from '../native/load.ts';
import { SECRET_HEADER } from './protocol.ts';

const SECRET_BYTES = 32;
const NAME_CHARACTERS = 12;

/** Text that nobody guesses, fit for addresses and headers: 256 bits from the crypto module. */
export function unguessable(): string {
  return Buffer.from(native().randomBytes(SECRET_BYTES)).toString('base64url');
}

export class Session {
  /** What the terminal shows; null once somebody has used it. */
  #token: string | null = unguessable();
  /** Name and value. */
  readonly #cookie = `callseal-desk-${unguessable().slice(0, NAME_CHARACTERS)}=${unguessable()}`;
  readonly #secret = unguessable();

  /** For the address in the terminal. */
  get token(): string | null {
    return this.#token;
  }

  /**
   * Gives the cookie (`name=value`) and the secret for the token, once.
   *
   * @returns null for a token that is wrong or was used
   */
  redeem(token: string): { cookie: string; secret: string } | null {
    if (this.#token === null || !same(token, this.#token)) return null;
    this.#token = null;
    return { cookie: this.#cookie, secret: this.#secret };
  }

  /** Whether a request bears the cookie. */
  hasCookie(request: IncomingMessage): boolean {
    return (request.headers.cookie ?? '').split(';').some((pair) => same(pair.trim(), this.#cookie));
  }

  /** Whether a request bears the page's secret. */
  hasSecret(request: IncomingMessage): boolean {
    const given = request.headers[SECRET_HEADER];
    return typeof given === 'string' && same(given, this.#secret);
  }
}

function same(given: string, wanted: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(wanted)];
  return a.length === b.length && timingSafeEqual(a, b);
}
