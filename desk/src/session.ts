/** The page's right to ask: given once for the token in the address, and kept for this tab alone. */

import { DeskError, readProblem } from './problem.ts';

const STORED = 'callseal-desk-secret';

/**
 * Trades the token behind the `#` for the page's secret; a page that is loaded anew has it already.
 *
 * @throws {DeskError} for an address that was used before
 */
export async function beginSession(): Promise<string | null> {
  const token = location.hash.slice(1);
  if (token === '') return sessionStorage.getItem(STORED);
  history.replaceState(null, '', location.pathname);
  const response = await fetch('/api/session', { method: 'POST', body: JSON.stringify({ token }) });
  if (!response.ok) {
    const known = sessionStorage.getItem(STORED);
    if (known !== null) return known;
    throw new DeskError(await readProblem(response));
  }
  const { secret } = (await response.json()) as { secret: string };
  sessionStorage.setItem(STORED, secret);
  return secret;
}

/**
 * The address of a desk that was started anew at this port, given to a page that is open: the page is loaded anew, and
 * takes the token then.
 */
export function followNewAddress(): () => void {
  const load = () => location.hash !== '' && location.reload();
  addEventListener('hashchange', load);
  return () => removeEventListener('hashchange', load);
}

export function endSession(): void {
  sessionStorage.removeItem(STORED);
}
