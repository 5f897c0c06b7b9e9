/** What a request must bear before anything of it is looked at: address, origin and session. */

import type { IncomingMessage } from 'node:http';
import type { Session } from './session.ts';

/** How far a request may go. */
export type Access = 'page' | 'media' | 'api';

/** Why a request is refused. */
export interface Refusal {
  status: 403 | 421;
  message: string;
}

/**
 * @param access `page`: the page itself, without a secret in it. `media`: sound and downloads. `api`: everything else.
 * @returns null when the request may go on
 */
export function refusalOf(request: IncomingMessage, access: Access, session: Session, port: number): Refusal | null {
  return wrongAddress(request, port) ?? wrongOrigin(request, port) ?? noSession(request, access, session, port);
}

/** A name that an attacker's DNS server points to this host (DNS rebinding) is not the desk's address. */
function wrongAddress({ headers }: IncomingMessage, port: number): Refusal | null {
  if (headers.host === `127.0.0.1:${port}`) return null;
  return { status: 421, message: `the desk answers at 127.0.0.1:${port} only` };
}

/** Other pages of the same browser send their origin with everything that changes something. */
function wrongOrigin({ headers, method }: IncomingMessage, port: number): Refusal | null {
  const { origin } = headers;
  const site = headers['sec-fetch-site'];
  const isOwn = origin === undefined ? method === 'GET' || method === 'HEAD' : origin === `http://127.0.0.1:${port}`;
  const navigates = headers['sec-fetch-mode'] === 'navigate' && method === 'GET';
  if (isOwn && (site === undefined || site === 'same-origin' || site === 'none' || navigates)) return null;
  return { status: 403, message: 'this request comes from another page' };
}

function noSession(request: IncomingMessage, access: Access, session: Session, port: number): Refusal | null {
  if (access === 'page') return null;
  const known = session.hasCookie(request, port) && (access === 'media' || session.hasSecret(request));
  if (known) return null;
  return { status: 403, message: 'this page has no session with the desk; use the address that the terminal shows' };
}
