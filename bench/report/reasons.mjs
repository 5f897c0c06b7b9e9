/**
 * Why a peer is ahead of Callseal where it is: the one place for it. A reason is shown only beside a cell that was measured so;
 * what none of them explains is called unexplained.
 */

import { formatBytes, formatSeconds } from '../../dist/page/figures.js';

/** Of a peer itself, always or for one operation. */
const OF_PEERS = {
  cp: { always: 'it does not encrypt' },
  age: { always: 'it uses X25519 keys, no RSA' },
  'openssl-cms-cbc': { always: 'CBC authenticates nothing: a flipped bit goes unnoticed' },
  'node-crypto-aad': { always: 'it makes no HMAC, so it does not tell a wrong entity from an altered record' },
  gpg: { decrypt: 'its agent, which runs already and is not started anew, holds the private key' },
};

const START = 'the start of the process';
/** From this part of a figure on, it explains the figure. */
const MOSTLY = 0.3;

/**
 * @param {import('./standing.mjs').Comparison} cell in which the peer is ahead
 * @param {import('./standing.mjs').Comparison[]} all
 */
export function reasonFor(cell, all) {
  const { peer, measure } = cell;
  const own = OF_PEERS[peer.id]?.always ?? OF_PEERS[peer.id]?.[cell.operation];
  if (peer.copies) return own ?? 'it does not encrypt';
  if (measure === 'memory') return memoryReason(cell, all);
  if (overlap(cell)) return 'no difference to be seen: the rounds of the two overlap';
  const reasons = [startReason(cell, all), own].filter(Boolean);
  return reasons.length === 0 ? 'unexplained: the work itself is slower' : reasons.join('; ');
}

/** Whether some round of Callseal's was as good as some round of the peer's. */
function overlap({ own, theirs }) {
  return own.runs > 1 && theirs.runs > 1 && own.min <= theirs.max;
}

/** A process pays for its start before it does anything. */
function startReason(cell, all) {
  const start = cell.kind === 'command' ? startOf(cell.measure, all) : null;
  return start !== null && start >= MOSTLY * cell.own.median * cell.files ? START : null;
}

/** What the start costs at most: the cheapest run of all. */
function startOf(measure, all) {
  const costs = all.filter((cell) => cell.kind === 'command' && cell.measure === measure && cell.files === 1);
  return costs.length === 0 ? null : Math.min(...costs.map(({ own }) => own.min));
}

/** The words behind a short reason, with the run's figures; null when no reason needs them. */
export function aboutStart({ behind }, all, { limits }) {
  if (!behind.some(({ why }) => why.startsWith(START))) return null;
  const node = limits.rows.find(({ id }) => id === 'start-version')?.figures[0].limit;
  const ofNode = node === undefined ? '' : ` (${formatSeconds(node / 1000)})`;
  return (
    `The start of the process takes ${formatSeconds(startOf('time', all))} here: Node itself${ofNode}, Callseal, and the self-tests that a ` +
    'FIPS module must run before it does anything. One process takes any number of files, and a service that uses the API starts once.'
  );
}

function memoryReason({ kind }, all) {
  const peaks = all.filter((cell) => cell.kind === kind && cell.measure === 'memory').map(({ own }) => own.median);
  const bounds = `${formatBytes(Math.min(...peaks))} to ${formatBytes(Math.max(...peaks))} whatever the size of the file`;
  return kind === 'command'
    ? `Node itself is resident, about 45 MiB, and the FIPS module: ${bounds}`
    : `the system's libcrypto and the FIPS module are resident beside Node's own OpenSSL: ${bounds}`;
}
