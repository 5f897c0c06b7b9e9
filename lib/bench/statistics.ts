/** Medians: one stall of a shared machine must not decide a figure. */

/** A sampled figure. */
export interface Summary {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  /** How many samples there were; 0 makes the figures NaN. */
  readonly runs: number;
}

export function summarise(samples: readonly number[]): Summary {
  const sorted = [...samples].sort((a, b) => a - b);
  return { median: median(sorted), min: sorted[0] ?? NaN, max: sorted.at(-1) ?? NaN, runs: sorted.length };
}

/**
 * How often `a` goes into `b`, round by round: samples taken right after one another met the same machine, so their ratio
 * is steadier than that of two medians.
 */
export function ratios(a: readonly number[], b: readonly number[]): Summary {
  return summarise(a.slice(0, b.length).map((value, index) => value / (b[index] as number)));
}

function median(sorted: readonly number[]): number {
  const middle = sorted.length >> 1;
  if (sorted.length % 2 === 1) return sorted[middle] as number;
  return sorted.length === 0 ? NaN : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}
