/** Ways in which a process with native work under way comes to its end, and whether it did as it should. */

import { basename, join } from 'node:path';
import { expect } from 'vitest';

import { KeyRing, verify } from '../../lib/index.ts';
import { filesBelow } from './below.ts';
import { sparseFile } from './files.ts';
import { type Ending, endOf, type LifePlace, lifeScript } from './life.ts';
import { tempDir } from './temp.ts';

interface Way {
  /** Runs when the work has been under way for a moment. `huge()` starts a job that is by far not done at the end. */
  script: string;
  /** What is seen of its end. */
  is: Partial<Ending>;
}

/** Bytes that take a good part of a second at least, on any machine. */
const HUGE = 2 ** 30;

const EXITS = { signal: null, hung: false };

/** By name. `round` is a whole number. */
export const endings: Record<string, Way> = {
  'process.exit from a timer': {
    script: 'huge(); setTimeout(() => process.exit(3), delay);',
    is: { ...EXITS, status: 3 },
  },
  'process.exit after a promise': {
    script: 'huge(); once().then(() => process.exit(4));',
    is: { ...EXITS, status: 4 },
  },
  'process.exit on an exit event': {
    script: "huge(); process.on('exit', () => { process.exitCode = 5; }); setTimeout(() => process.exit(), delay);",
    is: { ...EXITS, status: 5 },
  },
  'an exception that nobody catches': {
    script: "huge(); setTimeout(() => { throw new Error('of the host'); }, delay);",
    is: { ...EXITS, status: 1 },
  },
  'a rejection that nobody handles': {
    script: "huge(); once().then(() => { throw new Error('of the host'); });",
    is: { ...EXITS, status: 1 },
  },
  SIGTERM: {
    script: "huge(); setTimeout(() => process.kill(process.pid, 'SIGTERM'), delay);",
    is: { status: null, signal: 'SIGTERM', hung: false },
  },
  'process.exit with workers at work': {
    script: `
      const workers = Array.from({ length: 2 }, () => new Worker(new URL(import.meta.url), { workerData: {} }));
      await Promise.all(workers.map((worker) => new Promise((resolve) => worker.once('message', resolve))));
      huge();
      setTimeout(() => process.exit(6), delay);`,
    is: { ...EXITS, status: 6 },
  },
  'process.exit with a worker in the middle of a file': {
    script: `
      const worker = new Worker(new URL(import.meta.url), { workerData: { huge: true } });
      await new Promise((resolve) => worker.once('message', resolve));
      setTimeout(() => process.exit(7), delay);`,
    is: { ...EXITS, status: 7 },
  },
  'worker.terminate() in the middle of a file': {
    script: `
      const worker = new Worker(new URL(import.meta.url), { workerData: { huge: true } });
      await new Promise((resolve) => worker.once('message', resolve));
      setTimeout(() => worker.terminate().then(() => process.exit(8)), delay);`,
    is: { ...EXITS, status: 8 },
  },
};

/** Everything at once, for ever. */
const script = (way: Way, round: number, input: string): string => `
  import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
  import { encryptFile } from '${new URL('../../dist/index.js', import.meta.url)}';
  const life = await openLife(place);
  const forever = async (work) => { for (;;) await work(life); };
  const delay = ${(round * 37) % 90};
  const once = () => WORK['key generation']();
  const huge = () => {
    void encryptFile(${JSON.stringify(input)}, life.scratch + '/huge', { recipients: life.recipients, sync: false });
  };
  if (workerData?.huge) huge();
  for (const work of Object.values(WORK)) void forever(work);
  if (isMainThread) { ${way.script} } else parentPort.postMessage('busy');
`;

/** Ends `rounds` processes in this way. */
export async function expectEndings(place: LifePlace, how: string, rounds: number): Promise<void> {
  const way = endings[how];
  if (way === undefined) throw new Error(`there is no way ${how}`);
  for (let round = 0; round < rounds; round++) {
    const here = { ...place, scratch: tempDir() };
    const huge = sparseFile(join(tempDir(), 'huge'), HUGE);
    const { status, signal, hung, stderr } = await endOf(lifeScript(here, script(way, round, huge)));
    expect({ status, signal, hung, stderr }, `round ${round}`).toMatchObject({ ...way.is });
    await expectNothingHalf(here);
  }
}

/** What has a final name opens; the job that was not done has not been waited for. */
async function expectNothingHalf({ scratch, key }: LifePlace): Promise<void> {
  const keys = new KeyRing([key]);
  for (const path of filesBelow(scratch)) {
    const name = basename(path);
    expect(name).not.toBe('huge');
    if (name === 'sealed' || name === 'again') await verify(path, { keys });
  }
  keys.destroy();
}
