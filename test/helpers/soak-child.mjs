/**
 * Does what hosts and services do, for as many minutes as it is told: files, streams, live files, records. One round is one
 * call of a host: encrypted, opened again, looked at. Says each second how far it is, right after a collection.
 */

import { openLife, WORK } from './life-work.mjs';

const [, , text, minutes] = process.argv;
const life = await openLife(JSON.parse(text));
const until = Date.now() + Number(minutes) * 60_000;
const ENTITY = { tenant: 'acme', type: 'claimant', id: 'c-7', field: 'template' };
const records = await life.hierarchy();

/** How many rounds one of each comes in: what is rare on a host is rare here. */
const EVERY = {
  files: 1,
  streams: 4,
  'live writing': 4,
  buffers: 10,
  'changes of recipients': 20,
  'a large file': 40,
  'key generation': 50,
  'the key hierarchy': 100,
};

let rounds = 0;
let operations = 0;

async function round(number) {
  const sealed = await records.protect('models', ENTITY, new Uint8Array(500));
  await records.unprotect('models', ENTITY, sealed);
  operations += 2;
  for (const [name, every] of Object.entries(EVERY)) {
    if (number % every !== 0) continue;
    await WORK[name](life);
    operations++;
  }
}

async function lane() {
  while (Date.now() < until) await round(rounds++);
}

const telling = setInterval(() => {
  gc();
  process.stdout.write(`${JSON.stringify({ rounds, operations, heap: process.memoryUsage().heapUsed })}\n`);
}, 1000);
await Promise.all([lane(), lane(), lane(), lane()]);
clearInterval(telling);
await records.close();
life.close();
process.stdout.write(`${JSON.stringify({ rounds, operations, ended: true })}\n`);
