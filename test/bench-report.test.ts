/** The comparison's report: every cell in which a peer is ahead is there, with a reason that its figures bear out. */

import { describe, expect, it } from 'vitest';

interface Behind {
  measure: string;
  peer: { id: string };
  cells: { operation: string; place: string; factor: number }[];
  why: string;
}

interface Found {
  counts: Record<'time' | 'CPU' | 'memory', { all: number; ahead: number }>;
  behind: Behind[];
  about: string | null;
}

const report = (name: string): string => new URL(`../bench/report/${name}.mjs`, import.meta.url).href;
const { standing, placesOf } = (await import(report('standing'))) as {
  standing(results: unknown): Found;
  placesOf(group: Behind): string;
};
const { renderReport } = (await import(report('render'))) as { renderReport(results: unknown): string };

const PEERS = [
  ['callseal', 'library'],
  ['node-crypto', 'library'],
  ['openpgp', 'library'],
  ['callseal-command', 'command'],
  ['age', 'command'],
  ['cp', 'command'],
].map(([id, kind]) => ({ id, kind, name: `peer ${id}`, settings: 'any', version: '1', copies: id === 'cp' }));

const summary = (median: number, spread = 0.01) => ({
  median,
  min: median * (1 - spread),
  max: median * (1 + spread),
  runs: 3,
});

/** A file of 4 KiB: seconds, CPU the same, MiB. */
function cell(peer: string, operation: string, seconds: number, mebibytes: number, spread?: number) {
  return {
    ...{ peer, operation, bytes: 4096, recipients: 2, bits: 2048 },
    ...{ seconds: summary(seconds, spread), cpuSeconds: summary(seconds, spread) },
    peakRssBytes: mebibytes * 2 ** 20,
  };
}

/** Call files in a batch: seconds for one. */
function batch(peer: string, seconds: number) {
  return {
    ...{ peer, operation: 'encrypt', sync: false, files: 100 },
    ...{ filesPerSecond: summary(1 / seconds), cpuSecondsPerFile: summary(seconds) },
  };
}

const RESULTS = {
  format: 1,
  plan: 'quick',
  started: '2026-11-21T12:00:00.000Z',
  seconds: 60,
  machine: {
    ...{
      cpu: 'a cpu',
      cores: 2,
      memoryBytes: 2 ** 34,
      kernel: '6',
      node: 'v20',
      libcrypto: 'OpenSSL 3',
      fileSystem: 'ext4',
    },
    module: { name: 'a module', version: '1', fips: 'required', validated: false, validation: 'not validated' },
  },
  peers: PEERS,
  missing: [],
  limits: { rows: [], failures: [] },
  matrix: [
    cell('callseal', 'encrypt', 0.001, 60),
    cell('callseal', 'decrypt', 0.002, 60),
    cell('node-crypto', 'encrypt', 0.003, 50),
    cell('node-crypto', 'decrypt', 0.0019, 70, 0.1),
    cell('openpgp', 'encrypt', 0.0005, 90),
    cell('openpgp', 'decrypt', 0.02, 90),
    cell('callseal-command', 'encrypt', 0.2, 60),
    cell('age', 'encrypt', 0.01, 5),
    cell('cp', 'encrypt', 0.005, 2),
  ],
  batch: [batch('callseal-command', 0.02), batch('age', 0.01)],
  scaling: [],
  damage: [],
};

const found = standing(RESULTS);
const why = (peer: string, measure: string, place = '4 KiB'): string[] =>
  found.behind
    .filter((group) => group.peer.id === peer && group.measure === measure)
    .filter((group) => group.cells.some((each) => each.place === place))
    .map((group) => group.why);

describe('where Callseal is not ahead', () => {
  it('counts every comparison with a peer that encrypts', () => {
    expect(found.counts).toEqual({
      time: { all: 6, ahead: 2 },
      CPU: { all: 6, ahead: 2 },
      memory: { all: 5, ahead: 3 },
    });
  });

  it('lists each cell below 1 once, and no other', () => {
    const cells = found.behind.flatMap((group) => group.cells);
    expect(cells.every(({ factor }) => factor < 1)).toBe(true);
    // Four each of time and CPU, two of memory, and the copy's three.
    expect(cells).toHaveLength(13);
  });

  it.each([
    ['cp', 'time', 'it does not encrypt'],
    ['cp', 'memory', 'it does not encrypt'],
    ['node-crypto', 'time', 'no difference to be seen'],
    ['node-crypto', 'memory', 'the FIPS module'],
    ['openpgp', 'time', 'unexplained'],
    ['age', 'time', 'the start of the process; it uses X25519'],
    ['age', 'memory', 'Node itself'],
  ])('says of %s and %s: %s', (peer, measure, text) => {
    expect(why(peer, measure)).toEqual([expect.stringContaining(text)]);
  });

  it('blames the start of a process only where it costs much', () => {
    expect(why('age', 'time', 'many at once')).toEqual(['it uses X25519 keys, no RSA']);
    expect(found.about).toContain('The start of the process takes 198 ms here');
  });

  it('names cells in short where they are all', () => {
    const memory = found.behind.find(({ peer, measure }) => peer.id === 'cp' && measure === 'memory')!;
    expect(placesOf(memory)).toBe('everything');
  });
});

describe('the page', () => {
  const page = renderReport(RESULTS);

  it('needs nothing from outside', () => {
    expect(page).not.toMatch(/<script|<link|<img|@import|url\(|\b(src|href)=|https?:/i);
  });

  it('says of every peer that is ahead why', () => {
    for (const { why, peer } of found.behind) {
      expect(page).toContain(why.replaceAll("'", '&#39;'));
      expect(page).toContain(`peer ${peer.id}`);
    }
  });
});
