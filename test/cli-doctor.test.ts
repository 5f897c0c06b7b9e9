/** `callseal doctor` as a command: what it prints, how it ends, and what it says when little works. */

import { chmodSync, cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CHECKS } from '../lib/doctor/doctor.ts';
import { CALLSEAL, callseal, type Run, shell } from './helpers/cli.ts';
import { makeKeyPair } from './helpers/keys.ts';
import { ADDON } from './helpers/native-child.ts';
import { plainRequireOfAddon } from './helpers/poison.ts';
import { tempDir } from './helpers/temp.ts';

interface Report {
  format: number;
  callseal: string;
  time: string;
  severity: string;
  exitCode: number;
  checks: { check: string; severity: string; findings: Record<string, unknown>[] }[];
}

/** Nobody's home: what this machine has is left out of it. */
const empty = tempDir();
const env = { HOME: empty, CALLSEAL_STATE_DIR: join(empty, 'state'), CALLSEAL_INSTALLATION: join(empty, 'none') };
const CALM = 'ulimit -c 0 2>/dev/null;';

function reportOf({ status, stdout }: Run): Report {
  const report = JSON.parse(stdout.toString()) as Report;
  expect(status).toBe(report.exitCode);
  return report;
}

const rulesOf = (report: Report, name: string): string[] =>
  report.checks
    .find(({ check }) => check === name)!
    .findings.map(({ severity, rule }) => `${String(severity)} ${String(rule)}`);

describe('callseal doctor', () => {
  it('ends with 0 where nothing is wrong, and lists every check', async () => {
    const run = await shell(`${CALM} callseal doctor --json`, { env });
    const report = reportOf(run);
    expect([run.stderr, report.exitCode, report.format]).toEqual(['', 0, 1]);
    expect(report.checks.map(({ check }) => check)).toEqual(CHECKS.map(({ name }) => name));
    for (const { findings } of report.checks) {
      expect(findings.length).toBeGreaterThan(0);
      for (const finding of findings) {
        expect(Object.keys(finding)).toEqual(['severity', 'rule', 'message', 'where', 'remedy']);
      }
    }
    expect(rulesOf(report, 'binary')).toEqual(['ok found', 'ok isolated']);
    expect(rulesOf(report, 'fips')[0]).toBe('ok at-work');
  });

  it('ends with 23 for warnings and with 24 for errors, and says what to do on the line below', async () => {
    const dir = tempDir();
    const { privateKey } = makeKeyPair(dir);
    const off = await shell(`${CALM} callseal doctor --quiet`, { env: { ...env, CALLSEAL_FIPS: 'off' } });
    expect(off.status).toBe(23);
    expect(off.stdout.toString()).toMatch(/^warning +fips +CALLSEAL_FIPS: FIPS is off.*\n +→ unset CALLSEAL_FIPS\n/);
    chmodSync(privateKey, 0o644);
    const loose = await shell(`${CALM} callseal doctor -q -k '${privateKey}'`, { env });
    expect(loose.status).toBe(24);
    expect(loose.stdout.toString()).toContain(`→ chmod 600 ${privateKey}\n10 checks: 1 error, 0 warnings,`);
  });

  it('finds a FIPS module that is none, and does not examine what needs one', async () => {
    const broken = tempDir();
    writeFileSync(join(broken, 'fips.so'), 'no module', { mode: 0o644 });
    const report = reportOf(await callseal(['doctor', '--json'], { env: { ...env, CALLSEAL_FIPS_DIR: broken } }));
    expect(report.exitCode).toBe(24);
    expect(rulesOf(report, 'fips')).toEqual(['error unavailable']);
    expect(rulesOf(report, 'configuration')).toEqual(['note not-examined']);
    expect(report.checks.find(({ check }) => check === 'fips')?.findings[0]?.remedy).toBe('callseal fips install');
  });

  it('finds a module that is not isolated', async () => {
    const poisoned = { ...env, NODE_OPTIONS: `--require=${plainRequireOfAddon()}` };
    const report = reportOf(await callseal(['doctor', '--json'], { env: poisoned }));
    expect(rulesOf(report, 'binary')).toEqual(['ok found', 'error not-isolated']);
  });

  it('finds that the native module is missing or broken', async () => {
    const copy = tempDir();
    const root = join(CALLSEAL, '../..');
    for (const name of ['bin', 'dist', 'package.json']) cpSync(join(root, name), join(copy, name), { recursive: true });
    symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
    const doctor = async (): Promise<Report> =>
      reportOf(
        await shell(`'${process.execPath}' '${join(copy, 'bin/callseal')}' doctor --json`, {
          env: { ...env, CALLSEAL_PREBUILD: '' },
        }),
      );
    const missing = await doctor();
    expect(rulesOf(missing, 'binary')).toEqual(['error missing']);
    expect(missing.checks[1]!.findings[0]!.remedy).toBe(`cd ${copy} && npm run compile`);
    mkdirSync(join(copy, 'build/Release'), { recursive: true });
    cpSync(ADDON, join(copy, 'build/Release/callseal.node'));
    writeFileSync(join(copy, 'build/Release/callseal.node'), 'no library');
    const report = await doctor();
    expect(rulesOf(report, 'binary')).toEqual(['ok found', 'error not-loadable']);
    expect(rulesOf(report, 'store')).toEqual(['note not-examined']);
  });

  it.runIf(process.getuid?.() === 0)('finds what another user may not write (made by root only)', async () => {
    const run = await callseal(['doctor', '--json', '--watch', empty], { env: { ...env, HOME: '/' }, uid: 65_534 });
    expect(rulesOf(reportOf(run), 'permissions')).toEqual(['error not-writable']);
  });

  it('finds limits that are too low', async () => {
    const limited = await shell('ulimit -n 500; callseal doctor --json', { env });
    expect(rulesOf(reportOf(limited), 'limits')[0]).toBe('warning open-files');
  });

  it.each([
    [['--agent', 'localhost'], '--agent takes a URL such as http://127.0.0.1:9465'],
    [['--agent', 'http://user:hunter2@127.0.0.1:9465'], 'without name and password'],
    [['--warn-days', 'many'], '--warn-days takes a number of days'],
  ])('refuses %j', async (args, message) => {
    const run = await callseal(['doctor', ...args]);
    expect([run.status, run.stderr]).toEqual([2, expect.stringContaining(message)]);
    expect(run.stderr).not.toContain('hunter2');
  });
});
