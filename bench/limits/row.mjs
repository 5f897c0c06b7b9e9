/**
 * One row of the table: something that must be near a limit, or below a bound.
 *
 * @typedef {object} Row
 * @property {string} id
 * @property {string} work what is done
 * @property {string} limit what it is compared with
 * @property {'at least' | 'at most'} sense
 * @property {number} target
 * @property {'ratio' | 'ms' | 'MB' | '%' | 'KiB' | 'calls/s' | 'RSA operations'} unit of target and value
 * @property {import('../../dist/bench/statistics.js').Summary} value
 * @property {boolean} met whether the median reaches the target
 * @property {{ what: string, unit: string, own: number, limit?: number }[]} figures behind the value
 * @property {string} [note]
 */

/** @returns {Row} */
export function row({ sense, target, value, ...rest }) {
  return { ...rest, sense, target, value, met: sense === 'at least' ? value.median >= target : value.median <= target };
}

/** The pairs that encrypt every file of a directory into another. */
export const toSealed = (from, names, to) =>
  names.map((name) => ({ input: `${from}/${name}`, output: `${to}/${name}.sealed` }));

/** And back. */
export const toPlain = (from, names, to) =>
  names.map((name) => ({ input: `${from}/${name}.sealed`, output: `${to}/${name}` }));
