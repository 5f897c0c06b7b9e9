/** `callseal bench` on this machine, for a second: what it says is consistent, and nothing of it stays. */

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  cpuOfChannels,
  REFERENCE_CHANNELS,
  SECONDS_PER_FILE,
  sustainableChannels,
} from '../lib/bench/host/channels.ts';
import { type HostMeasurement, measureHost } from '../lib/bench/host/measure.ts';
import { hostPage } from '../lib/bench/host/page.ts';
import { inRounds, perSecond } from '../lib/bench/host/rounds.ts';
import { channelRows, workRows } from '../lib/bench/host/rows.ts';
import { encryptAtRate } from '../lib/bench/loads.ts';
import { Recipients } from '../lib/recipients/recipients.ts';
import { status } from '../lib/status.ts';
import { callseal, finish, onTerminal, type Run, start } from './helpers/cli.ts';
import { makeKeyPair } from './helpers/keys.ts';
import { tempDir } from './helpers/temp.ts';

const QUICK = ['bench', '--seconds', '1'];

/** Every number in a document, with the way to it. */
function numbersOf(value: unknown, path = ''): [path: string, value: number][] {
  if (typeof value === 'number') return [[path, value]];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, each]) => numbersOf(each, `${path}.${key}`));
}

describe('as JSON and as a page', () => {
  let dir: string;
  let run: Run;
  let measured: HostMeasurement & { channels: Record<string, never> };
  let page: string;

  beforeAll(async () => {
    dir = tempDir();
    const html = join(tempDir(), 'host.html');
    run = await callseal([...QUICK, '--dir', dir, '--json', '--html', html, '--cpu-share', '25']);
    expect(run.status, run.stderr).toBe(0);
    measured = JSON.parse(run.stdout.toString());
    page = readFileSync(html, 'utf8');
  });

  it('leaves nothing where it worked', () => {
    expect(readdirSync(dir)).toEqual([]);
  });

  it('says nothing but where the page is', () => {
    expect(run.stderr).toMatch(/^callseal: bench: .*host\.html: the page\n$/);
  });

  it('has figures above zero everywhere', () => {
    // A timer, or a schedule, may well be met exactly; memory may have been at its peak before.
    const mayBeZero = /^\.eventLoopDelay\.|lateSeconds$/;
    const numbers = numbersOf(measured);
    expect(numbers.length).toBeGreaterThan(50);
    for (const [path, value] of numbers) {
      if (mayBeZero.test(path)) expect(value, path).toBeGreaterThanOrEqual(0);
      else expect(value, path).toBeGreaterThan(0);
    }
    for (const [path] of numbers.filter(([each]) => each.endsWith('.median'))) {
      const summary = path
        .split('.')
        .slice(1, -1)
        .reduce<unknown>((value, key) => (value as Record<string, unknown>)[key], measured) as {
        min?: number;
        median: number;
        max: number;
      };
      expect(summary.median, path).toBeLessThanOrEqual(summary.max);
      if (summary.min !== undefined) expect(summary.min, path).toBeLessThanOrEqual(summary.median);
    }
  });

  it('names the module, as status does', () => {
    const { mode, provider, validation } = status();
    expect(measured.machine.module).toEqual({
      name: provider.name,
      version: provider.version,
      fips: mode,
      validated: validation.status === 'active',
      validation: validation.sentence,
    });
    expect(measured.directory).toBe(dir);
  });

  it('derives the channels from what was measured', () => {
    const { steadySynced, synced } = measured.callFiles;
    const rates = {
      filesPerSecond: synced.filesPerSecond.median,
      cpuSecondsPerFile: steadySynced.cpuSecondsPerFile,
    };
    expect(measured.channels).toMatchObject({
      assumption: { fileBytes: 65_536, secondsPerFile: 15, recipients: 2, rsaBits: 2048 },
      cpuShare: 0.25,
      synced: sustainableChannels(rates, 0.25),
      reference: { channels: 5000, cpuShareSynced: cpuOfChannels(rates, 5000) },
    });
  });

  it('writes a page that needs nothing from outside', () => {
    expect(page).toMatch(/^<!doctype html>\n/);
    expect(page).not.toMatch(/<script|<link|<img|@import|url\(|\b(src|href)=|https?:/i);
    for (const tag of ['section', 'table', 'div', 'tr', 'td']) {
      expect(page.split(`<${tag}`).length, tag).toBe(page.split(`</${tag}>`).length);
    }
  });

  it('shows the same on the page as in the text', () => {
    for (const { work, own, limit } of workRows(measured)) {
      for (const text of [work, own, limit]) expect(page).toContain(text);
    }
    for (const { synced, unsynced } of channelRows(measured, 0.25)) {
      for (const text of [synced, unsynced]) expect(page).toContain(text);
    }
    expect(page).toContain('With 25 % of one core');
    expect(page).toContain(measured.machine.module.validation);
  });

  it('escapes what others chose', () => {
    const hostile = { ...measured, directory: '/tmp/<script>alert(1)</script>' };
    expect(hostPage(hostile, 0.08)).not.toContain('<script');
  });
});

describe('as text', () => {
  it('is a table for people, with the assumption behind the channels', async () => {
    const dir = tempDir();
    const run = await callseal([...QUICK, '--dir', dir]);
    expect([run.status, run.stderr]).toEqual([0, '']);
    const text = run.stdout.toString();
    expect(text).toMatch(/^call files of 64 KiB, synced +[\d,.]+ files\/s/m);
    expect(text).toMatch(/^channels with 8 % of one core +[\d,]+/m);
    expect(text).toContain('one call file of 64 KiB every 15 seconds: 5,000 channels are 333 files/s');
    expect(text).toMatch(/^module +.*FIPS required/m);
    expect(text).toContain(`in ${dir}, `);
    expect(text).toMatch(/^thread pool +\d+ threads/m);
    expect(readdirSync(dir)).toEqual([]);
  });

  it('says that FIPS is off, and what the pool has', async () => {
    const env = { CALLSEAL_FIPS: 'off', UV_THREADPOOL_SIZE: '2' };
    const run = await callseal([...QUICK, '--dir', tempDir()], { env });
    expect(run.status).toBe(0);
    expect(run.stderr).toContain('CALLSEAL_FIPS=off');
    expect(run.stdout.toString()).toMatch(/^module +.*FIPS OFF/m);
    expect(run.stdout.toString()).toMatch(/^thread pool +2 threads/m);
  });

  it('shows what is being measured on a terminal, and takes it away', async () => {
    const { status: code, screen } = await onTerminal([...QUICK, '--dir', tempDir()]);
    expect(code).toBe(0);
    expect(screen).toContain('measuring: call files, synced');
    const clear = `\r${String.fromCharCode(27)}[K`;
    expect(screen).toContain(`measuring: copying in memory${clear}`);
  });
});

describe('channels', () => {
  const rates = { filesPerSecond: 1000, cpuSecondsPerFile: 0.0002 };

  it('are as many as the CPU share allows', () => {
    expect(sustainableChannels(rates, 0.08)).toEqual({ channels: 400 * SECONDS_PER_FILE, limitedBy: 'cpu' });
  });

  it('are never more than the host can write', () => {
    expect(sustainableChannels(rates, 4)).toEqual({ channels: 1000 * SECONDS_PER_FILE, limitedBy: 'files' });
  });

  it('take CPU in proportion', () => {
    expect(cpuOfChannels(rates, REFERENCE_CHANNELS)).toBeCloseTo(0.0667, 4);
  });
});

describe('interrupted', () => {
  it('it says so as everything in the library does', async () => {
    const signal = AbortSignal.abort(new Error('enough'));
    const directory = tempDir();
    const failure = { code: 'ERR_ABORTED', cause: signal.reason };
    await expect(measureHost({ directory, seconds: 1, signal })).rejects.toMatchObject(failure);
    const pace = { seconds: 1, signal };
    await expect(inRounds(pace, () => undefined)).rejects.toMatchObject(failure);
    await expect(perSecond(pace, 1, async () => undefined)).rejects.toMatchObject(failure);
    const recipients = await Recipients.load([makeKeyPair(tempDir(), { name: 'mary' }).certificate]);
    const load = { sync: false, filesPerSecond: 1, signal };
    await expect(encryptAtRate([], recipients, load)).rejects.toMatchObject(failure);
    expect(readdirSync(directory)).toEqual([]);
  });

  /** Waits until it is at work. */
  async function working(dir: string) {
    const child = start(['bench', '--seconds', '30', '--dir', dir]);
    const ending = finish(child);
    const busy = (): boolean => readdirSync(dir, { recursive: true }).some((name) => /fresh-\d+\/./.test(String(name)));
    while (!busy()) {
      if (child.exitCode !== null) throw new Error((await ending).stderr);
      await pause(5);
    }
    return { child, ending };
  }

  it.each([
    ['SIGINT', 130, 'interrupted'],
    ['SIGTERM', 143, 'terminated'],
    ['SIGHUP', 129, 'hung up'],
  ] as const)('by %s it ends with %i and leaves nothing', async (signal, code, word) => {
    const dir = tempDir();
    const { child, ending } = await working(dir);
    child.kill(signal);
    const run = await ending;
    expect([run.status, run.stdout.toString(), run.stderr]).toEqual([code, '', `callseal: bench: ${word}\n`]);
    expect(readdirSync(dir)).toEqual([]);
  });

  it('twice it still leaves nothing', async () => {
    const dir = tempDir();
    const { child, ending } = await working(dir);
    child.kill('SIGINT');
    child.kill('SIGTERM');
    // The second ends it by a signal; unless the first was quicker.
    expect([null, 130, 143]).toContain((await ending).status);
    expect(readdirSync(dir)).toEqual([]);
  });
});

describe('wrong usage', () => {
  it.each([
    [['--seconds', '0'], '--seconds takes a number from 1 to 3600'],
    [['--seconds', 'soon'], '--seconds takes a number from 1 to 3600'],
    [['--seconds', ''], '--seconds takes a number from 1 to 3600'],
    [['--cpu-share', '-1'], '--cpu-share takes a number from 0.1'],
  ])('%j is refused', async (args, message) => {
    const run = await callseal(['bench', ...args]);
    expect([run.status, run.stderr]).toEqual([2, expect.stringContaining(message)]);
  });

  it('a page that exists stays as it is, and is replaced with --force', async () => {
    const cwd = tempDir();
    writeFileSync(join(cwd, 'host.html'), 'mine');
    const refused = await callseal([...QUICK, '--html', 'host.html'], { cwd });
    expect([refused.status, refused.stdout.toString()]).toEqual([13, '']);
    expect(refused.stderr).toContain('host.html exists already');
    expect(refused.stderr).toContain('hint: --force replaces what exists');
    expect(readFileSync(join(cwd, 'host.html'), 'utf8')).toBe('mine');
    const forced = await callseal([...QUICK, '--html', 'host.html', '--force', '--quiet', '--dir', cwd], { cwd });
    expect([forced.status, forced.stderr]).toEqual([0, '']);
    expect(readFileSync(join(cwd, 'host.html'), 'utf8')).toMatch(/^<!doctype html>/);
    expect(readdirSync(cwd)).toEqual(['host.html']);
  });

  it.each([
    ['--dir', '/no/such/directory'],
    ['--html', '/no/such/directory/host.html'],
  ])('%s %s is said before anything is measured', async (option, path) => {
    const run = await callseal([...QUICK, option, path]);
    expect([run.status, run.stdout.toString()]).toEqual([13, '']);
    expect(run.stderr).toContain('/no/such/directory');
    expect(run.stderr).toContain('ENOENT');
  });
});
