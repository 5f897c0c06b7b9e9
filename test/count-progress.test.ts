/** What is said of a job over very many files: how fast it goes, and how long it will take once they are counted. */

import { afterEach, expect, it, vi } from 'vitest';

import { CountProgress } from '../lib/cli/count-progress.ts';
import { Output } from '../lib/cli/output.ts';

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

it('says so every ten seconds where there is no terminal to draw on', () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  const said: string[] = [];
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => said.push(String(text)) > 0);
  const progress = new CountProgress(new Output('recipients add', { verbose: true }));
  expect(progress.wanted).toBe(true);
  const second = () => {
    for (let file = 0; file < 1000; file++) progress.advance();
    vi.advanceTimersByTime(1000);
  };
  for (let seconds = 0; seconds <= 10; seconds++) second();
  expect(said).toEqual(['callseal: recipients add: 10,001 files so far, 1,000/s\n']);
  progress.total = 400_000;
  for (let seconds = 0; seconds < 10; seconds++) second();
  progress.stop();
  expect(said[1]).toBe('callseal: recipients add: 20,001 of 400,000 files, 1,000/s, about 6 min left\n');
});

it('counts nothing for whom does not want to know', () => {
  expect(new CountProgress(new Output('recipients add', { quiet: true })).wanted).toBe(false);
});
