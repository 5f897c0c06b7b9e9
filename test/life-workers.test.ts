/** 64 worker threads load the addon, work and end, each in its own way, and leave the process as it was. */

import { beforeAll, describe, expect, it } from 'vitest';

import { type LifePlace, lifePlace, lifeScript, reportOf } from './helpers/life.ts';

const WORKERS = 64;
/** As many as a machine of two cores bears at once. */
const AT_ONCE = 16;

let place: LifePlace;

beforeAll(async () => {
  place = await lifePlace();
});

/** Works at one or two things, then ends as it was told. */
const worker = () =>
  lifeScript(
    place,
    `
    import { parentPort, workerData } from 'node:worker_threads';
    const { index } = workerData;
    const life = await openLife(place);
    const names = Object.keys(WORK);
    const work = (step) => WORK[names[(index + step) % names.length]](life);
    await work(0);
    parentPort.postMessage('worked');
    if (index % 4 === 0) process.exit(7);
    if (index % 4 === 1) for (let step = 1; ; step++) await work(step);
    if (index % 16 === 3) await work(1);
    life.close();
    if (index % 4 === 2) throw new RangeError('of its own');
    `,
  );

interface Report {
  worked: number;
  ends: Record<string, number>;
  descriptors: [number, number];
  threads: [number, number];
}

describe(`${WORKERS} worker threads`, () => {
  it('open and close', { timeout: 120_000 }, async () => {
    const report = await reportOf<Report>(
      lifeScript(
        place,
        `
      import { readdirSync } from 'node:fs';
      import { Worker } from 'node:worker_threads';
      const life = await openLife(place);
      // What is made once a process: helpers, libuv's threads, the databases' library.
      for (const work of Object.values(WORK)) await work(life);
      // libsql closes its files when the collector has found its last statement; threads end a moment after their workers.
      const settled = async (what, enough, tries) => {
        for (;;) {
          gc();
          const count = readdirSync('/proc/self/' + what).length;
          if (count <= enough || --tries === 0) return count;
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
      };
      const before = { fd: await settled('fd', 0, 10), task: await settled('task', 0, 1) };
      const ends = {};
      let worked = 0;
      const run = (index) => new Promise((resolve) => {
        const worker = new Worker(${JSON.stringify(worker())}, { workerData: { index } });
        let end = 'code';
        worker.once('message', () => {
          worked++;
          if (index % 4 === 1) setTimeout(() => worker.terminate(), index % 13);
        });
        worker.once('error', (error) => { end = error.name + ': ' + error.message + ' code'; });
        worker.once('exit', (code) => {
          const how = end + ' ' + code;
          ends[how] = (ends[how] ?? 0) + 1;
          resolve();
        });
      });
      let next = 0;
      const queue = async () => { while (next < ${WORKERS}) await run(next++); };
      await Promise.all(Array.from({ length: ${AT_ONCE} }, queue));
      life.close();
      const pair = async (what) => [before[what], await settled(what, before[what], 50)];
      console.log(JSON.stringify({ worked, ends, descriptors: await pair('fd'), threads: await pair('task') }));
      `,
      ),
      { args: ['--expose-gc'] },
    );
    expect(report.ends).toEqual({ 'code 7': 16, 'code 1': 16, 'RangeError: of its own code 1': 16, 'code 0': 16 });
    expect(report.worked).toBe(WORKERS);
    // Of a worker that is terminated Node loses what it is just opening, and libsql what no collector finds any more: some
    // for each of our 16, and nothing like the eight or so that every open store has.
    expect(report.descriptors[1]).toBeLessThanOrEqual(report.descriptors[0] + WORKERS);
    expect(report.threads[1]).toBeLessThanOrEqual(report.threads[0]);
  });
});
