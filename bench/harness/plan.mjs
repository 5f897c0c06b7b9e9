/** How much is measured. */

export const KiB = 1024;
export const MiB = 1024 * KiB;
export const GiB = 1024 * MiB;

/**
 * @typedef {object} Plan
 * @property {string} name
 * @property {{ bytes: number, rounds: number }[]} sizes files for the comparison with peers
 * @property {number} milliseconds how long a peer works on small files before it is the next one's turn
 * @property {{ bits: number, recipients: number }[]} keys for files of 64 KiB
 * @property {number} rounds of everything that is compared with a limit
 * @property {number} bufferBytes for FLOE in memory
 * @property {number} bulkBytes the one big file
 * @property {number} bulkRounds
 * @property {number} files call files of 64 KiB in a batch
 * @property {number} syncedFiles the same, when each is waited for
 * @property {number} batchFiles call files that every peer gets at once
 * @property {number} batchRounds
 * @property {number} decryptedFiles small files to open
 * @property {number} streamBytes
 * @property {number} starts processes started, of each kind
 * @property {number} memoryBytes the file during which memory is watched
 * @property {[number, number]} queued files queued at once, few and many
 * @property {number} records of 1 KiB in a batch, against the bare loop; some 8,100 of them are a 3DES key's whole budget
 * @property {number} peerRecords of 1 KiB that every peer gets
 * @property {number} recordMilliseconds how long a peer works on them before it is the next one's turn
 * @property {number} workingKeys in a store that is opened
 * @property {number} busySeconds while the event loop and the CPU are watched
 */

/** Every figure of the table, on a quiet machine about half an hour. */
const full = {
  name: 'full',
  sizes: [
    { bytes: 4 * KiB, rounds: 7 },
    { bytes: 64 * KiB, rounds: 7 },
    { bytes: MiB, rounds: 7 },
    { bytes: 64 * MiB, rounds: 5 },
    { bytes: GiB, rounds: 3 },
  ],
  milliseconds: 200,
  keys: keys([1, 2, 8], [2048, 4096]),
  rounds: 9,
  bufferBytes: 64 * MiB,
  bulkBytes: GiB,
  bulkRounds: 9,
  files: 3000,
  syncedFiles: 1000,
  batchFiles: 600,
  batchRounds: 5,
  decryptedFiles: 10_000,
  streamBytes: GiB,
  starts: 40,
  memoryBytes: 5 * GiB,
  queued: [1000, 10_000],
  records: 16_384,
  peerRecords: 1000,
  recordMilliseconds: 500,
  workingKeys: 1000,
  busySeconds: 15,
};

/** The same questions in under three minutes: fewer rounds, no file above 64 MiB among the peers. */
const quick = {
  name: 'quick',
  sizes: [
    { bytes: 4 * KiB, rounds: 2 },
    { bytes: 64 * KiB, rounds: 2 },
    { bytes: MiB, rounds: 2 },
    { bytes: 64 * MiB, rounds: 1 },
  ],
  milliseconds: 25,
  keys: [...keys([1, 2, 8], [2048]), ...keys([2], [4096])],
  rounds: 3,
  bufferBytes: 64 * MiB,
  bulkBytes: 512 * MiB,
  bulkRounds: 3,
  files: 1000,
  syncedFiles: 200,
  batchFiles: 80,
  batchRounds: 2,
  decryptedFiles: 2000,
  streamBytes: 256 * MiB,
  starts: 10,
  memoryBytes: GiB,
  queued: [500, 5000],
  records: 8192,
  peerRecords: 1000,
  recordMilliseconds: 100,
  workingKeys: 100,
  busySeconds: 2,
};

/** Everything once with tiny files: shows that it runs. Its figures mean nothing. */
const smoke = {
  name: 'smoke',
  sizes: [
    { bytes: 4 * KiB, rounds: 1 },
    { bytes: 64 * KiB, rounds: 1 },
    { bytes: 2 * MiB, rounds: 1 },
  ],
  milliseconds: 1,
  keys: [...keys([1, 2], [2048]), ...keys([1], [4096])],
  rounds: 1,
  bufferBytes: 4 * MiB,
  bulkBytes: 8 * MiB,
  bulkRounds: 1,
  files: 40,
  syncedFiles: 10,
  batchFiles: 20,
  batchRounds: 1,
  decryptedFiles: 100,
  streamBytes: 16 * MiB,
  starts: 2,
  memoryBytes: 64 * MiB,
  queued: [50, 200],
  records: 100,
  peerRecords: 20,
  recordMilliseconds: 1,
  workingKeys: 5,
  busySeconds: 1,
};

/** @type {Record<string, Plan>} */
export const PLANS = { full, quick, smoke };

function keys(counts, lengths) {
  return lengths.flatMap((bits) => counts.map((recipients) => ({ bits, recipients })));
}
