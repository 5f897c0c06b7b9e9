/** Runs in a worker: one library peer, opened once, and what is measured of it. */

import { rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Bench } from 'tinybench';
import { costOf, forgetPeakRss, peakRss } from '../../dist/bench/cost.js';
import { peerById } from '../peers/index.mjs';

let session;

export async function open(id, settings) {
  session = await peerById(id).open(settings);
}

/** One run, not measured. */
export async function once(operation, input, output) {
  await session[operation](input, output);
}

/** Runs again and again until `milliseconds` are used up, at least once; the output is new each time. */
export async function sample(operation, input, output, milliseconds) {
  let cpuMicroseconds = 0;
  let before;
  const bench = new Bench({ time: milliseconds, iterations: 1, warmup: false, retainSamples: true, throws: true });
  bench.add(operation, () => session[operation](input, output), {
    async: true,
    beforeEach() {
      rmSync(output, { force: true });
      before = process.cpuUsage();
    },
    afterEach() {
      const { user, system } = process.cpuUsage(before);
      cpuMicroseconds += user + system;
    },
  });
  forgetPeakRss();
  const [task] = await bench.run();
  const seconds = task.result.latency.samples.map((each) => each / 1000);
  return { seconds, cpuSeconds: cpuMicroseconds / 1e6 / seconds.length, peakRssBytes: peakRss() };
}

/** All inputs, `concurrency` at a time, each to a file of `suffix` added or taken off in the directory. */
export async function many(operation, inputs, directory, suffix, concurrency) {
  const output = (input) =>
    join(directory, operation === 'encrypt' ? basename(input) + suffix : basename(input, suffix));
  const queue = inputs.values();
  const work = async () => {
    for (const input of queue) await session[operation](input, output(input));
  };
  return costOf(() => Promise.all(Array.from({ length: concurrency }, work)));
}
