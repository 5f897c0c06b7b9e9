import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { ratios, summarise } from '../../dist/bench/statistics.js';
import { formatBytes } from '../../dist/page/figures.js';
import { makeFile, settle } from '../harness/files.mjs';
import { takeTurns } from '../harness/interleave.mjs';
import { CALLSEAL } from '../harness/paths.mjs';
import { runLimit, timeSuccess } from '../harness/programs.mjs';
import { row } from './row.mjs';

/** What the plain copy is fastest with: blocks of 1 MiB leave the second-level cache. */
const BLOCK_BYTES = 1 << 18;

/** One big file in the page cache against copies of it. */
export async function bulk({ plan, directory, recipients, callseal }) {
  const plain = join(directory, 'bulk');
  const sealed = join(directory, 'bulk.sealed');
  const output = join(directory, 'bulk.out');
  makeFile(plain, plan.bulkBytes);
  const options = { sync: false, concurrency: 1 };
  await callseal.call('encryptFiles', [{ input: plain, output: sealed }], options);
  settle(directory);

  const copy = () => runLimit('copy', { in: plain, out: output, block: BLOCK_BYTES });
  // What the file system has to do to take an old output away is not part of the next one's time. And nobody is to be
  // the first to touch memory that the host of a virtual machine had taken back: that is slower than any of the copies.
  const afresh = (work) => async () => {
    rmSync(output, { force: true });
    await copy();
    rmSync(output, { force: true });
    const { seconds } = await work();
    return seconds;
  };
  const command = (verb, input, ...keys) =>
    timeSuccess([process.execPath, CALLSEAL, verb, '--quiet', '--no-sync', ...keys, '--output', output, input]);
  const to = recipients.flatMap(({ certificate }) => ['--recipient', certificate]);
  const seconds = await takeTurns(plan.bulkRounds, {
    copy: afresh(copy),
    encryptFile: afresh(() => callseal.call('encryptFiles', [{ input: plain, output }], options)),
    decryptFile: afresh(() => callseal.call('decryptFiles', [{ input: sealed, output }], options)),
    cp: afresh(() => timeSuccess(['cp', '--reflink=never', plain, output])),
    encrypt: afresh(() => command('encrypt', plain, ...to)),
    decrypt: afresh(() => command('decrypt', sealed, '--key', recipients[0].privateKey)),
  });
  for (const file of [plain, sealed, output]) rmSync(file, { force: true });

  const line = (id, work, own, limit, limitText, target) =>
    row({
      id,
      work: `${work}, ${formatBytes(plan.bulkBytes)} in the page cache`,
      limit: limitText,
      sense: 'at most',
      target,
      unit: 'ratio',
      value: ratios(own, limit),
      figures: [{ what: 'time', unit: 's', own: summarise(own).median, limit: summarise(limit).median }],
    });
  const inC = 'plain read/write copy in C, blocks of 256 KiB, space set aside';
  return [
    line('encrypt-file', '`encryptFile`', seconds.encryptFile, seconds.copy, inC, 1.25),
    line('decrypt-file', '`decryptFile`', seconds.decryptFile, seconds.copy, inC, 1.25),
    line('command-encrypt', '`callseal encrypt`, whole process', seconds.encrypt, seconds.cp, '`cp`', 1.4),
    line('command-decrypt', '`callseal decrypt`, whole process', seconds.decrypt, seconds.cp, '`cp`', 1.4),
  ];
}
