/** Competitors take turns, so that whatever happens to the machine happens to all of them. */

/**
 * Measures every competitor once a round, each round beginning with another one. One that fails is left out from then on.
 *
 * @template C, S
 * @param {number} rounds
 * @param {C[]} competitors
 * @param {(competitor: C, round: number) => Promise<S>} measure
 * @returns {Promise<Map<C, { samples: S[], error?: Error }>>}
 */
export async function interleave(rounds, competitors, measure) {
  const results = new Map(competitors.map((competitor) => [competitor, { samples: [] }]));
  for (let round = 0; round < rounds; round += 1) {
    for (const competitor of rotated(competitors, round)) {
      const result = results.get(competitor);
      if (result.error !== undefined) continue;
      try {
        result.samples.push(await measure(competitor, round));
      } catch (error) {
        result.error = error;
      }
    }
  }
  return results;
}

function rotated(items, by) {
  const start = by % items.length;
  return [...items.slice(start), ...items.slice(0, start)];
}

/**
 * As {@link interleave} for named measures that must all succeed.
 *
 * @template {Record<string, (round: number) => Promise<any>>} M
 * @param {number} rounds
 * @param {M} measures
 * @returns {Promise<{ [K in keyof M]: Awaited<ReturnType<M[K]>>[] }>}
 */
export async function takeTurns(rounds, measures) {
  const results = await interleave(rounds, Object.keys(measures), (name, round) => measures[name](round));
  for (const { error } of results.values()) if (error !== undefined) throw error;
  return Object.fromEntries([...results].map(([name, { samples }]) => [name, samples]));
}
