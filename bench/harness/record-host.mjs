/** Runs in a worker: one peer for records, opened once, and what is measured of it. */

import { costOf } from '../../dist/bench/cost.js';
import { recordPeerById } from '../peers/records/index.mjs';

/** @typedef {'protect' | 'unprotect'} Operation */
/** @typedef {'single' | 'many'} Mode one call after the other, each awaited; or all of them as fast as it can */

const PATIENCE_MS = 10_000;
/** Calls under way at once, where there is no form for many. */
const AT_ONCE = 64;

let session;
let plain;
let sealed;

/**
 * Opens the peer and proves on all records that it brings back what it was given.
 *
 * @param {{ count: number, bytes: number }} records
 * @returns {Promise<number>} bytes of a protected record
 */
export async function open(id, settings, { count, bytes }) {
  session = await recordPeerById(id).open(settings);
  plain = Array.from({ length: count }, (_, index) => ({
    entity: { tenant: 'acme', type: 'claimant', id: `c-${index}`, field: 'template' },
    bytes: new Uint8Array(bytes).map((_, at) => index + at),
  }));
  for (const mode of ['single', 'many']) {
    // Of its own memory, as records that were read from a database are.
    sealed = withBytes((await all('protect', mode, plain)).map((record) => new Uint8Array(record)));
    const back = await all('unprotect', mode, sealed);
    const whole = back.every((each, index) => Buffer.compare(each, plain[index].bytes) === 0);
    if (!whole || back.length !== count) throw new Error('what was unprotected is not what was protected');
  }
  return sealed[0].bytes.length;
}

const withBytes = (records) => plain.map(({ entity }, index) => ({ entity, bytes: records[index] }));

/**
 * The cost of all records, again and again until `milliseconds` are used up, at least once.
 *
 * @returns {Promise<import('../../dist/bench/cost.js').Cost & { records: number }>}
 */
export async function measure(operation, mode, milliseconds = 0) {
  const items = operation === 'protect' ? plain : sealed;
  let records = 0;
  const cost = await costOf(async () => {
    const end = performance.now() + milliseconds;
    do {
      await all(operation, mode, items);
      records += items.length;
    } while (performance.now() < end);
  });
  return { ...cost, records };
}

async function all(operation, mode, items) {
  if (mode === 'many') return many(operation, items);
  const results = new Array(items.length);
  for (let index = 0; index < items.length; index += 1) {
    const { entity, bytes } = items[index];
    results[index] = await session[operation](entity, bytes);
  }
  return results;
}

async function many(operation, items) {
  const form = session[`${operation}Many`];
  if (form !== undefined) return form(items);
  const results = [];
  for (let start = 0; start < items.length; start += AT_ONCE) {
    const calls = items.slice(start, start + AT_ONCE).map(({ entity, bytes }) => session[operation](entity, bytes));
    results.push(...(await Promise.all(calls)));
  }
  return results;
}

/** Working keys that were made so far. */
export const keysMade = () => session.keysMade();

/**
 * What it does with a record of which one byte has a bit flipped, for every byte.
 *
 * @returns {Promise<{ tries: number, refused: number, answer: string }>} the worst answer, or that to the middle one
 */
export async function tryFlips() {
  const { entity, bytes } = sealed[0];
  const answers = [];
  for (let at = 0; at < bytes.length; at += 1) {
    const altered = new Uint8Array(bytes);
    altered[at] ^= 1;
    answers.push(await answerTo(entity, altered));
  }
  return verdict(answers);
}

/** What it does with a record that is another entity's: one for each component that differs. */
export async function tryEntities() {
  const { entity, bytes } = sealed[0];
  const answers = [];
  for (const part of Object.keys(entity))
    answers.push(await answerTo({ ...entity, [part]: `${entity[part]}x` }, bytes));
  return verdict(answers);
}

function verdict(answers) {
  const accepted = answers.filter(({ refused }) => !refused);
  const { answer } = accepted[0] ?? answers[answers.length >> 1];
  return { tries: answers.length, refused: answers.length - accepted.length, answer };
}

async function answerTo(entity, record) {
  const patience = new Promise((_, reject) => {
    setTimeout(() => reject(new Error('never ends')), PATIENCE_MS).unref();
  });
  try {
    const bytes = await Promise.race([session.unprotect(entity, record), patience]);
    const whole = Buffer.compare(bytes, plain[0].bytes) === 0;
    return { refused: false, answer: whole ? 'accepts it' : 'gives back something else than was protected' };
  } catch ({ code, message }) {
    return { refused: true, answer: `${code === undefined ? '' : `${code}: `}${message.split('\n')[0]}` };
  }
}

export async function close() {
  await session.close?.();
}
