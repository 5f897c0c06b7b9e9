/** What all rows of the table need: a place to work, keys, and one Callseal process to measure. */

import { availableParallelism } from 'node:os';
import { identities } from '../harness/identities.mjs';
import { Worker } from '../harness/worker.mjs';

const RECIPIENTS = 2;

/**
 * @typedef {object} Context
 * @property {import('../harness/plan.mjs').Plan} plan
 * @property {string} directory
 * @property {number} cores
 * @property {import('../harness/identities.mjs').Identity[]} recipients two of RSA-2048
 * @property {Worker} callseal module callseal-host.mjs, opened for the recipients and the first one's key
 */

/** @returns {Promise<Context & { close(): Promise<void> }>} */
export async function openContext(plan, directory) {
  const recipients = identities(2048, RECIPIENTS);
  const callseal = await callsealWorker(recipients);
  return { plan, directory, cores: availableParallelism(), recipients, callseal, close: () => callseal.close() };
}

async function callsealWorker(recipients, options) {
  const worker = new Worker(new URL('../harness/callseal-host.mjs', import.meta.url), options);
  await worker.call(
    'open',
    recipients.map(({ certificate }) => certificate),
    [recipients[0].privateKey],
  );
  return worker;
}

/**
 * Has a Callseal process of its own for the time of `use`.
 *
 * @template T
 * @param {(worker: Worker) => Promise<T>} use
 * @param {{ wrapper?: string[] }} [options] as Worker has them
 * @returns {Promise<T>}
 */
export async function withCallseal(recipients, use, options) {
  const worker = await callsealWorker(recipients, options);
  try {
    return await use(worker);
  } finally {
    await worker.close();
  }
}
