/**
 * Choices that can be made again: CALLSEAL_SEED repeats those of a run that printed it. `npm test` makes the same ones each
 * time, since it decides about a change, which shall not fail for what it did not touch; `npm run test:long` makes others.
 */

/** A number from 0 up to 1, and another with each call: mulberry32. */
export type Random = () => number;

export function seededRandom(what: string): Random {
  const usual = process.env.CALLSEAL_LONG === '1' ? Math.floor(Math.random() * 2 ** 32) : 1;
  const seed = Number(process.env.CALLSEAL_SEED ?? usual);
  console.log(`${what}: CALLSEAL_SEED=${seed}`);
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** So many of them, in another order. */
export function sampleOf<T>(all: readonly T[], count: number, random: Random): T[] {
  const left = [...all];
  return Array.from({ length: Math.min(count, left.length) }, () => {
    const [taken] = left.splice(Math.floor(random() * left.length), 1);
    return taken as T;
  });
}
