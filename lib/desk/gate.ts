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
 * @param host Address and port of the desk.
 * @param access `page`: the page itself, without a secret in it. `media`: sound and downloads. `api`: everything else.
 * @returns null when the request may go on
 */
export function refusalOf(request: IncomingMessage, access: Access, session: Session, host: string): Refusal | null {
  return wrongAddress(request, host) ?? wrongOrigin(request, host) ?? noSession(request, access, session);
}

/** A name that an attacker's DNS server points to this host (DNS rebinding) is not the desk's address. */
function wrongAddress({ headers }: IncomingMessage, host: string): Refusal | null {
  if (headers.host === host) return null;
  return { status: 421, message: `the desk answers at ${host} only` };
}

/** Other pages of the same browser send their origin with everything that changes something. */
function wrongOrigin({ headers, method }: IncomingMessage, host: string): Refusal | null {
  const { origin } = headers;
  const site = headers['sec-fetch-site'];
  const isOwn = origin === undefined ? method === 'GET' || method === 'HEAD' : origin === `http://${host}`;
  const navigates = headers['sec-fetch-mode'] === 'navigate' && method === 'GET';
  if (isOwn && (site === undefined || site === 'same-origin' || site === 'none' || navigates)) return null;
  return { status: 403, message: 'this request comes from another page' };
}

function noSession(request: IncomingMessage, access: Access, session: Session): Refusal | null {
  if (access === 'page') return null;
  const known = session.hasCookie(request) && (access === 'media' || session.hasSecret(request));
  if (known) return null;
  return { status: 403, message: 'this page has no session with the desk; use the address that the terminal shows' };
}
