import { join } from 'node:path';
import { ratios, summarise } from '../../dist/bench/statistics.js';
import { emptied } from '../harness/files.mjs';
import { identities } from '../harness/identities.mjs';
import { takeTurns } from '../harness/interleave.mjs';
import { KiB } from '../harness/plan.mjs';
import { runLimit } from '../harness/programs.mjs';
import { Worker } from '../harness/worker.mjs';
import { OWN_RECORDS } from '../peers/records/index.mjs';
import { row } from './row.mjs';

const RECORD_BYTES = KiB;
const OPERATIONS = ['protect', 'unprotect'];
/** One pass is short with AES, and passes hundreds of milliseconds and a few keys with 3DES. */
const SUITES = [
  { name: 'aes', suite: 'aes/aes/sha256', cipher: 'aes', hash: 'sha256', target: 0.4, passes: 5 },
  { name: '3des', suite: 'lumenvox', cipher: '3des', hash: 'sha1', target: 0.6, passes: 1 },
];
const CALLS_PER_SECOND = 50_000;
const RSA_MILLISECONDS = 300;

/** Protected records of 1 KiB against the same cipher and HMAC in a bare loop, and single calls against a bound. */
export async function records({ plan, directory }) {
  const rows = [];
  for (const suite of SUITES) {
    const own = emptied(join(directory, 'records'));
    await withWorker('record-host', async (worker) => {
      const [{ privateKey }] = identities(4096, 1);
      const settings = { directory: own, installationKey: privateKey, suite: suite.suite };
      await worker.call('open', OWN_RECORDS, settings, { count: plan.records, bytes: RECORD_BYTES });
      rows.push(...(await batchRows(plan, worker, suite)));
      if (suite.name === 'aes') rows.push(...(await singleRows(plan, worker)));
      await worker.call('close');
    });
    emptied(own);
  }
  return rows;
}

async function batchRows({ records: count, rounds }, worker, { name, suite, cipher, hash, target, passes }) {
  const bare = (operation) => async () => {
    const options = { cipher, hash, operation, bytes: RECORD_BYTES, count, rounds: passes };
    const { seconds, cpuSeconds } = await runLimit('record', options);
    return { seconds: summarise(seconds).median, cpuSeconds: cpuSeconds / passes };
  };
  const own = (operation) => async () => {
    const costs = [];
    for (let pass = 0; pass < passes; pass += 1) costs.push(await worker.call('measure', operation, 'many'));
    const median = (of) => summarise(costs.map(of)).median;
    return { seconds: median(({ seconds }) => seconds), cpuSeconds: median(({ cpuSeconds }) => cpuSeconds) };
  };
  const before = await worker.call('keysMade');
  const rows = [];
  for (const operation of OPERATIONS) {
    const turns = await takeTurns(rounds, { bare: bare(operation), own: own(operation) });
    const rate = (costs) => costs.map(({ seconds }) => count / seconds);
    const cpu = (costs) => costs.map(({ cpuSeconds }) => (cpuSeconds / count) * 1e6);
    const figure = (what, unit, of) => ({
      what,
      unit,
      own: summarise(of(turns.own)).median,
      limit: summarise(of(turns.bare)).median,
    });
    const shares = [`By CPU time it is ${ratios(cpu(turns.bare), cpu(turns.own)).median.toFixed(2)}.`];
    if (operation === 'protect') {
      const made = (await worker.call('keysMade')) - before;
      const times = `${made} ${made === 1 ? 'time' : 'times'}`;
      shares.push(`Reservations in the store are counted, and ${times} a new working key, as the budget was spent.`);
    }
    rows.push(
      row({
        id: `records-batch-${name}-${operation}`,
        work: `\`${operation}Many\`, ${count} records of 1 KiB, suite ${suite}, one thread`,
        limit: `${cipher === 'aes' ? 'AES-256-GCM' : '3DES-CBC with HMAC'} and HMAC of the same module, bare C loop`,
        sense: 'at least',
        target,
        unit: 'ratio',
        value: ratios(rate(turns.own), rate(turns.bare)),
        figures: [figure('rate', 'records/s', rate), figure('CPU per record', 'µs', cpu)],
        note: shares.join(' '),
      }),
    );
  }
  return rows;
}

async function singleRows({ records: count, rounds }, worker) {
  const single = (operation) => async () => {
    const { seconds, cpuSeconds } = await worker.call('measure', operation, 'single');
    return { rate: count / seconds, cpu: (cpuSeconds / count) * 1e6 };
  };
  const turns = await takeTurns(rounds, { protect: single('protect'), unprotect: single('unprotect') });
  return OPERATIONS.map((operation) => {
    const value = summarise(turns[operation].map(({ rate }) => rate));
    const cpu = summarise(turns[operation].map((each) => each.cpu)).median;
    return row({
      id: `records-single-${operation}`,
      work: `\`${operation}\`, one call after the other, records of 1 KiB, suite aes/aes/sha256`,
      limit: 'a bound',
      sense: 'at least',
      target: CALLS_PER_SECOND,
      unit: 'calls/s',
      value,
      figures: [
        { what: 'rate', unit: 'calls/s', own: value.median },
        { what: 'CPU per record', unit: 'µs', own: cpu },
      ],
    });
  });
}

/** A hierarchy is opened with one RSA private operation for its master key, however many working keys there are. */
export async function hierarchyOpen({ plan, directory }) {
  const [{ privateKey }] = identities(4096, 1);
  const own = emptied(join(directory, 'hierarchy'));
  const turns = await withWorker('hierarchy-host', async (worker) => {
    await worker.call('make', own, privateKey, plan.workingKeys);
    return takeTurns(plan.rounds, {
      rsa: () => runLimit('rsa', { key: privateKey, operation: 'private', threads: 1, milliseconds: RSA_MILLISECONDS }),
      open: () => worker.call('open'),
    });
  });
  emptied(own);
  const one = turns.rsa.map(({ seconds, operations }) => (seconds / operations) * 1000);
  const opening = turns.open.map(({ seconds }) => seconds * 1000);
  const share = summarise(turns.open.map(({ rsaSeconds }, round) => (rsaSeconds * 1000) / opening[round])).median;
  return [
    row({
      id: 'hierarchy-open',
      work: `\`KeyHierarchy.open\`, ${plan.workingKeys} working keys under one master key, RSA-4096: private operations`,
      limit: 'one RSA private operation of the module per master key',
      sense: 'at most',
      target: 1,
      unit: 'RSA operations',
      value: summarise(turns.open.map(({ operations }) => operations)),
      figures: [{ what: 'time', unit: 'ms', own: summarise(opening).median, limit: summarise(one).median }],
      note:
        `Opening takes ${ratios(opening, one).median.toFixed(1)} times one RSA private operation. ${(share * 100).toFixed(0)} % of the ` +
        'time goes by while the master key is opened; the rest is reading and verifying every row.',
    }),
  ];
}

async function withWorker(host, use) {
  const worker = new Worker(new URL(`../harness/${host}.mjs`, import.meta.url));
  try {
    return await use(worker);
  } finally {
    await worker.close();
  }
}
