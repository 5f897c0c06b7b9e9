/** Work that is terminated, aborted and collected in the middle; a thousand times in `test/long/life.test.ts`. */

import { beforeAll, it } from 'vitest';

import { type LifePlace, lifePlace } from './helpers/life.ts';
import { abortWork, collectInUse, terminateWorkers } from './helpers/life-interruptions.ts';

let place: LifePlace;

beforeAll(async () => {
  place = await lifePlace();
});

it('workers are terminated in the middle of their work', { timeout: 120_000 }, () => terminateWorkers(place, 12));
it('work is aborted in the middle', { timeout: 120_000 }, () => abortWork(place, 60));
it('handles are collected while they are in use', { timeout: 120_000 }, () => collectInUse(place, 3));
