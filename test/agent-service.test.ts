/** The agent's log, and what tells a stuck engine from an idle one. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { AgentLog } from '../lib/agent/log.ts';
import { ProgressWatch, watchdogInterval } from '../lib/agent/service.ts';
import type { AgentState } from '../lib/agent/types.ts';
import { CallsealError, Recipients } from '../lib/index.ts';
import { IDLE } from './helpers/agent.ts';
import { makeKeyPair } from './helpers/keys.ts';
import { tempDir } from './helpers/temp.ts';

/** A log, and its lines. */
function logged(level: 'warn' | 'info' | 'debug'): { log: AgentLog; lines: Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = [];
  const write = (text: string): void => {
    lines.push(JSON.parse(text));
  };
  return { log: new AgentLog(level, { write }), lines };
}

const SEALED = {
  path: '/a',
  output: '/a.sealed',
  inputBytes: 5,
  outputBytes: 900,
  kind: 'configured',
  age: 1.5,
} as const;

describe('the log', () => {
  it('names file, code, system error and next attempt of a failure', () => {
    const { log, lines } = logged('info');
    const error = new CallsealError('ERR_IO', '/a\n{}: no space left (ENOSPC)', { errno: 'ENOSPC' });
    log.failed({ path: '/a\n{}', error, attempt: 2, retryIn: 4000 });
    expect(lines).toEqual([
      {
        ...{
          level: 'warn',
          event: 'failed',
          path: '/a\n{}',
          code: 'ERR_IO',
          errno: 'ENOSPC',
          attempt: 2,
          retryIn: 4000,
        },
        ...{ time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/), msg: error.message },
      },
    ]);
  });

  it('has a line for each file at debug only, and sums them up otherwise', async () => {
    const [quiet, verbose] = [logged('info'), logged('debug')];
    for (const { log } of [quiet, verbose]) {
      log.sealed({ ...SEALED, leased: true });
      log.sealed({ ...SEALED, leased: true });
      log.vanished('/b');
      await log.close();
    }
    expect(quiet.lines).toMatchObject([{ event: 'summary', sealed: 2, bytes: 10, failed: 0 }]);
    expect(verbose.lines.map(({ event }) => event)).toEqual(['sealed', 'sealed', 'vanished', 'summary']);
  });

  it('takes an expiry for a warning and every other alarm for an error', () => {
    const { log, lines } = logged('info');
    for (const key of ['expiry:CN=x', 'config']) {
      const alarm = { key, message: 'do this', since: Date.now() - 2000 };
      log.raised(alarm);
      log.cleared(alarm);
    }
    expect(lines.map(({ level, event, alarm }) => [level, event, alarm])).toEqual([
      ['warn', 'alarm', 'expiry:CN=x'],
      ['info', 'alarm-over', 'expiry:CN=x'],
      ['error', 'alarm', 'config'],
      ['info', 'alarm-over', 'config'],
    ]);
  });

  it('says for whom files are encrypted, and what the policies let pass', async () => {
    const { log, lines } = logged('info');
    const { certificate } = makeKeyPair(tempDir());
    const recipients = await Recipients.load([certificate, '/missing.crt'], { unreadable: 'skip' });
    log.supplied({ recipients, kind: 'configured' });
    log.supplied(null);
    expect(lines).toMatchObject([
      { event: 'recipients', kind: 'configured', recipients: [{ path: certificate }] },
      { level: 'warn', event: 'recipient-problem', code: 'ERR_CERTIFICATE_UNREADABLE' },
      { event: 'recipients', kind: 'none', recipients: [] },
    ]);
  });
});

describe('the watchdog', () => {
  it('is fed while the engine gets on, has nothing to do, or waits for an operator', async () => {
    let state: AgentState = IDLE;
    const progress = new ProgressWatch(() => state, 50);
    const isStuck = async (now: Partial<AgentState>) => {
      progress.happened();
      state = { ...IDLE, ...now };
      expect(progress.alive()).toBe(true);
      await pause(80);
      return !progress.alive();
    };
    expect(await isStuck({ working: 1 })).toBe(true);
    expect(await isStuck({ queueLength: 3 })).toBe(true);
    expect(await isStuck({})).toBe(false);
    expect(await isStuck({ queueLength: 3, retrying: 3 })).toBe(false);
    const alarms = [{ key: 'disk-full:/x', message: 'make room', since: 0 }];
    expect(await isStuck({ queueLength: 3, alarms })).toBe(false);
    state = { ...IDLE, working: 1 };
    progress.happened();
    expect(progress.alive()).toBe(true);
  });

  it('is that of this process', () => {
    expect(watchdogInterval({ WATCHDOG_USEC: '60000000' })).toBe(60_000);
    expect(watchdogInterval({ WATCHDOG_USEC: '60000000', WATCHDOG_PID: String(process.pid) })).toBe(60_000);
    expect(watchdogInterval({ WATCHDOG_USEC: '60000000', WATCHDOG_PID: '1' })).toBeNull();
    expect(watchdogInterval({ WATCHDOG_USEC: '0' })).toBeNull();
    expect(watchdogInterval({ WATCHDOG_USEC: 'x' })).toBeNull();
    expect(watchdogInterval({})).toBeNull();
  });
});

describe("the operator's page", () => {
  const page = readFileSync(join(import.meta.dirname, '../docs/operations.md'), 'utf8');
  const source = (name: string) => readFileSync(join(import.meta.dirname, '../lib/agent', name), 'utf8');

  it('explains every event of the log', () => {
    const events = [
      ...source('log.ts').matchAll(/event: '([a-z-]+)'/g),
      ...source('daemon.ts').matchAll(/(?:note|warn)\('([a-z-]+)'/g),
    ];
    expect(events.length).toBeGreaterThan(10);
    expect(events.map(([, event]) => event).filter((event) => !page.includes(`\`${event}\``))).toEqual([]);
  });

  it('explains every alarm', () => {
    const files = ['supply.ts', 'health.ts', 'trouble.ts', 'watches.ts', 'tree.ts'].map(source).join('\n');
    const found = files.matchAll(/(?:raise\('|key: '|alarm: '|ALARM = '|key = `|return `)([a-z-]+)['`:]/g);
    const alarms = [...new Set([...found].map(([, key]) => key!))];
    expect(alarms).toEqual(
      expect.arrayContaining([
        'config',
        'no-recipients',
        'escrow',
        'queue-age',
        'crypto',
        'watches',
        'directory',
        'expiry',
      ]),
    );
    expect(alarms.filter((key) => !new RegExp(`^\\| \`${key}[\`:]`, 'm').test(page))).toEqual([]);
  });
});
