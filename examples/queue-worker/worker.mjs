/**
 * A worker that encrypts the recordings that a queue names. Any number of them share the work; one that dies gives its job to
 * another. A job that is done twice does no harm: the second finds the encrypted file.
 *
 *     DATABASE=postgres://voice@db.example/jobs CERTIFICATES=desk.crt node worker.mjs
 *     DATABASE=postgres://voice@db.example/jobs node worker.mjs add /srv/calls/call-1.wav /srv/calls/call-2.wav
 *
 * To change recipients of millions of encrypted files on several machines, use `callseal recipients --queue` and `callseal worker`.
 */

import { resolve } from 'node:path';
import { CallsealError, encryptFile, Recipients } from 'callseal';
import PgBoss from 'pg-boss';

const QUEUE = 'recordings';
const { DATABASE, CERTIFICATES = 'desk.crt' } = process.env;

const queue = new PgBoss(DATABASE);
queue.on('error', (error) => console.error(`queue: ${error.message}`));
await queue.start();
await queue.createQueue(QUEUE, { name: QUEUE, retryLimit: 5, retryBackoff: true });

const [command, ...files] = process.argv.slice(2);
if (command === 'add') {
  for (const file of files) await queue.send(QUEUE, { path: resolve(file) });
  await queue.stop();
} else {
  const recipients = await Recipients.load(CERTIFICATES.split(','));
  const stopping = new AbortController();
  await queue.work(QUEUE, { pollingIntervalSeconds: 0.5 }, async ([job]) => {
    console.log(await encrypted(job.data.path, recipients, stopping.signal));
  });
  process.once('SIGTERM', async () => {
    // What was begun is given up, and is the next worker's; no half of an output is left.
    stopping.abort();
    await queue.stop({ graceful: true, timeout: 5000 });
  });
}

/** A rejection tells the queue to try again later: that is right for a full disk, and not for what is done already. */
async function encrypted(path, recipients, signal) {
  try {
    const { outputBytes } = await encryptFile(path, `${path}.sealed`, { recipients, signal });
    return `${path}: ${outputBytes} bytes`;
  } catch (error) {
    if (error instanceof CallsealError && error.code === 'ERR_OUTPUT_EXISTS') return `${path}: done before`;
    throw error;
  }
}
