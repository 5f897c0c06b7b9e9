/** A thousand tries of ending, terminating and aborting in the middle of native work; `npm test` has a few of each. */

import { beforeAll, describe, it } from 'vitest';

import { type LifePlace, lifePlace } from '../helpers/life.ts';
import { endings, expectEndings } from '../helpers/life-endings.ts';
import { abortWork, collectInUse, terminateWorkers } from '../helpers/life-interruptions.ts';

let place: LifePlace;

beforeAll(async () => {
  place = await lifePlace();
});

describe('a process that ends during work', () => {
  it.each(Object.keys(endings))('by %s', (how) => expectEndings(place, how, 40));
});

// In parts, as none may take longer than what counts as a hang.
describe.each(Array.from({ length: 10 }, (_, part) => part))('part %i', () => {
  it('workers are terminated in the middle of their work', () => terminateWorkers(place, 40));
  it('work is aborted in the middle', () => abortWork(place, 40));
  it('handles are collected while they are in use', () => collectInUse(place, 10));
});
