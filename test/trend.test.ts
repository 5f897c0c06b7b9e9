/** The rule by which the soak tests tell growth from noise. */

import { describe, expect, it } from 'vitest';

import { trendOf } from './helpers/trend.ts';

/** The same numbers each time: a linear congruential generator, from -1 to 1. */
function noise(count: number): number[] {
  let state = 7n;
  return Array.from({ length: count }, () => {
    state = (state * 6_364_136_223_846_793_005n + 1_442_695_040_888_963_407n) & 0xffff_ffff_ffff_ffffn;
    return Number(state >> 33n) / 2 ** 30 - 1;
  });
}

describe('a trend', () => {
  it('is exact without noise', () => {
    const { growth, margin } = trendOf(Array.from({ length: 100 }, (_, index) => 50 + index / 10));
    expect(growth).toBeCloseTo(10);
    expect(margin).toBeCloseTo(0);
  });

  it('of noise alone is within its margin', () => {
    const { growth, margin } = trendOf(noise(600).map((value) => 100 + 8 * value));
    expect(Math.abs(growth)).toBeLessThan(margin);
    expect(margin).toBeLessThan(4);
  });

  it('is found in noise that is larger than a step of it', () => {
    const { growth, margin } = trendOf(noise(600).map((value, index) => 100 + 8 * value + index / 60));
    expect(growth - margin).toBeGreaterThan(4);
    expect(growth + margin).toBeLessThan(16);
  });

  it('needs enough samples', () => {
    expect(() => trendOf([1, 2, 3])).toThrow(RangeError);
  });
});
