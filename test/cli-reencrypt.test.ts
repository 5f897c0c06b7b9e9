/** `callseal reencrypt` on real tables: interrupted, raced, damaged, and begun again. */

import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { KeyHierarchy } from '../lib/keys/hierarchy.ts';
import { openInstallation } from '../lib/keys/installation/open.ts';
import type { Installation } from '../lib/keys/installation/types.ts';
import { Passphrase } from '../lib/native/passphrase.ts';
import { APP_KINDS, type AppDatabase } from './helpers/app-tables.ts';
import { onTerminal, start } from './helpers/cli.ts';
import { makeSite, PASSPHRASE, type Site, withKey } from './helpers/keys-cli.ts';

const ROWS = 300;
const AREA = 'models';

interface Report {
  continuedFrom: string | null;
  counts: Record<string, number>;
  failures: { key: string; code: string }[];
  keys: { version: number; state: string; records: number }[] | null;
}

describe.each(APP_KINDS)('reencrypt in $name', (kind) => {
  let site: Site;
  let app: AppDatabase;
  let keys: KeyHierarchy;
  let installation: Installation;

  beforeAll(() => kind.prepare());

  beforeEach(async () => {
    site = await makeSite();
    app = await kind.create();
    await app.run(`CREATE TABLE voice_models (id BIGINT PRIMARY KEY, claimant_id TEXT, template ${kind.bytes})`);
    const passphrase = Passphrase.fromBytes(new TextEncoder().encode(PASSPHRASE));
    installation = await openInstallation({ folder: join(site.cwd, 'installation'), passphrase });
    passphrase.destroy();
    const [store, stateDirectory] = [String(site.env.CALLSEAL_STORE), String(site.env.CALLSEAL_STATE_DIR)];
    keys = await KeyHierarchy.open({ store, installation, stateDirectory });
    return async () => {
      await keys.close();
      installation.destroy();
      await app.close();
    };
  });

  const entity = (id: number) => ({ type: 'claimant', id: `c-${id}`, field: 'template' });
  const plain = (id: number, version = 1) => Buffer.from(`template ${version} of ${id}`);
  const seal = (id: number, version = 1) => keys.protect(AREA, entity(id), plain(id, version));

  async function fill(rows = ROWS): Promise<void> {
    await app.run('BEGIN');
    for (let id = 0; id < rows; id += 1) {
      await app.run('INSERT INTO voice_models VALUES (?, ?, ?)', [id, `c-${id}`, await seal(id)]);
    }
    await app.run('COMMIT');
  }

  async function records(): Promise<Map<number, Buffer>> {
    const rows = await app.run('SELECT id, template FROM voice_models ORDER BY id');
    return new Map(rows.map((row) => [Number(row.id), row.template as Buffer]));
  }

  const command = (...more: string[]): string[] => [
    ...['reencrypt', '--db', app.url, '--table', 'voice_models', '--key', 'id', '--column', 'template'],
    ...['--area', AREA, '--entity', 'type=claimant,id=claimant_id,field=template', ...more],
  ];

  const versionsIn = (report: Report): [number, number][] => report.keys!.map((key) => [key.version, key.records]);

  it('moves every row, says so, and lets the old keys go', async () => {
    await fill();
    const [old] = await keys.masters.list();
    await site.ok('master rotate');
    const run = await site.run(withKey(command()));
    expect(run.status, run.stderr).toBe(0);
    expect(run.stdout.toString()).toMatch(/^re-encrypted +300$/m);
    expect(run.stdout.toString()).toMatch(/^2 +active +[0-9a-f]{32} +[0-9a-f]{8}… +300$/m);
    expect(run.stderr).toBe(
      'callseal: reencrypt: 300 records re-encrypted; nothing is left on older keys of area models\n',
    );
    for (const [id, record] of await records()) {
      expect(Buffer.from(await keys.unprotect(AREA, entity(id), record))).toEqual(plain(id));
    }
    await site.ok('working remove models 1 --yes');
    await site.ok(`master remove ${old!.id} --yes`);
    const again = await site.json<Report>(command());
    expect(again.counts).toMatchObject({ reencrypted: 0, current: ROWS });
  });

  it('goes on after kill -9, and nothing is lost', async () => {
    await fill();
    await keys.working.rotate(AREA);
    let reencrypted = 0;
    for (let attempt = 0; attempt < 3; attempt += 1) {
      const child = start(withKey(command('--rate', '100', '--batch', '10')), site);
      child.stdout.resume();
      child.stderr.resume();
      const closed = once(child, 'close');
      const before = reencrypted;
      while (reencrypted <= before && child.exitCode === null) {
        await pause(50);
        const current = await Promise.all([...(await records()).values()].map((record) => keys.isCurrent(record)));
        reencrypted = current.filter((is) => is).length;
      }
      child.kill('SIGKILL');
      expect(await closed).toEqual([null, 'SIGKILL']);
      for (const [id, record] of await records()) {
        expect(Buffer.from(await keys.unprotect(AREA, entity(id), record))).toEqual(plain(id));
      }
    }
    expect(reencrypted).toBeLessThan(ROWS);
    const report = await site.json<Report>(command());
    expect(report.counts).toMatchObject({ failed: 0, changed: 0, gone: 0 });
    expect(report.counts.reencrypted! + report.counts.current!).toBeGreaterThanOrEqual(ROWS);
    expect(versionsIn(report)).toEqual([[2, ROWS]]);
    expect((await records()).size).toBe(ROWS);
  });

  it('continues what was begun, unless told not to', async () => {
    await fill(60);
    await site.ok('working rotate models');
    const child = start(withKey(command('--rate', '20', '--batch', '5')), site);
    child.stderr.resume();
    child.stdout.resume();
    // Its place is noted every second.
    while ((await keys.reencryptions.list()).every((job) => job.cursor === null)) await pause(100);
    child.kill('SIGINT');
    const [status] = await once(child, 'close');
    expect(status).toBe(130);
    const continued = await site.json<Report>(command());
    expect(continued.continuedFrom).not.toBeNull();
    expect(continued.counts).toMatchObject({ reencrypted: 60, current: 0 });
    expect((await site.json<Report>(command())).continuedFrom).toBeNull();
  });

  it('never writes over what the service writes meanwhile', async () => {
    await fill();
    await keys.working.rotate(AREA);
    const job = site.json<Report>(command('--rate', '300', '--batch', '20'));
    let over = false;
    void job.finally(() => {
      over = true;
    });
    const changed = new Map<number, number>();
    for (let turn = 0; !over; turn += 1) {
      const id = (turn * 7) % (ROWS - 20);
      await app.run('UPDATE voice_models SET template = ? WHERE id = ?', [await seal(id, turn + 2), id]);
      changed.set(id, turn + 2);
      if (turn < 20) await app.run('DELETE FROM voice_models WHERE id = ?', [ROWS - 20 + turn]);
      if (turn < 20) {
        const id = ROWS + turn;
        await app.run('INSERT INTO voice_models VALUES (?, ?, ?)', [id, `c-${id}`, await seal(id)]);
      }
      await pause(2);
    }
    const report = await job;
    expect(report.counts.failed).toBe(0);
    const now = await records();
    expect(now.size).toBe(ROWS);
    for (const [id, record] of now) {
      expect(Buffer.from(await keys.unprotect(AREA, entity(id), record))).toEqual(plain(id, changed.get(id)));
      expect(await keys.isCurrent(record)).toBe(true);
    }
  });

  it('names the rows that cannot be opened, leaves them alone, and ends with 20', async () => {
    await fill(30);
    const all = await records();
    const tampered = Buffer.from(all.get(3)!);
    tampered[70]! ^= 1;
    await app.run('UPDATE voice_models SET template = ? WHERE id = 3', [tampered]);
    await app.run('UPDATE voice_models SET template = ? WHERE id = 4', [all.get(5)!]);
    await app.run('UPDATE voice_models SET template = ? WHERE id = 6', [Buffer.from('plain')]);
    await app.run('UPDATE voice_models SET template = NULL WHERE id = 7', []);
    await keys.working.rotate(AREA);
    const run = await site.run(withKey(command('--json')));
    expect(run.status).toBe(20);
    expect(run.stderr).toContain('callseal: reencrypt: row 3: ');
    expect(run.stderr).toContain('2 records left on older keys of area models: see the failures above');
    const report = JSON.parse(run.stdout.toString()) as Report;
    expect(report.counts).toMatchObject({ reencrypted: 26, failed: 3, empty: 1 });
    expect(report.failures.map(({ key, code }) => [key, code])).toEqual([
      ['3', 'ERR_TAMPERED'],
      ['4', 'ERR_ENTITY_MISMATCH'],
      ['6', 'ERR_NOT_CALLSEAL'],
    ]);
    expect((await records()).get(3)).toEqual(tampered);
    const refused = await site.run(withKey('working remove models 1 --yes'));
    expect(refused.status).toBe(15);
  });

  it('changes nothing in a dry run, and finds what would fail', async () => {
    await fill(30);
    const tampered = Buffer.from((await records()).get(3)!);
    tampered[70]! ^= 1;
    await app.run('UPDATE voice_models SET template = ? WHERE id = 3', [tampered]);
    await keys.masters.rotate();
    const [before, audit] = [await records(), await site.ok('audit list')];
    const run = await site.run(withKey(command('--dry-run')));
    expect([run.status, run.stderr]).toEqual([
      20,
      expect.stringContaining('29 records would be re-encrypted, 1 failed'),
    ]);
    expect(await records()).toEqual(before);
    expect(await site.ok('audit list')).toBe(audit);
    expect(await keys.working.list()).toHaveLength(1);
  });

  it('shows on a terminal how far it has come, and how long it will take', async () => {
    await fill(60);
    await keys.working.rotate(AREA);
    const run = await onTerminal(withKey(command('--rate', '30')), site);
    expect(run.status, run.screen).toBe(0);
    expect(run.screen).toMatch(/re-encrypting: \d+ of 60 rows, about \d s left/);
  });

  it('keeps to its rate', async () => {
    await fill(50);
    await keys.working.rotate(AREA);
    const began = performance.now();
    await site.ok(command('--rate', '50', '--dry-run'));
    // 50 rows begin over 49 intervals of 20 ms.
    expect(performance.now() - began).toBeGreaterThan(900);
  });
});

describe('reencrypt', () => {
  const LAYOUT = ['--table', 't', '--key', 'id', '--column', 'c', '--area', 'a'];

  it.each([
    [['--db', 'sqlite:x.db', ...LAYOUT], /required option '--entity <list>' not specified/],
    [['--db', 'sqlite:x.db', ...LAYOUT, '--entity', 'id=a'], /--entity: type is missing/],
    [
      ['--db', 'sqlite:x.db', ...LAYOUT, '--entity', 'type=a,id=b', '--rate', '0'],
      /--rate takes a whole number from 1/,
    ],
    [['--db', 'sqlite:x.db', ...LAYOUT, '--entity', 'type=a,id=b', '--batch', '1e9'], /--batch takes a whole number/],
    [['--db', 'sqlite:x.db', ...LAYOUT, '--entity', 'type=a,id=b,tenant=c', '--tenant', 'd'], /tenant is given in/],
    [['--db', 'sqlite:x.db', ...LAYOUT.with(5, 'a.b'), '--entity', 'type=a,id=b'], /--column names one column/],
    [['--db', 'sqlite:x.db', ...LAYOUT.with(1, 'a;b'), '--entity', 'type=a,id=b'], /--table: "a;b" is not understood/],
    [['--db', 'ftp://secret@x', ...LAYOUT, '--entity', 'type=a,id=b'], /this is neither/],
  ])('%j is wrong usage', async (options, message) => {
    const site = await makeSite();
    const run = await site.run(withKey(['reencrypt', ...options]));
    expect([run.status, run.stderr]).toEqual([2, expect.stringMatching(message)]);
    expect(run.stderr).not.toContain('secret');
  });
});
