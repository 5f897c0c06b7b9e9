/**
 * A process that ends in the middle of native work ends as it was told to: no crash, no hang, and nothing under a final name
 * that does not open.
 */

import { beforeAll, describe, it } from 'vitest';
import { type LifePlace, lifePlace } from './helpers/life.ts';
import { endings, expectEndings } from './helpers/life-endings.ts';

let place: LifePlace;

beforeAll(async () => {
  place = await lifePlace();
});

describe('a process that ends during work', () => {
  it.each(Object.keys(endings))('by %s', { timeout: 120_000 }, async (how) => {
    await expectEndings(place, how, 2);
  });
});
