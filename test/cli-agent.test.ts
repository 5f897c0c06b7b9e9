/** `callseal agent` as a service and for cron: real processes, real files, real signals. */

import { type ChildProcessWithoutNullStreams, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  existsSync,
  linkSync,
  readdirSync,
  readFileSync,
  renameSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inspect, KeyRing, verify } from '../lib/index.ts';
import { eventually } from './helpers/agent.ts';
import { CALLSEAL, callseal, start } from './helpers/cli.ts';
import { certify, type KeyPair, makeKeyPair } from './helpers/keys.ts';
import { startServiceManager } from './helpers/service-manager.ts';
import { tempDir } from './helpers/temp.ts';

const made = tempDir();
let mary: KeyPair;
let fred: KeyPair;

beforeAll(() => {
  mary = makeKeyPair(made, { name: 'mary' });
  fred = makeKeyPair(made, { name: 'fred' });
});

const running: ChildProcessWithoutNullStreams[] = [];

afterAll(() => {
  for (const child of running) child.kill('SIGKILL');
});

interface LogLine {
  event: string;
  level: string;
  path?: string;
  alarm?: string;
  listening?: string;
}

/** An agent that runs, on a folder with a certificate and a configuration of its own. */
class Service {
  readonly dir = tempDir();
  readonly calls = tempDir();
  readonly certificate = join(this.dir, 'recipient.crt');
  readonly config = join(this.dir, 'client_property.conf');
  readonly log: LogLine[] = [];
  #child: ChildProcessWithoutNullStreams | undefined;
  #ended: Promise<unknown[]> | undefined;

  constructor(certificate = mary.certificate) {
    copyFileSync(certificate, this.certificate);
    writeFileSync(this.config, `LOGGING_ENCRYPTION_KEY = ${this.certificate}\n`);
  }

  async start(args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Promise<this> {
    const where = ['--config', this.config, '--watch', this.calls, '--listen', '127.0.0.1:0'];
    const child = start(['agent', ...where, '--log-level', 'debug', ...args], { env });
    running.push(child);
    this.#child = child;
    this.#ended = once(child, 'close');
    createInterface({ input: child.stdout }).on('line', (line) => this.log.push(JSON.parse(line)));
    child.stderr.resume();
    await this.logged('started');
    return this;
  }

  logged(event: string, fields: Partial<LogLine> = {}): Promise<LogLine> {
    const wanted = Object.entries({ event, ...fields }) as [keyof LogLine, string][];
    return eventually(() => this.log.find((line) => wanted.every(([key, value]) => line[key] === value)), event);
  }

  get threads(): number {
    return readdirSync(`/proc/${this.#child?.pid}/task`).length;
  }

  signal(name: NodeJS.Signals): void {
    this.#child?.kill(name);
  }

  /** Exit code. */
  async end(): Promise<unknown> {
    return (await this.#ended!)[0];
  }

  /** Puts a finished file there, as a recorder that renames it into place. */
  record(name: string, bytes = 5000): string {
    const hidden = join(this.calls, `.${name}`);
    writeFileSync(hidden, Buffer.alloc(bytes, name));
    renameSync(hidden, join(this.calls, name));
    return join(this.calls, name);
  }

  async get(page: string): Promise<{ status: number; text: string }> {
    const address = (await this.logged('started')).listening;
    const response = await fetch(`http://${address}${page}`);
    return { status: response.status, text: await response.text() };
  }

  async metric(name: string): Promise<number> {
    const line = (await this.get('/metrics')).text
      .split('\n')
      .find((text) => text.startsWith(`callseal_agent_${name} `));
    return Number(line?.split(' ').at(-1));
  }
}

/** Whether the file opens with a key. */
async function opens(file: string, { privateKey }: KeyPair): Promise<boolean> {
  const keys = new KeyRing([privateKey]);
  return verify(file, { keys }).then(
    () => true,
    () => false,
  );
}

/** A certificate of a key that expires in so many seconds. */
function expiring(pair: KeyPair, seconds: number, file: string): string {
  const text = (time: number) => new Date(time).toISOString().replace(/\.\d+/, '').replace(/[-:T]/g, '');
  const validity = { from: text(Date.now() - 60_000), to: text(Date.now() + seconds * 1000) };
  return certify(made, pair.privateKey, { ...validity, name: 'dated', file });
}

describe.concurrent('the service', () => {
  it('tells the service manager of its life, seals, shows it, and ends with 0', async () => {
    const manager = await startServiceManager();
    const env = { NOTIFY_SOCKET: manager.socket, WATCHDOG_USEC: '400000' };
    const service = await new Service().start([], env);
    await eventually(() => manager.heard.some((line) => line.startsWith('READY=1;STATUS=')));
    const path = service.record('one.callsre');
    await service.logged('sealed', { path });
    expect(existsSync(path)).toBe(false);
    expect(await opens(`${path}.sealed`, mary)).toBe(true);
    expect(await service.metric('files_sealed_total{kind="configured"}')).toBe(1);
    expect(await service.metric('plaintext_bytes_total')).toBe(5000);
    expect(await service.get('/healthz')).toMatchObject({ status: 200 });
    const beats = () => manager.heard.filter((line) => line === 'WATCHDOG=1').length;
    await eventually(() => beats() >= 2);
    const before = manager.heard.length;
    service.signal('SIGHUP');
    await service.logged('reloaded');
    await eventually(() => manager.heard.slice(before).includes('READY=1'));
    expect(manager.heard.slice(before).some((line) => /^RELOADING=1;MONOTONIC_USEC=\d+$/.test(line))).toBe(true);
    service.signal('SIGTERM');
    expect(await service.end()).toBe(0);
    expect(manager.heard.some((line) => line.startsWith('STOPPING=1'))).toBe(true);
    await service.logged('stopped');
  });

  it('takes a certificate that was swapped, for the next file', async () => {
    const service = await new Service().start();
    const first = service.record('first.callsre');
    await service.logged('sealed', { path: first });
    copyFileSync(fred.certificate, join(service.dir, 'new'));
    renameSync(join(service.dir, 'new'), service.certificate);
    await eventually(() => service.log.filter(({ event }) => event === 'recipients').length === 2);
    const second = service.record('second.callsre');
    await service.logged('sealed', { path: second });
    expect([await opens(`${first}.sealed`, mary), await opens(`${first}.sealed`, fred)]).toEqual([true, false]);
    expect([await opens(`${second}.sealed`, mary), await opens(`${second}.sealed`, fred)]).toEqual([false, true]);
    service.signal('SIGINT');
    expect(await service.end()).toBe(0);
  });

  it('goes on with the last good configuration, unhealthy, until it is repaired', async () => {
    const service = await new Service().start();
    writeFileSync(service.config, 'LOGGING_ENCRYPTION_KEY = default\n');
    await service.logged('alarm', { alarm: 'config' });
    const { status: code, text } = await service.get('/healthz');
    expect([code, JSON.parse(text).alarms[0].key]).toEqual([503, 'config']);
    expect(await service.metric('alarm{alarm="config"}')).toBe(1);
    const path = service.record('still.callsre');
    await service.logged('sealed', { path });
    expect(await opens(`${path}.sealed`, mary)).toBe(true);
    service.signal('SIGHUP');
    await service.logged('reloaded');
    writeFileSync(service.config, `LOGGING_ENCRYPTION_KEY = ${service.certificate}\n`);
    await service.logged('alarm-over', { alarm: 'config' });
    expect((await service.get('/healthz')).status).toBe(200);
    service.signal('SIGTERM');
    expect(await service.end()).toBe(0);
  });

  it('lets files wait in plaintext when the last certificate has expired, and seals them after its renewal', async () => {
    const service = await new Service(expiring(mary, 8, 'stop.crt')).start();
    await service.logged('alarm', { alarm: 'no-recipients' });
    const path = service.record('waits.callsre');
    await eventually(async () => (await service.metric('queue_files')) === 1);
    expect((await service.get('/healthz')).status).toBe(503);
    expect(existsSync(path)).toBe(true);
    copyFileSync(fred.certificate, service.certificate);
    await service.logged('sealed', { path });
    expect(await opens(`${path}.sealed`, fred)).toBe(true);
    service.signal('SIGTERM');
    expect(await service.end()).toBe(0);
  });

  it('seals for the escrow certificate instead, where the operator chose so', async () => {
    const service = new Service(expiring(mary, 8, 'spool.crt'));
    await service.start(['--no-recipients', 'spool', '--escrow', fred.certificate]);
    await service.logged('alarm', { alarm: 'escrow' });
    const path = service.record('spooled.callsre');
    await service.logged('sealed', { path });
    expect((await inspect(`${path}.sealed`)).recipients).toHaveLength(1);
    expect(await opens(`${path}.sealed`, fred)).toBe(true);
    expect(await service.metric('files_sealed_total{kind="escrow"}')).toBe(1);
    expect((await service.get('/healthz')).status).toBe(503);
    service.signal('SIGTERM');
    expect(await service.end()).toBe(0);
  });

  /** An agent that has begun a file of so many bytes, none of which take room on the disk. */
  async function atWork(bytes: number) {
    const service = await new Service().start();
    const [hidden, path] = [join(service.calls, '.large'), join(service.calls, 'large.callsre')];
    writeFileSync(hidden, '');
    truncateSync(hidden, bytes);
    renameSync(hidden, path);
    await eventually(async () => (await service.metric('working_files')) === 1 || !existsSync(path));
    return { service, path };
  }

  it('finishes the file that it has begun before it ends', async () => {
    const { service, path } = await atWork(192 << 20);
    service.signal('SIGTERM');
    expect(await service.end()).toBe(0);
    expect(readdirSync(service.calls)).toEqual(['large.callsre.sealed']);
    expect((await inspect(`${path}.sealed`)).complete).toBe(true);
  });

  it('ends at once at the second signal, and leaves the file as it was', async () => {
    const { service } = await atWork(1 << 30);
    service.signal('SIGTERM');
    await service.logged('stopping');
    service.signal('SIGTERM');
    expect(await service.end()).toBeNull();
    expect(readdirSync(service.calls)).toEqual(['large.callsre']);
  });
});

it('the thread pool is larger than the number of files at a time', async () => {
  const service = await new Service().start(['--concurrency', '30']);
  service.record('call');
  await service.logged('sealed');
  expect(service.threads).toBeGreaterThanOrEqual(32);
  service.signal('SIGTERM');
  expect(await service.end()).toBe(0);
});

it('only names that are included are sealed', async () => {
  const service = await new Service().start(['--include', '*.callsre', '--include', 'x?']);
  for (const name of ['call.part', 'xyz', 'xy', 'call.callsre']) service.record(name);
  for (const name of ['xy', 'call.callsre']) await service.logged('sealed', { path: join(service.calls, name) });
  service.signal('SIGTERM');
  expect(await service.end()).toBe(0);
  expect(readdirSync(service.calls).sort()).toEqual(['call.callsre.sealed', 'call.part', 'xy.sealed', 'xyz']);
});

describe.concurrent('what cannot be started', () => {
  const refused = async (...args: string[]) => {
    const { status, stderr, stdout } = await callseal(['agent', '--watch', made, '--listen', 'none', ...args]);
    return { status, stderr, stdout: stdout.toString() };
  };

  it('says so at once, with the exit code of the reason', async () => {
    const config = join(tempDir(), 'client_property.conf');
    writeFileSync(config, 'LOGGING_ENCRYPTION_KEY = relative.crt\n');
    expect(await refused('--config', config)).toMatchObject({
      status: 3,
      stderr: expect.stringContaining(`callseal: agent: ${config}:1: `),
      stdout: '',
    });
    const expired = certify(made, mary.privateKey, { from: '20200101000000Z', to: '20210101000000Z', file: 'old.crt' });
    expect(await refused('-r', expired)).toMatchObject({
      status: 4,
      stderr: expect.stringContaining('--expired warn'),
    });
    expect(await refused('-r', join(made, 'missing.crt'))).toMatchObject({ status: 4 });
  });

  it('says so of options that do not go together', async () => {
    const good = ['-r', mary.certificate];
    for (const args of [
      ['--no-recipients', 'spool'],
      ['--escrow', fred.certificate],
      ['--listen', '0.0.0.0:9465'],
      ['--warn-days', 'soon'],
      ['--suffix', 'a/b'],
    ]) {
      expect(await refused(...good, ...args)).toMatchObject({
        status: 2,
        stderr: expect.stringContaining(args[0]!.slice(2)),
      });
    }
  });

  it('says so of a port that is taken', async () => {
    const service = await new Service().start();
    const { listening } = await service.logged('started');
    const { status, stderr } = await callseal([
      'agent',
      '-r',
      mary.certificate,
      '--watch',
      made,
      '--listen',
      listening!,
    ]);
    expect([status, stderr]).toEqual([13, expect.stringContaining('another process has this port')]);
    service.signal('SIGTERM');
    expect(await service.end()).toBe(0);
  });
});

/** Runs a command with memory that is never both written and executed (PR_SET_MDWE), as under the unit; fails before Linux 6.3. */
const CONFINE = `
  my %prctl = (x64 => 157, arm64 => 167);
  my $call = $prctl{shift @ARGV} or exit 77;
  exit 77 if syscall($call, 65, 1, 0, 0, 0) != 0;
  exec @ARGV;
`;

function confined(env: NodeJS.ProcessEnv, ...args: string[]): { status: number | null; signal: NodeJS.Signals | null } {
  const program = [process.arch, process.execPath, ...args];
  const options = { env: { ...process.env, ...env }, stdio: 'ignore' } as const;
  return spawnSync('perl', ['-e', CONFINE, ...program], options);
}

const canConfine = confined({}, '--jitless', '-e', '0').status === 0;

describe.skipIf(!canConfine)('under the unit’s memory protection (skipped where Linux has none)', () => {
  it('works with the options of the unit', () => {
    const unit = readFileSync(new URL('../deploy/callseal-agent.service', import.meta.url), 'utf8');
    expect(unit).toContain('MemoryDenyWriteExecute=yes');
    const [, options] = /^Environment=NODE_OPTIONS=(.*)$/m.exec(unit)!;
    const calls = tempDir();
    writeFileSync(join(calls, 'a.callsre'), 'x');
    const args = ['agent', '--once', '-r', mary.certificate, '--watch', calls];
    expect(confined({ NODE_OPTIONS: options }, CALLSEAL, ...args).status).toBe(0);
    expect(readdirSync(calls)).toEqual(['a.callsre.sealed']);
    // That the protection is in force: Node's compiler does not survive it.
    expect(confined({ NODE_OPTIONS: '' }, '-e', 'for (let i = 0, s = 0; i < 1e7; i++) s += i').status).not.toBe(0);
  });
});

describe.concurrent('--once', () => {
  it('seals what is there, says how many, and ends with 0', async () => {
    const calls = tempDir();
    for (const name of ['a', 'b', 'c']) writeFileSync(join(calls, `${name}.callsre`), name);
    const { status, stdout, stderr } = await callseal(['agent', '--once', '-r', mary.certificate, '--watch', calls]);
    expect([status, stdout.toString()]).toEqual([0, '']);
    expect(stderr).toBe('callseal: agent: encrypted 3 files (3 bytes)\n');
    expect(readdirSync(calls).sort()).toEqual(['a.callsre.sealed', 'b.callsre.sealed', 'c.callsre.sealed']);
  });

  it('ends with 20 when a file fails or a directory is missing, and names it', async () => {
    const calls = tempDir();
    writeFileSync(join(calls, 'good.callsre'), 'x');
    const bad = join(calls, 'two-names');
    writeFileSync(bad, 'x');
    linkSync(bad, join(tempDir(), 'other'));
    const common = ['agent', '--once', '-q', '-r', mary.certificate];
    const failed = await callseal([...common, '--watch', calls]);
    expect(failed.status).toBe(20);
    expect(failed.stderr).toContain(bad);
    expect(readdirSync(calls).sort()).toEqual(['good.callsre.sealed', 'two-names']);
    const missing = await callseal(['agent', '--once', '-r', mary.certificate, '--watch', join(calls, 'none')]);
    expect(missing.status).toBe(20);
    expect(missing.stderr).toContain(`${calls}/none does not exist; make it\n`); // nobody comes back for it
  });
});
