/** What the doctor finds on hosts with something wrong: permissions, clock, disk, certificates, the agent's work. */

import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import type { Patient } from '../lib/doctor/check.ts';
import { agent } from '../lib/doctor/checks/agent.ts';
import { clock } from '../lib/doctor/checks/clock.ts';
import { configuration } from '../lib/doctor/checks/configuration.ts';
import { disk } from '../lib/doctor/checks/disk.ts';
import { nodeVersion } from '../lib/doctor/checks/node-version.ts';
import { permissions } from '../lib/doctor/checks/permissions.ts';
import { finish, start } from './helpers/cli.ts';
import { readOnlyDirectory, smallDisk } from './helpers/files.ts';
import { certify, makeKeyPair } from './helpers/keys.ts';
import { ailments, finding, patient, programs } from './helpers/patient.ts';
import { tempDir } from './helpers/temp.ts';

const PATH = process.env.PATH;
const tiny = smallDisk(32 << 10);
const roomy = smallDisk(2 << 20);

afterAll(() => {
  for (const made of [tiny, roomy]) if (typeof made !== 'string') made.release();
});

afterEach(() => {
  process.env.PATH = PATH;
});

describe('node', () => {
  it('is the one that runs', async () => {
    expect(await ailments(nodeVersion, patient())).toEqual([]);
    const { message, where } = await finding(nodeVersion, patient(), 'version');
    expect([message, where]).toEqual([expect.stringContaining(process.versions.node), process.execPath]);
  });
});

describe('configuration', () => {
  const write = (dir: string, ...certificates: string[]): Patient => {
    const config = join(dir, 'client_property.conf');
    writeFileSync(config, `LOGGING_ENCRYPTION_KEY = ${certificates.join(',')}\n`);
    return patient({ config });
  };

  it('is in order, and says for how many files are encrypted', async () => {
    const [dir, home] = [tempDir(), tempDir()];
    copyFileSync(makeKeyPair(home).certificate, join(dir, 'mary.crt'));
    const healthy = write(dir, join(dir, 'mary.crt'));
    expect(await ailments(configuration, healthy)).toEqual([]);
    expect((await finding(configuration, healthy, 'recipients')).message).toContain('1 recipient');
  });

  it('has an expired certificate, a missing one, one twice, and a private key beside them', async () => {
    const dir = tempDir();
    const { privateKey, certificate } = makeKeyPair(dir);
    const old = certify(dir, privateKey, { name: 'old', from: '20240101000000Z', to: '20240201000000Z' });
    const sick = write(dir, certificate, old, join(dir, 'gone.crt'));
    const found = await ailments(configuration, sick);
    for (const rule of ['error expired', 'error duplicate', 'error private-key']) expect(found).toContain(rule);
    expect((await configuration.examine(sick)).some(({ message }) => message.includes('gone.crt'))).toBe(true);
    const expired = await finding(configuration, sick, 'expired');
    expect([expired.where, expired.remedy]).toEqual([`${sick.config}:1`, expect.stringMatching(/\w/)]);
  });

  it('is not there', async () => {
    expect(await ailments(configuration, patient())).toEqual(['note none']);
    expect(await ailments(configuration, patient({ config: join(tempDir(), 'none.conf') }))).toEqual([
      'error unreadable',
    ]);
  });
});

describe('permissions', () => {
  it('are in order', async () => {
    const { privateKey } = makeKeyPair(tempDir());
    const healthy = patient({ keys: [privateKey], directories: [tempDir()], outputDirectory: tempDir() });
    expect(await ailments(permissions, healthy)).toEqual([]);
  });

  it('let others read a key and a passphrase, with the command that ends it', async () => {
    const dir = tempDir();
    const { privateKey } = makeKeyPair(dir);
    chmodSync(privateKey, 0o640);
    expect(await finding(permissions, patient({ keys: [privateKey] }), 'readable')).toEqual({
      severity: 'error',
      rule: 'readable',
      message: 'its group may use this file, which holds a private key',
      where: privateKey,
      remedy: `chmod 600 ${privateKey}`,
    });
    const words = join(dir, 'passphrase');
    writeFileSync(words, 'correct horse', { mode: 0o644 });
    const { message } = await finding(permissions, patient({ passphraseFiles: [words] }), 'readable');
    expect(message).toBe('every user of this host may use this file, which holds a passphrase');
    expect(message).not.toContain('horse');
  });

  it('let others read the installation key', async () => {
    const installationFolder = tempDir();
    writeFileSync(join(installationFolder, 'installation.key'), 'key', { mode: 0o604 });
    expect(await ailments(permissions, patient({ installationFolder }))).toEqual(['error readable']);
  });

  it('let others put another key in the place of one', async () => {
    const dir = join(tempDir(), 'keys');
    mkdirSync(dir);
    const { privateKey } = makeKeyPair(dir);
    chmodSync(dir, 0o777);
    const { where, remedy } = await finding(permissions, patient({ keys: [privateKey] }), 'replaceable');
    expect([where, remedy]).toEqual([dir, expect.stringMatching(/^chmod /)]);
  });

  it('let others change what the host remembers of a store', async () => {
    const stateDirectory = tempDir();
    chmodSync(stateDirectory, 0o777);
    const sick = patient({ stateDirectory, store: 'sqlite:/nowhere/keys.db' });
    expect(await ailments(permissions, sick)).toEqual(['error state']);
  });

  it('are for a directory that is not there, or that every user may write', async () => {
    const open = tempDir();
    chmodSync(open, 0o777);
    expect(await ailments(permissions, patient({ directories: [join(open, 'gone'), open] }))).toEqual([
      'error missing',
      'warning writable',
    ]);
  });

  it('say why a directory cannot be written, and what to run', async ({ skip }) => {
    const [file, sealed] = [join(tempDir(), 'file'), readOnlyDirectory()];
    writeFileSync(file, '');
    const below = join(file, 'calls');
    const { message, remedy } = await finding(permissions, patient({ directories: [below] }), 'not-writable');
    expect(message).toContain('may not read and write here (ENOTDIR)');
    expect(remedy).toContain(`ls -ld ${below}`);
    if (typeof sealed === 'string') return skip(`${sealed}: what is said of a read-only file system`);
    try {
      const found = await finding(permissions, patient({ outputDirectory: sealed.dir }), 'read-only');
      expect([found.severity, found.remedy]).toEqual(['error', `findmnt -T ${sealed.dir}`]);
    } finally {
      sealed.release();
    }
  });
});

describe('clock', () => {
  it('is behind a file', async () => {
    const dir = tempDir();
    const future = new Date(Date.now() + 7_200_000);
    utimesSync(dir, future, future);
    const { message, where } = await finding(clock, patient({ directories: [dir] }), 'future-file');
    expect([message, where]).toEqual([expect.stringContaining('changed 120 min in the future'), dir]);
  });

  it('is years behind', async () => {
    expect(await ailments(clock, patient({ now: new Date('1970-01-01T00:03:00Z') }))).toContain('error past');
  });

  it.each([
    ['kept', { timedatectl: 'echo yes' }, 'ok synchronised'],
    ['not kept', { timedatectl: 'echo no' }, 'warning not-synchronised'],
    [
      'kept, says chrony',
      { timedatectl: 'exit 1', chronyc: 'echo "A9,1.2.3.4,2,1,0,0,0,0,0,0,0,0,0,Normal"' },
      'ok synchronised',
    ],
    [
      'not kept, says chrony',
      { timedatectl: 'exit 1', chronyc: 'echo "7F,,0,0,0,0,0,0,0,0,0,0,0,Not synchronised"' },
      'warning not-synchronised',
    ],
    ['nobody’s business', { timedatectl: 'exit 1', chronyc: 'exit 1' }, 'note unknown'],
  ])('is %s', async (_, scripts, expected) => {
    process.env.PATH = programs(scripts);
    const last = (await clock.examine(patient())).at(-1)!;
    expect(`${last.severity} ${last.rule}`).toBe(expected);
  });
});

describe('disk', () => {
  const place = (small: typeof tiny): string => (typeof small === 'string' ? small : small.dir);

  it.runIf(typeof tiny !== 'string')(`is full${typeof tiny === 'string' ? ` (${tiny})` : ''}`, async () => {
    const { message, remedy } = await finding(disk, patient({ directories: [place(tiny)] }), 'no-space');
    expect([message, remedy]).toEqual([expect.stringMatching(/full: 3\d\.\d MB of/), expect.stringContaining('df -h')]);
  });

  it.runIf(typeof roomy !== 'string')(`has room${typeof roomy === 'string' ? ` (${roomy})` : ''}`, async () => {
    const found = await disk.examine(patient({ outputDirectory: place(roomy) }));
    expect(found.map(({ rule }) => rule)).toContain('space');
  });

  it.runIf(typeof tiny !== 'string')(
    `is nearly full, or has hardly an inode left, or none${typeof tiny === 'string' ? ` (${tiny})` : ''}`,
    async () => {
      const small = smallDisk(512 << 10);
      const many = smallDisk(2 << 20);
      try {
        const { message, remedy } = await finding(disk, patient({ directories: [place(small)] }), 'low-space');
        expect(message).toMatch(/^the disk is nearly full: .* left$/);
        expect(remedy).toContain('make room');
        const directories = [place(many)];
        const inodes = async (number: number) => {
          execFileSync('mount', ['-o', `remount,nr_inodes=${number}`, directories[0]!]);
          const found = await finding(disk, patient({ directories }), 'inodes');
          return [found.severity, found.message, found.remedy];
        };
        const words = 'then the inodes of this file system are used up';
        const look = `df -i ${directories[0]}`;
        expect(await inodes(500)).toEqual([
          'warning',
          expect.stringMatching(`^4\\d\\d files more can be made, ${words}$`),
          look,
        ]);
        expect(await inodes(1)).toEqual(['error', `0 files more can be made, ${words}`, look]);
      } finally {
        for (const made of [small, many]) if (typeof made !== 'string') made.release();
      }
    },
  );

  it('has no unnamed files', async () => {
    expect(await ailments(disk, patient({ directories: ['/proc/self/fd'] }))).toContain('note no-tmpfile');
  });

  it('is not named', async () => {
    expect(await ailments(disk, patient())).toEqual(['note none']);
  });
});

describe('agent', () => {
  const at = (port: number): Partial<Patient> => ({ agent: new URL(`http://127.0.0.1:${port}`), agentExpected: true });

  it('runs, and complains when its certificate is gone', async () => {
    const [dir, home] = [tempDir(), tempDir()];
    const { certificate } = makeKeyPair(home);
    const watched = join(dir, 'calls');
    mkdirSync(watched);
    const child = start(['agent', '-r', certificate, '--watch', watched, '--listen', '127.0.0.1:0']);
    const ended = finish(child);
    const port = await new Promise<number>((resolve) => {
      let log = '';
      child.stdout.on('data', (chunk: Buffer) => {
        log += chunk.toString();
        const listening = /"listening":"127\.0\.0\.1:(\d+)"/.exec(log);
        if (listening !== null) resolve(Number(listening[1]));
      });
    });
    try {
      expect(await ailments(agent, patient(at(port)))).toEqual([]);
      rmSync(certificate);
      child.kill('SIGHUP');
      let found: string[] = [];
      for (let tries = 0; tries < 100 && found.length === 0; tries += 1) {
        found = await ailments(agent, patient(at(port)));
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
      expect(found[0]).toBe('error alarm-config');
    } finally {
      child.kill('SIGTERM');
      await ended;
    }
  });

  it('does not answer, or another service does', async () => {
    const server = createServer((_, response) => response.end('{"status":"up"}'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    expect(await ailments(agent, patient(at(port)))).toEqual(['error no-answer']);
    await new Promise((resolve) => server.close(resolve));
    expect(await ailments(agent, patient(at(port)))).toEqual(['error no-answer']);
    expect(await ailments(agent, patient({ ...at(port), agentExpected: false }))).toEqual(['note none']);
  });

  it.each([
    [{ healthy: true }, 'note other-release'],
    [{ healthy: true, alarms: [{}], queueLength: 0 }, 'note other-release'],
    [{ healthy: true, alarms: [] }, 'note other-release'],
    [{ healthy: true, alarms: [{ key: 'expiry:mary', message: 'soon' }] }, 'warning alarm-expiry'],
    [{ healthy: false }, 'error unhealthy'],
  ])('is of another release and answers %j', async (answer, expected) => {
    const server = createServer((_, response) => response.end(JSON.stringify(answer)));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      expect(await ailments(agent, patient(at((server.address() as AddressInfo).port)))).toEqual([expected]);
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
  });

  it('is a unit that failed and is not enabled', async () => {
    process.env.PATH = programs({
      systemctl: 'echo LoadState=loaded; echo ActiveState=failed; echo UnitFileState=disabled',
    });
    expect(await ailments(agent, patient())).toEqual(['error unit', 'warning not-enabled', 'note none']);
  });

  it('has left files lying', async () => {
    const dir = tempDir();
    for (const [name, minutes] of [
      ['old', 60],
      ['older', 90],
      ['new', 0],
    ] as const) {
      writeFileSync(join(dir, name), 'speech');
      const then = new Date(Date.now() - minutes * 60_000);
      utimesSync(join(dir, name), then, then);
    }
    const { message } = await finding(agent, patient({ directories: [dir] }), 'backlog');
    expect(message).toBe('2 files not encrypted, unchanged for 90 min and longer');
  });
});
