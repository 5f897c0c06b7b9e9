import { join } from 'node:path';
import { ratios, summarise } from '../../dist/bench/statistics.js';
import { freshDirectory, makeFiles, release } from '../harness/files.mjs';
import { takeTurns } from '../harness/interleave.mjs';
import { KiB } from '../harness/plan.mjs';
import { runLimit } from '../harness/programs.mjs';
import { row, toPlain, toSealed } from './row.mjs';

const FILE_BYTES = 4 * KiB;
const CONCURRENCY = 64;
const RSA_MILLISECONDS = 1000;

/** Opening thousands of small files, which is mostly RSA, against RSA alone. */
export async function decryptMany({ plan, directory, cores, recipients, callseal }) {
  const plain = join(directory, 'small');
  const sealed = freshDirectory(directory);
  const names = makeFiles(plain, plan.decryptedFiles, FILE_BYTES);
  const options = { sync: false, concurrency: CONCURRENCY };
  await callseal.call('encryptFiles', toSealed(plain, names, sealed), options);

  const key = recipients[0].privateKey;
  const bare = (threads) => async () => {
    const { operations, seconds } = await runLimit('rsa', { key, threads, milliseconds: RSA_MILLISECONDS });
    return operations / seconds;
  };
  const turns = await takeTurns(Math.min(plan.rounds, 5), {
    rsa: bare(1),
    own: async () => {
      const out = freshDirectory(directory);
      const { seconds } = await callseal.call('decryptFiles', toPlain(sealed, names, out), options);
      release(out);
      return names.length / seconds;
    },
    rsaOnAll: bare(cores),
  });
  for (const each of [plain, sealed]) release(each);

  const limit = turns.rsa.map((each) => each * cores);
  const share = ratios(turns.rsaOnAll, limit).median;
  return [
    row({
      id: 'decrypt-many',
      work: `decrypting ${names.length} files of 4 KiB, RSA-2048`,
      limit: 'RSA private operations of the module on one thread × cores',
      sense: 'at least',
      target: 0.85,
      unit: 'ratio',
      value: ratios(turns.own, limit),
      figures: [{ what: 'rate', unit: 'files/s', own: summarise(turns.own).median, limit: summarise(limit).median }],
      note: `RSA alone reaches ${share.toFixed(2)} of that on ${cores} threads.`,
    }),
  ];
}
