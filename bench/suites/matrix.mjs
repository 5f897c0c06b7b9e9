/** One file at a time, for every peer: by size, by number of recipients, by length of their keys. */

import { rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { summarise } from '../../dist/bench/statistics.js';
import { openCompetitor } from '../harness/competitor.mjs';
import { makeFile, settle, sha256 } from '../harness/files.mjs';
import { identities } from '../harness/identities.mjs';
import { interleave } from '../harness/interleave.mjs';
import { KiB, MiB } from '../harness/plan.mjs';

/** @typedef {import('../../dist/bench/statistics.js').Summary} Summary */
/**
 * One figure of the comparison.
 *
 * @typedef {object} Cell
 * @property {string} peer id
 * @property {'encrypt' | 'decrypt'} operation
 * @property {number} bytes of the plaintext
 * @property {number} recipients
 * @property {number} bits
 * @property {Summary} [seconds]
 * @property {Summary} [cpuSeconds]
 * @property {number} [peakRssBytes]
 * @property {number} [sealedBytes]
 * @property {string} [failure] instead of figures
 */

/** What every other set of keys and every other size is compared from. */
export const BASE = { recipients: 2, bits: 2048, bytes: 64 * KiB };

/** Larger files are measured one at a time; smaller ones until a peer's time is used up. */
const LARGE_BYTES = 16 * MiB;

/**
 * @param {import('../harness/plan.mjs').Plan} plan
 * @param {string} directory
 * @param {import('../peers/index.mjs').Peer[]} peers
 * @param {{ cross?: boolean, onCell?: (cells: Cell[]) => void }} [options] `cross`: every size with every set of keys,
 *   instead of all sizes with the base's keys and all keys with the base's size
 * @returns {Promise<Cell[]>}
 */
export async function measureMatrix(plan, directory, peers, { cross = false, onCell } = {}) {
  const cells = [];
  for (const { keys, sizes } of groupsOf(plan, cross)) {
    const recipients = identities(keys.bits, keys.recipients);
    const able = peers.filter(({ ownKeys }) => !ownKeys || keys.bits === BASE.bits);
    const opening = able.map((peer) => openCompetitor(peer, { directory, recipients, sync: false }));
    const competitors = await Promise.all(opening);
    for (const size of sizes) {
      const found = await measureSize(size, directory, competitors, plan.milliseconds);
      const named = found.map((cell) => ({ ...cell, bytes: size.bytes, ...keys }));
      cells.push(...named);
      onCell?.(named);
    }
    for (const competitor of competitors) await competitor.close();
  }
  return cells;
}

function groupsOf({ sizes, keys }, cross) {
  const isBase = ({ recipients, bits }) => recipients === BASE.recipients && bits === BASE.bits;
  const base = { recipients: BASE.recipients, bits: BASE.bits };
  const baseSize = sizes.filter(({ bytes }) => bytes === BASE.bytes);
  return [
    { keys: base, sizes },
    ...keys.filter((each) => !isBase(each)).map((each) => ({ keys: each, sizes: cross ? sizes : baseSize })),
  ];
}

async function measureSize({ bytes, rounds }, directory, competitors, milliseconds) {
  const input = join(directory, 'input');
  makeFile(input, bytes);
  settle(directory);
  const files = (competitor) => ({
    sealed: join(directory, `${competitor.peer.id}.sealed`),
    output: join(directory, `${competitor.peer.id}.out`),
  });
  const remove = ({ sealed, output }) => {
    rmSync(sealed, { force: true });
    rmSync(output, { force: true });
  };
  const digest = await sha256(input);
  const sealedBytes = new Map();
  // Checked and warmed up first; who does not bring back what it was given is not measured.
  const checked = await interleave(1, competitors, async (competitor) => {
    const { sealed, output } = files(competitor);
    await competitor.once('encrypt', input, sealed);
    await competitor.once('decrypt', sealed, output);
    if ((await sha256(output)) !== digest) throw new Error('what was decrypted is not what was encrypted');
    sealedBytes.set(competitor, statSync(sealed).size);
    if (bytes < LARGE_BYTES) {
      await competitor.sample('encrypt', input, sealed, milliseconds);
      await competitor.sample('decrypt', sealed, output, milliseconds);
    }
    remove(files(competitor));
  });
  const sound = competitors.filter((competitor) => checked.get(competitor).error === undefined);
  const measured = await interleave(rounds, sound, async (competitor) => {
    const { sealed, output } = files(competitor);
    const encrypt = await competitor.sample('encrypt', input, sealed, bytes < LARGE_BYTES ? milliseconds : 0);
    const decrypt = await competitor.sample('decrypt', sealed, output, bytes < LARGE_BYTES ? milliseconds : 0);
    remove(files(competitor));
    return { encrypt, decrypt };
  });
  rmSync(input);
  return competitors.flatMap((competitor) => {
    const failure = checked.get(competitor).error ?? measured.get(competitor).error;
    return ['encrypt', 'decrypt'].map((operation) => ({
      peer: competitor.peer.id,
      operation,
      ...(failure === undefined
        ? { ...figuresOf(measured.get(competitor).samples, operation), sealedBytes: sealedBytes.get(competitor) }
        : { failure: failure.message }),
    }));
  });
}

/** A round's figure is the median of its runs. */
function figuresOf(samples, operation) {
  const each = samples.map((sample) => sample[operation]);
  return {
    seconds: summarise(each.map(({ seconds }) => summarise(seconds).median)),
    cpuSeconds: summarise(each.map(({ cpuSeconds }) => cpuSeconds)),
    peakRssBytes: Math.max(...each.map(({ peakRssBytes }) => peakRssBytes)),
  };
}
