/** Records in the comparison: what is measured of every peer that is installed, and what the report says of it. */

import { describe, expect, it } from 'vitest';

interface Behind {
  measure: string;
  peer: { id: string };
  cells: { operation: string; place: string; factor: number }[];
  why: string;
}

const bench = (path: string): string => new URL(`../bench/${path}`, import.meta.url).href;
const { standing, placesOf } = (await import(bench('report/standing.mjs'))) as {
  standing(results: unknown): { counts: Record<string, { all: number; ahead: number }>; behind: Behind[] };
  placesOf(group: Behind): string;
};
const { recordsSection } = (await import(bench('report/records-section.mjs'))) as {
  recordsSection(results: unknown): string;
};
const { limitsSection } = (await import(bench('report/limits-section.mjs'))) as {
  limitsSection(measured: unknown): string;
};
const { RECORD_PEERS } = (await import(bench('peers/records/index.mjs'))) as {
  RECORD_PEERS: { id: string; kind: string; settings: string; version(): string | null; open(): Promise<Session> }[];
};

type Entity = Record<'tenant' | 'type' | 'id' | 'field', string>;

interface Session {
  protect(entity: Entity, bytes: Uint8Array): Uint8Array | Promise<Uint8Array>;
  unprotect(entity: Entity, sealed: Uint8Array): Uint8Array | Promise<Uint8Array>;
}

const summary = (median: number, spread = 0.01) => ({
  ...{ median, min: median * (1 - spread), max: median * (1 + spread) },
  runs: 3,
});

/** What one peer needs for a record, in microseconds: protect and unprotect, one after the other and many at once. */
function result(peer: string, times: readonly number[]) {
  const kinds = ['protect', 'unprotect'].flatMap((operation) =>
    ['single', 'many'].map((mode) => ({ operation, mode })),
  );
  const cells = kinds.map((kind, index) => ({
    ...kind,
    recordsPerSecond: summary(1e6 / times[index]!),
    cpuSecondsPerRecord: summary(times[index]! / 1e6),
  }));
  const refuses = { tries: 10, refused: 10, answer: 'ERR_NO' };
  return { peer, sealedBytes: 1100, cells, flips: refuses, entities: { ...refuses, refused: 0, answer: 'accepts it' } };
}

const RESULTS = {
  peers: [
    ...['callseal-records', 'node-crypto-aad', 'mongodb-client-encryption', 'aws-encryption-sdk-records'].map((id) => ({
      ...{ id, kind: 'record', name: `peer ${id}`, settings: 'any', version: '1' },
    })),
    { id: 'callseal', kind: 'library', name: 'callseal', settings: 'any', version: '1' },
  ],
  limits: { rows: [], failures: [] },
  ...{ matrix: [], batch: [], scaling: [], damage: [] },
  records: [
    result('callseal-records', [5, 3, 4, 2]),
    result('node-crypto-aad', [6, 6, 3, 1]),
    result('mongodb-client-encryption', [50, 50, 50, 1.99]),
    { peer: 'aws-encryption-sdk-records', failure: 'did not <start>' },
  ],
};

describe('where Callseal is not ahead with records', () => {
  const found = standing(RESULTS);
  const groups = found.behind.filter(({ measure }) => measure === 'time');

  it('compares each operation in each way, with peers that were measured', () => {
    expect(found.counts.time).toEqual({ all: 8, ahead: 5 });
    expect(found.counts.CPU).toEqual({ all: 8, ahead: 5 });
    expect(found.counts.memory).toEqual({ all: 0, ahead: 0 });
  });

  it('names the cells and gives reasons that the figures bear out', () => {
    expect(groups.map((group) => [group.peer.id, placesOf(group), group.why])).toEqual([
      ['node-crypto-aad', 'unprotect everything', expect.stringContaining('no HMAC')],
      ['mongodb-client-encryption', 'unprotect many at once', expect.stringContaining('overlap')],
    ]);
  });
});

describe('the section of records', () => {
  const html = recordsSection(RESULTS);

  it('has a bar for every peer in every chart', () => {
    expect(html.match(/<svg/g)).toHaveLength(4);
    for (const operation of ['protect', 'unprotect']) {
      for (const place of ['one call after the other', 'many at once']) {
        expect(html).toContain(`records a second, ${operation}, ${place}`);
      }
    }
  });

  it('says what each refuses, and what was not measured', () => {
    expect(html).toContain('>accepts it<');
    expect(html).toContain('>refuses<');
    expect(html).toContain('did not &lt;start&gt;');
  });

  it('is empty when nothing was measured', () => {
    expect(recordsSection({ ...RESULTS, records: [] })).toBe('');
  });
});

it('a bound on a rate shows the part of the time that is used', () => {
  const row = { id: 'a', work: 'calls', limit: 'a bound', unit: 'calls/s', sense: 'at least', target: 50, met: true };
  const shown = (rate: number) =>
    limitsSection({
      rows: [{ ...row, value: summary(rate), figures: [{ unit: 'calls/s', own: rate }] }],
      failures: [],
    });
  const bar = (rate: number) => Number(/width:([\d.]+)%/.exec(shown(rate))?.[1]);
  expect(bar(100)).toBeLessThan(bar(50));
  expect(bar(50)).toBeLessThan(100);
});

describe.each(RECORD_PEERS.filter(({ id }) => id !== 'callseal-records'))(
  'peer $id',
  ({ id, kind, settings, version, open }) => {
    const ENTITY = { tenant: 'acme', type: 'claimant', id: 'c-41', field: 'template' };
    const missing = version() === null;

    it('says what it is', () => {
      expect(kind).toBe('record');
      expect(settings).not.toBe('');
    });

    it.skipIf(missing)(
      `brings back what it was given${missing ? ': not installed, see bench/README.md' : ''}`,
      async () => {
        const { protect, unprotect } = await open();
        const bytes = new TextEncoder().encode('a voice model');
        const sealed = await protect(ENTITY, bytes);
        expect(Buffer.from(sealed).includes(Buffer.from(bytes))).toBe(false);
        expect(new Uint8Array(await unprotect(ENTITY, sealed))).toEqual(bytes);
        const altered = new Uint8Array(sealed);
        altered[altered.length - 1]! ^= 1;
        await expect((async () => unprotect(ENTITY, altered))()).rejects.toThrow();
        const other = (async () => unprotect({ ...ENTITY, id: 'c-42' }, sealed))();
        // The report says so: MongoDB's values belong to nobody.
        if (id === 'mongodb-client-encryption') expect(new Uint8Array(await other)).toEqual(bytes);
        else await expect(other).rejects.toThrow();
      },
    );
  },
);
