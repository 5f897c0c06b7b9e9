#!/usr/bin/env node
/**
 * Whether the time that opening a header takes tells anything of the padding under its wrapped key (Manger, Crypto 2001):
 * `node bench/oaep-timing.mjs [ROUNDS]`. Wrapped keys of several kinds take turns in random order; each kind is held against two
 * others with Welch's t over the faster nine tenths: against right padding with a wrong MAC, which tells whether a padding was
 * right, and against a first byte of 1, which is what Manger's attack asks about. |t| below 4.5 is what is taken for nothing
 * to see (ISO/IEC 17825). Run it on a machine that does nothing else.
 */

import { constants, createPublicKey, publicEncrypt, randomBytes, randomInt } from 'node:crypto';

import { native } from '../dist/native/load.js';

const LABELS = { bodyLabel: Buffer.from('callseal v1 body'), macLabel: Buffer.from('callseal v1 recipients') };
const RIGHT = 'right padding, wrong MAC';
const MANGER = 'first byte 1, the rest at random';
const MODULUS_BYTES = 256;

const rounds = Number(process.argv[2] ?? 5000);
const key = await native().PrivateKey.generate(MODULUS_BYTES * 8);
const publicKey = createPublicKey(await native().createCertificate(key, [['CN', 'timing']], 1));

const oaep = (message, label) => {
  const options = { key: publicKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' };
  return publicEncrypt(label === undefined ? options : { ...options, oaepLabel: label }, message);
};
/** Plain RSA of a number that begins with `first`, which is what the padding's check sees. */
const plain = (first) =>
  publicEncrypt(
    { key: publicKey, padding: constants.RSA_NO_PADDING },
    Buffer.concat([Buffer.of(first), randomBytes(MODULUS_BYTES - 1)]),
  );

const KINDS = {
  [RIGHT]: () => oaep(randomBytes(32)),
  'the same again (what noise alone gives)': () => oaep(randomBytes(32)),
  'first byte 0, the rest at random': () => plain(0),
  [MANGER]: () => plain(1),
  'another label': () => oaep(randomBytes(32), Buffer.from('label')),
  'a key of 31 bytes': () => oaep(randomBytes(31)),
};

async function measure(wrappedKey) {
  const prelude = randomBytes(48);
  const sealed = { wrappedKey, prelude, authenticated: randomBytes(400), mac: randomBytes(32), ...LABELS };
  const start = process.hrtime.bigint();
  await native()
    .openEnvelope(key, sealed)
    .catch(() => undefined);
  return Number(process.hrtime.bigint() - start) / 1000;
}

function shuffled(items) {
  const result = [...items];
  for (let last = result.length - 1; last > 0; last -= 1) {
    const other = randomInt(last + 1);
    [result[last], result[other]] = [result[other], result[last]];
  }
  return result;
}

/** Mean, variance and number of the faster nine tenths. */
function summary(samples) {
  const kept = [...samples].sort((a, b) => a - b).slice(0, Math.ceil(samples.length * 0.9));
  const mean = kept.reduce((sum, value) => sum + value, 0) / kept.length;
  const variance = kept.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (kept.length - 1);
  return { mean, variance, count: kept.length };
}

function welch(a, b) {
  return (a.mean - b.mean) / Math.sqrt(a.variance / a.count + b.variance / b.count);
}

const samples = new Map(Object.keys(KINDS).map((kind) => [kind, []]));
for (let round = -100; round < rounds; round += 1) {
  // All of a round are made first: what making one leaves in the caches must not show in the next measurement.
  const wrapped = shuffled(Object.keys(KINDS)).map((kind) => [kind, KINDS[kind]()]);
  for (const [kind, bytes] of shuffled(wrapped)) {
    const time = await measure(bytes);
    if (round >= 0) samples.get(kind).push(time);
  }
}
const summaries = new Map([...samples].map(([kind, times]) => [kind, summary(times)]));
const { provider } = native().status();
console.log(`${provider.name} ${provider.version}, RSA-${MODULUS_BYTES * 8}, ${rounds} rounds\n`);
console.log(`${'wrapped key'.padEnd(42)}   mean µs  t (right padding)  t (first byte 1)`);
for (const [kind, own] of summaries) {
  const [right, manger] = [RIGHT, MANGER].map((other) =>
    other === kind ? '' : welch(own, summaries.get(other)).toFixed(2),
  );
  console.log(`${kind.padEnd(42)} ${own.mean.toFixed(2).padStart(9)} ${right.padStart(18)} ${manger.padStart(17)}`);
}
