/** Native work that is interrupted again and again while the process goes on. */

import { expect } from 'vitest';

import { type LifePlace, lifeScript, reportOf } from './life.ts';

/** Workers at work on everything are terminated, each at another moment. */
export async function terminateWorkers(place: LifePlace, rounds: number): Promise<void> {
  const worker = lifeScript(
    place,
    `
    import { parentPort } from 'node:worker_threads';
    const life = await openLife(place);
    parentPort.postMessage('busy');
    for (const work of Object.values(WORK)) void (async () => { for (;;) await work(life); })();
    `,
  );
  const script = `
    import { Worker } from 'node:worker_threads';
    const life = await openLife(place);
    let ended = 0;
    const wrong = [];
    const terminate = async (round) => {
      const worker = new Worker(${JSON.stringify(worker)});
      const failed = new Promise((resolve) => worker.once('error', (error) => resolve(wrong.push(String(error)))));
      await Promise.race([failed, new Promise((resolve) => worker.once('message', resolve))]);
      await new Promise((resolve) => setTimeout(resolve, (round * 29) % 120));
      await worker.terminate();
      ended++;
    };
    let next = 0;
    const queue = async () => { while (next < ${rounds}) await terminate(next++); };
    await Promise.all([queue(), queue(), queue()]);
    // What others were in the middle of has done no harm.
    for (const work of Object.values(WORK)) await work(life);
    life.close();
    console.log(JSON.stringify({ ended, wrong }));
  `;
  expect(await reportOf(lifeScript(place, script))).toEqual({ ended: rounds, wrong: [] });
}

/** Every kind of work is aborted, each time at another moment: it succeeds or says that it was cancelled. */
export async function abortWork(place: LifePlace, rounds: number): Promise<void> {
  const script = `
    import { readdirSync } from 'node:fs';
    const life = await openLife(place);
    const kinds = Object.values(WORK);
    const count = { aborted: 0, done: 0 };
    const wrong = [];
    const abort = async (round) => {
      const controller = new AbortController();
      const doing = kinds[round % kinds.length](life, controller.signal);
      if (round % 5 === 0) controller.abort();
      else setTimeout(() => controller.abort(), (round * 13) % 60);
      try {
        await doing;
        count.done++;
      } catch (error) {
        if (error.code === 'ERR_ABORTED' || error.code === 'ABORT_ERR') count.aborted++;
        else wrong.push(String(error));
      }
    };
    let next = 0;
    const queue = async () => { while (next < ${rounds}) await abort(next++); };
    await Promise.all([queue(), queue(), queue(), queue()]);
    for (const work of kinds) await work(life);
    const left = readdirSync(life.scratch, { recursive: true }).filter((name) => name.includes('tmp'));
    life.close();
    console.log(JSON.stringify({ ended: count.aborted + count.done, someWereAborted: count.aborted > 0, wrong, left }));
  `;
  const expected = { ended: rounds, someWereAborted: true, wrong: [], left: [] };
  expect(await reportOf(lifeScript(place, script))).toEqual(expected);
}

/** Everything is dropped while it works, the collector runs all the time, and a worker comes to its end with handles in use. */
export async function collectInUse(place: LifePlace, rounds: number): Promise<void> {
  const script = `
    import { isMainThread, Worker } from 'node:worker_threads';
    import {
      createDecryptStream, createEncryptStream, decrypt, encrypt, generatePrivateKey, generateSigningKey, KeyRing, Recipients,
    } from '${new URL('../../dist/index.js', import.meta.url)}';
    const plain = Buffer.alloc(700_000, 'a call');
    // No handle outlives the expression that it stands in.
    const dropped = [
      async () => encrypt(plain, { recipients: await Recipients.load(place.certificates) }),
      async () => decrypt(await encrypt(plain, { recipients: await Recipients.load(place.certificates) }), { keys: new KeyRing([place.key]) }),
      async () => (await generateSigningKey('P-256')).publicKey.toPem(),
      async () => (await generatePrivateKey(2048)).publicKey.bits,
      async () => {
        const through = createEncryptStream({ recipients: await Recipients.load(place.certificates) });
        through.end(plain);
        return through.pipe(createDecryptStream({ keys: new KeyRing([place.key]) })).toArray();
      },
      async () => void createEncryptStream({ recipients: await Recipients.load(place.certificates) }).write(plain),
    ];
    // Collected each time that the event loop turns; the heap of a process is small enough.
    const collecting = setInterval(gc, 1).unref();
    let done = 0;
    for (let round = 0; round < ${rounds}; round++) done += (await Promise.all(dropped.map((work) => work()))).length;
    clearInterval(collecting);
    if (isMainThread) {
      const worker = new Worker(new URL(import.meta.url));
      const code = await new Promise((resolve, reject) => worker.once('exit', resolve).once('error', reject));
      console.log(JSON.stringify({ done, code }));
    } else {
      // In use when the environment ends: finalizers run beside what still works.
      for (const work of dropped) void work();
      setImmediate(() => process.exit(0));
    }
  `;
  const expected = { done: rounds * 6, code: 0 };
  expect(await reportOf(lifeScript(place, script), { args: ['--expose-gc'] })).toEqual(expected);
}
