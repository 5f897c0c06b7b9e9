/** What each does with a file that was damaged, and with an empty one: found by trying. */

import {
  closeSync,
  createReadStream,
  existsSync,
  openSync,
  readSync,
  rmSync,
  statSync,
  truncateSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { openCompetitor } from '../harness/competitor.mjs';
import { makeFile } from '../harness/files.mjs';
import { identities } from '../harness/identities.mjs';
import { MiB } from '../harness/plan.mjs';
import { BASE } from './matrix.mjs';

/** Large enough that those who stream do. */
const FILE_BYTES = 8 * MiB;
const PATIENCE_MS = 30_000;

/**
 * @typedef {object} Trial
 * @property {string} peer
 * @property {'flipped bit' | 'truncated' | 'empty'} damage
 * @property {boolean} refused whether it said that something is wrong
 * @property {string} answer its exit code or error, or `accepts it`
 * @property {number} releasedBytes what it left under the output's name
 * @property {boolean} releasedAltered whether that is something else than the beginning of the plaintext
 */

/** @returns {Promise<Trial[]>} */
export async function tryDamage(directory, peers) {
  const plain = join(directory, 'plain');
  const trials = [];
  for (const peer of peers.filter(({ copies }) => !copies)) {
    for (const [damage, bytes, spoil] of [
      ['flipped bit', FILE_BYTES, flipMiddleBit],
      ['truncated', FILE_BYTES, cutInHalf],
      ['empty', 0, () => {}],
    ]) {
      makeFile(plain, bytes);
      trials.push({ peer: peer.id, damage, ...(await attempt(peer, directory, plain, spoil)) });
    }
  }
  return trials;
}

async function attempt(peer, directory, plain, spoil) {
  const sealed = join(directory, `${peer.id}.sealed`);
  const output = join(directory, `${peer.id}.out`);
  for (const file of [sealed, output]) rmSync(file, { force: true });
  const recipients = identities(BASE.bits, BASE.recipients);
  const competitor = await openCompetitor(peer, { directory, recipients, sync: false });
  try {
    const made = await ending(competitor, 'encrypt', plain, sealed);
    if (made !== null)
      return {
        refused: true,
        answer: `does not encrypt it: ${shortened(made, directory)}`,
        releasedBytes: 0,
        releasedAltered: false,
      };
    spoil(sealed);
    const answer = shortened(await ending(competitor, 'decrypt', sealed, output), directory);
    const released = existsSync(output) ? statSync(output).size : 0;
    const silent = answer === null && !existsSync(output);
    return {
      refused: answer !== null,
      answer: answer ?? (silent ? 'accepts it, but makes no file' : 'accepts it'),
      releasedBytes: released,
      releasedAltered: released > 0 && !(await isBeginning(output, plain)),
    };
  } finally {
    await competitor.close();
  }
}

/** Null when all went well, else how it ended. */
async function ending(competitor, operation, input, output) {
  const patience = new Promise((resolve) => setTimeout(resolve, PATIENCE_MS, 'never ends').unref());
  return Promise.race([competitor.ending(operation, input, output), patience]);
}

/** The first line, without our own paths. */
function shortened(answer, directory) {
  return answer === null ? null : answer.split('\n')[0].replaceAll(`${directory}/`, '');
}

function flipMiddleBit(path) {
  const middle = statSync(path).size >> 1;
  const file = openSync(path, 'r+');
  const byte = Buffer.alloc(1);
  readSync(file, byte, 0, 1, middle);
  byte[0] ^= 1;
  writeSync(file, byte, 0, 1, middle);
  closeSync(file);
}

function cutInHalf(path) {
  truncateSync(path, statSync(path).size >> 1);
}

/** Whether a file is the beginning of another, or all of it. */
async function isBeginning(path, whole) {
  const reference = openSync(whole, 'r');
  try {
    for await (const chunk of createReadStream(path)) {
      const expected = Buffer.alloc(chunk.length);
      readSync(reference, expected);
      if (!chunk.equals(expected)) return false;
    }
    return true;
  } finally {
    closeSync(reference);
  }
}
