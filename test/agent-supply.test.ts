/** The agent's recipients follow their files and the clock. */

import { copyFileSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CertificateSupply, type CertificateSupplyOptions } from '../lib/agent/supply.ts';
import { eventually, SupplyDiary } from './helpers/agent.ts';
import { codeOf } from './helpers/errors.ts';
import { certify, type KeyPair, makeKeyPair } from './helpers/keys.ts';
import { tempDir } from './helpers/temp.ts';

const made = tempDir();
let mary: KeyPair;
let fred: KeyPair;
let escrow: KeyPair;

beforeAll(() => {
  mary = makeKeyPair(made, { name: 'mary' });
  fred = makeKeyPair(made, { name: 'fred' });
  escrow = makeKeyPair(made, { name: 'escrow' });
});

const open: CertificateSupply[] = [];

afterAll(() => {
  for (const supply of open.splice(0)) supply.close();
});

type Options = Omit<CertificateSupplyOptions, 'files' | 'listener'>;

/** A configuration that lists copies of certificates, and a supply that follows it. */
async function following(certificates: readonly string[], options: Options = {}) {
  const dir = tempDir();
  const paths = certificates.map((certificate, index) => {
    const path = join(dir, `${index}.crt`);
    copyFileSync(certificate, path);
    return path;
  });
  const config = join(dir, 'client_property.conf');
  const list = (listed: readonly string[]) => writeFileSync(config, `LOGGING_ENCRYPTION_KEY = ${listed.join(',')}\n`);
  list(paths);
  const diary = new SupplyDiary();
  const supply = await CertificateSupply.open({
    ...{ files: { config }, settle: 30, poll: 60_000, listener: diary },
    ...options,
  });
  open.push(supply);
  return { dir, config, paths, list, supply, diary };
}

function names(supply: CertificateSupply): string[] {
  return (supply.current()?.recipients.list ?? []).map(({ certificate }) => /CN=(\w+)/.exec(certificate!.subject)![1]!);
}

/** A certificate of Mary's key that is valid from a time to another, in seconds from now. */
function dated(from: number, to: number, file: string): string {
  const text = (seconds: number) =>
    new Date(Date.now() + seconds * 1000).toISOString().replace(/\.\d+/, '').replace(/[-:T]/g, '');
  return certify(made, mary.privateKey, { from: text(from), to: text(to), name: 'dated', file });
}

describe('files that change', () => {
  it('takes another list of certificates, and tells who listens', async () => {
    const { supply, list, paths, diary } = await following([mary.certificate, fred.certificate]);
    let changes = 0;
    supply.onChange(() => changes++);
    const first = supply.current();
    expect(names(supply)).toEqual(['mary', 'fred']);
    list([paths[1]!]);
    await eventually(() => names(supply).length === 1);
    expect(names(supply)).toEqual(['fred']);
    expect(supply.current()).not.toBe(first);
    expect(changes).toBe(1);
    expect(diary.entries).toEqual(['supplied configured', 'supplied configured']);
  });

  it('takes a certificate that was renamed into its place', async () => {
    const { supply, paths, dir } = await following([mary.certificate]);
    copyFileSync(fred.certificate, join(dir, 'new'));
    renameSync(join(dir, 'new'), paths[0]!);
    await eventually(() => names(supply)[0] === 'fred');
  });

  it('finds by looking what no event told: a directory behind links that are turned', async () => {
    const dir = tempDir();
    for (const [name, { certificate }] of [['1', mary] as const, ['2', fred] as const]) {
      mkdirSync(join(dir, name));
      copyFileSync(certificate, join(dir, name, 'file.crt'));
    }
    symlinkSync('1', join(dir, 'now'));
    mkdirSync(join(dir, 'named'));
    symlinkSync(join(dir, 'now', 'file.crt'), join(dir, 'named', 'file.crt'));
    const files = { certificates: [join(dir, 'named', 'file.crt')] };
    const supply = await CertificateSupply.open({ files, settle: 10, poll: 50 });
    open.push(supply);
    symlinkSync('2', join(dir, 'next'));
    renameSync(join(dir, 'next'), join(dir, 'now'));
    await eventually(() => names(supply)[0] === 'fred');
  });

  it('does not call a change what is none', async () => {
    const { supply, config, diary } = await following([mary.certificate]);
    const first = supply.current();
    writeFileSync(config, `# the same\n${readFileSync(config, 'utf8')}`);
    expect(await supply.reload()).toBeNull();
    expect(supply.current()).toBe(first);
    expect(diary.entries).toEqual(['supplied configured']);
  });
});

describe('a broken new configuration', () => {
  it('leaves the last good one in use, raises an alarm once, and clears it when it is good again', async () => {
    const { supply, config, list, paths, diary } = await following([mary.certificate]);
    const first = supply.current();
    writeFileSync(config, 'LOGGING_ENCRYPTION_KEY = relative.crt\n');
    await eventually(() => diary.entries.includes('raised config'));
    expect(supply.current()).toBe(first);
    expect(supply.alarms[0]!.message).toContain(`${config}:1`);
    expect(supply.alarms[0]!.message).toContain('What was read before goes on being used');
    expect((await supply.reload())?.code).toBe('ERR_CONFIG');
    list(paths);
    await eventually(() => diary.entries.includes('cleared config'));
    expect(diary.entries).toEqual(['supplied configured', 'raised config', 'cleared config']);
    expect(diary.refusals).toHaveLength(1);
  });

  it('is one, too, when a certificate is gone, half written, or expired already', async () => {
    const { supply, paths, diary } = await following([mary.certificate, fred.certificate]);
    rmSync(paths[0]!);
    await eventually(() => diary.refusals.length === 1);
    writeFileSync(paths[0]!, readFileSync(mary.certificate, 'utf8').slice(0, 400));
    await eventually(() => diary.refusals.length === 2);
    copyFileSync(dated(-7200, -3600, 'stale.crt'), paths[0]!);
    await eventually(() => diary.refusals.length === 3);
    expect(diary.refusals.map(({ code }) => code)).toEqual([
      'ERR_CERTIFICATE_UNREADABLE',
      'ERR_CERTIFICATE_UNREADABLE',
      'ERR_CERTIFICATE_EXPIRED',
    ]);
    expect(names(supply)).toEqual(['mary', 'fred']);
    expect(supply.alarms.map(({ key }) => key)).toEqual(['config']);
  });

  it('keeps an agent from starting', async () => {
    const dir = tempDir();
    const config = join(dir, 'client_property.conf');
    const files = { config };
    expect(await codeOf(() => CertificateSupply.open({ files }))).toBe('ERR_CONFIG');
    writeFileSync(config, `LOGGING_ENCRYPTION_KEY = ${join(dir, 'missing.crt')}\n`);
    expect(await codeOf(() => CertificateSupply.open({ files }))).toBe('ERR_CERTIFICATE_UNREADABLE');
    const certificates = [dated(-7200, -3600, 'old.crt')];
    expect(await codeOf(() => CertificateSupply.open({ files: { certificates } }))).toBe('ERR_CERTIFICATE_EXPIRED');
    const good = { certificates: [mary.certificate] };
    const broken = { files: good, escrow: join(dir, 'missing.crt') };
    expect(await codeOf(() => CertificateSupply.open(broken))).toBe('ERR_CERTIFICATE_UNREADABLE');
  });
});

describe.concurrent('a certificate that expires while the agent runs', () => {
  it('leaves nobody: files wait, until a renewed one is there', async () => {
    const { supply, paths, diary } = await following([dated(-60, 4, 'a.crt')]);
    expect(supply.current()?.kind).toBe('configured');
    await eventually(() => diary.entries.includes('supplied nobody'));
    expect(supply.current()).toBeNull();
    expect(supply.alarms.map(({ key }) => key)).toContain('no-recipients');
    expect(supply.alarms.map(({ key }) => key)).not.toContain('config');
    copyFileSync(mary.certificate, paths[0]!);
    await eventually(() => supply.current() !== null);
    expect(supply.alarms).toEqual([]);
  });

  it('is answered for by the escrow certificate, where there is one', async () => {
    const certificates = [dated(-60, 4, 'b.crt')];
    const { supply, diary } = await following(certificates, { escrow: escrow.certificate });
    await eventually(() => diary.entries.includes('supplied escrow'));
    expect(names(supply)).toEqual(['escrow']);
    expect(supply.alarms.map(({ key }) => key)).toContain('escrow');
    expect((await supply.reload())?.code).toBe('ERR_CERTIFICATE_EXPIRED');
    expect(supply.current()?.kind).toBe('escrow');
    expect(supply.alarms.map(({ key }) => key)).not.toContain('config');
  });

  it('is left out or used on, as the policy says', async () => {
    const short = dated(-60, 4, 'c.crt');
    const skipping = await following([short, fred.certificate], { policy: { expired: 'skip' } });
    const warning = await following([short, fred.certificate], { policy: { expired: 'warn' } });
    const strict = await following([short, fred.certificate], { policy: { expired: 'skip', minimum: 2 } });
    await eventually(() => names(skipping.supply).length === 1);
    expect(names(skipping.supply)).toEqual(['fred']);
    expect(names(warning.supply)).toEqual(['dated', 'fred']);
    expect(strict.supply.current()).toBeNull();
    for (const { supply } of [skipping, warning, strict]) {
      const alarm = supply.alarms.find(({ key }) => key.startsWith('expiry:'));
      expect(alarm?.message).toMatch(/CN=dated.* expired less than a day ago/);
      expect(supply.expiries.find(({ subject }) => subject.includes('CN=dated'))!.days).toBeLessThan(0);
    }
  });

  it('begins to be used when it becomes valid', async () => {
    const later = dated(4, 86_400, 'd.crt');
    const { supply } = await following([later, fred.certificate], { policy: { notYetValid: 'skip' } });
    expect(names(supply)).toEqual(['fred']);
    await eventually(() => names(supply).length === 2);
    expect(names(supply)).toEqual(['dated', 'fred']);
  });
});

describe('at the start', () => {
  it('takes the escrow certificate when no recipient is valid', async () => {
    const certificates = [dated(-7200, -3600, 'gone.crt')];
    const files = { certificates };
    const supply = await CertificateSupply.open({ files, escrow: escrow.certificate, settle: 30 });
    open.push(supply);
    expect(supply.current()?.kind).toBe('escrow');
    expect(names(supply)).toEqual(['escrow']);
    copyFileSync(mary.certificate, certificates[0]!);
    await eventually(() => supply.current()?.kind === 'configured');
    expect(supply.alarms).toEqual([]);
  });

  it('warns of certificates that expire within the days named', async () => {
    const soon = dated(-60, 20 * 86_400, 'soon.crt');
    const { supply } = await following([soon, fred.certificate], { warnDays: 30 });
    expect(supply.alarms.map(({ key }) => key)).toEqual([expect.stringMatching(/^expiry:.*CN=dated/)]);
    expect(supply.alarms[0]!.message).toMatch(/expires in 19 days, on \d{4}-\d\d-\d\d; renew it/);
    const { supply: calm } = await following([soon, fred.certificate], { warnDays: 10 });
    expect(calm.alarms).toEqual([]);
    expect(calm.expiries.map(({ days }) => Math.round(days))).toEqual([20, 365]);
  });
});
