/** Whether a series that is noisy grows. */

/** Growth of a series from its beginning to its end, by linear regression, and how much of that may be chance. */
export interface Trend {
  growth: number;
  /** The true growth is above `growth - margin` with 99 % confidence, and below `growth + margin` with as much. */
  margin: number;
}

/** Neighbouring samples of memory are no independent ones; means of as few parts as these nearly are. */
const PARTS = 20;
/** Student's t, 18 degrees of freedom, one side, 99 %. */
const QUANTILE = 2.552;

/** @param values Samples at equal distances, 20 at least. */
export function trendOf(values: readonly number[]): Trend {
  if (values.length < PARTS) throw new RangeError(`${values.length} samples are too few for a trend`);
  const bound = (part: number): number => Math.round((part * values.length) / PARTS);
  const means = Array.from({ length: PARTS }, (_, part) => mean(values.slice(bound(part), bound(part + 1))));
  const [centre, level] = [(PARTS - 1) / 2, mean(means)];
  const spread = sum(means.map((_, part) => (part - centre) ** 2));
  const slope = sum(means.map((value, part) => (part - centre) * (value - level))) / spread;
  const residue = sum(means.map((value, part) => (value - level - slope * (part - centre)) ** 2));
  const error = Math.sqrt(residue / (PARTS - 2) / spread);
  return { growth: slope * PARTS, margin: QUANTILE * error * PARTS };
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const mean = (values: readonly number[]): number => sum(values) / values.length;
