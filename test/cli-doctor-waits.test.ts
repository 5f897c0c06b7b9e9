/** `callseal doctor` where a check never ends, or its process does not survive it: the others are made all the same. */

import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { CHECKS } from '../lib/doctor/doctor.ts';
import { callseal, finish, type Run, shell, start } from './helpers/cli.ts';
import { makeSite, PASSPHRASE } from './helpers/keys-cli.ts';
import { programs } from './helpers/patient.ts';
import { tempDir } from './helpers/temp.ts';

const empty = tempDir();
const env = { HOME: empty, CALLSEAL_STATE_DIR: join(empty, 'state'), CALLSEAL_INSTALLATION: join(empty, 'none') };
const NAMES = CHECKS.map(({ name }) => name);

/** `check rule` of all errors; and every check is there. */
function errorsOf({ status, stdout }: Run): string[] {
  const { checks } = JSON.parse(stdout.toString()) as {
    checks: { check: string; findings: { severity: string; rule: string; message: string }[] }[];
  };
  expect(checks.map(({ check }) => check)).toEqual(NAMES);
  expect(status).toBe(24);
  return checks.flatMap(({ check, findings }) =>
    findings.filter(({ severity }) => severity === 'error').map(({ rule, message }) => `${check} ${rule}: ${message}`),
  );
}

/** Of proc(5); nobody may be there to collect a process whose parent ended before. */
function stateOf(pid: string): string {
  try {
    return / ([A-Z]) /.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))![1]!;
  } catch {
    return 'gone';
  }
}

describe('callseal doctor', () => {
  it('tells which checks crash, or stand still as one at a dead mount does', async () => {
    const PATH = programs({ timedatectl: 'kill -SEGV $PPID', systemctl: 'kill -STOP $PPID; exec sleep 3' });
    const run = await callseal(['doctor', '--json', '--patience', '5'], { env: { ...env, PATH } });
    expect(errorsOf(run)).toEqual([
      'clock died: the process that looked ended before it had answered: SIGSEGV (signal 11)',
      expect.stringMatching(/^agent no-answer: did not answer in 5 seconds: /),
    ]);
  });

  it('ends with a signal while a check stands still, and leaves no process and no copy', async () => {
    const scratch = tempDir();
    const pid = join(scratch, 'pid');
    const PATH = programs({ timedatectl: `echo $PPID > '${pid}'; kill -STOP $PPID` });
    const TMPDIR = join(scratch, 'tmp');
    mkdirSync(TMPDIR);
    const child = start(['doctor'], { env: { ...env, PATH, TMPDIR } });
    const ended = finish(child);
    execFileSync('sh', ['-c', `until [ -s '${pid}' ]; do sleep 0.05; done; sleep 0.2`]);
    child.kill('SIGTERM');
    expect((await ended).status).toBe(143);
    expect(readdirSync(TMPDIR)).toEqual([]);
    await vi.waitFor(() => expect(stateOf(readFileSync(pid, 'utf8').trim())).toMatch(/^(gone|Z)$/), 5_000);
  });

  it('leaves no copy when its reader goes away', async () => {
    const TMPDIR = tempDir();
    expect((await shell('callseal doctor | head -n 1', { env: { ...env, TMPDIR } })).stdout.toString()).toMatch(/^ok/);
    expect(readdirSync(TMPDIR)).toEqual([]);
  });

  it.each(['--passphrase-fd 9', '--passphrase-file /dev/fd/9'])('takes a passphrase by %s', async (option) => {
    const { cwd, env: ofSite } = await makeSite();
    writeFileSync(join(cwd, 'passphrase'), PASSPHRASE);
    const doctor = `callseal doctor ${option} 9< passphrase`;
    const { stdout } = await shell(doctor, { cwd, env: { ...ofSite, TMPDIR: '/nowhere' } });
    expect(stdout.toString()).toMatch(/^error +store .*no directory can be made in \/nowhere for a copy/m);
    expect(stdout.toString()).not.toContain('needs its passphrase');
  });
});
