import { spawnSync } from 'node:child_process';
import { chmodSync, linkSync, mkdirSync, renameSync, rmSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { encryptFile } from '../lib/callfile/index.ts';
import { CallsealError } from '../lib/errors.ts';
import { startAgentChild } from './helpers/agent-child.ts';
import { contentOf, makeAgent, opened, quickDir, startAgent, writeFiles } from './helpers/agents.ts';
import { namesBelow } from './helpers/below.ts';
import { smallDisk } from './helpers/files.ts';
import { makeParties, type Parties } from './helpers/parties.ts';

let parties: Parties;
const isRoot = process.getuid?.() === 0;
const NOBODY = 65534;

beforeAll(async () => {
  parties = await makeParties();
});

describe('an agent in trouble', () => {
  it('waits for a directory that is not there, and goes on when it appears, vanishes and appears again', async () => {
    const dir = join(quickDir(), 'mounted/later');
    const { agent, recorder } = startAgent(parties.recipients, { directories: [dir], rescan: 200 });
    await recorder.until(() => recorder.alarms.has(`directory:${dir}`));
    for (let round = 1; round <= 2; round += 1) {
      mkdirSync(dir, { recursive: true });
      writeFiles(dir, 2);
      await recorder.until(() => recorder.sealedFiles.length === 2 * round);
      await recorder.until(() => recorder.alarms.size === 0);
      rmSync(dir, { recursive: true });
      await recorder.until(() => recorder.alarms.has(`directory:${dir}`));
    }
    expect(agent.state().alarms.map(({ key }) => key)).toEqual([`directory:${dir}`]);
    expect(recorder.failures).toEqual([]);
  });

  it('stops at a full disk, and goes on when there is room', async ({ skip }) => {
    const disk = smallDisk(512);
    if (typeof disk === 'string') return skip(`${disk}: what happens on a full disk`);
    try {
      const ballast = join(disk.dir, '.ballast');
      const paths = writeFiles(disk.dir, 3);
      for (const path of paths) writeFileSync(path, Buffer.alloc(50_000, path));
      let filled = 0;
      for (; ; filled += 4096) {
        try {
          writeFileSync(ballast, Buffer.alloc(4096), { flag: 'a' });
        } catch {
          break;
        }
      }
      const elsewhere = quickDir();
      const { agent, recorder } = startAgent(parties.recipients, { directories: [disk.dir, elsewhere] });
      await recorder.until(() => recorder.alarms.has(`disk-full:${disk.dir}`));
      // Other directories do not wait for it.
      writeFiles(elsewhere, 3);
      await recorder.until(() => recorder.sealedFiles.length === 3);
      expect(recorder.failures[0]?.error).toMatchObject({ code: 'ERR_IO', errno: 'ENOSPC' });
      expect(namesBelow(disk.dir)).toEqual(['.ballast', ...paths.map((path) => path.slice(disk.dir.length + 1))]);
      expect(agent.state().queueLength).toBe(3);
      unlinkSync(ballast);
      agent.wake();
      await recorder.until(() => recorder.sealedFiles.length === 6);
      expect(filled).toBeGreaterThan(0);
      expect(recorder.alarms.size).toBe(0);
      for (const path of paths) {
        const text = await opened(`${path}.sealed`, parties.keys);
        expect(text.length).toBe(50_000);
      }
      await agent.stop();
    } finally {
      disk.release();
    }
  });

  it('leaves plaintext in a directory that it may not write to, and goes on when it may', async ({ skip }) => {
    if (!isRoot) return skip('only root becomes another user: a directory without permission to write');
    const base = quickDir();
    chmodSync(base, 0o755);
    const closed = join(base, 'closed');
    mkdirSync(closed);
    writeFiles(closed, 2);
    const child = startAgentChild({
      directories: [base],
      certificate: parties.mary.certificate,
      uid: NOBODY,
      quietFor: 0,
    });
    const raised = await child.until((event) => event.what === 'raised');
    expect(raised).toMatchObject({ key: `output:${closed}` });
    expect(raised.message).toContain('write');
    expect(namesBelow(closed)).toHaveLength(2);
    chmodSync(closed, 0o777);
    child.wake();
    await child.until((event) => event.what === 'sealed');
    await child.until((event) => event.what === 'cleared');
    await child.until((event) => event.what === 'sealed');
    expect(namesBelow(closed).every((name) => name.endsWith('.sealed'))).toBe(true);
    await child.stop();
  });

  it('tries a file that it may not read again, later and later, and does the others', async ({ skip }) => {
    if (!isRoot) return skip('only root becomes another user: a file that cannot be read');
    const dir = quickDir();
    chmodSync(dir, 0o777);
    const [secret] = writeFiles(dir, 1, 'a-secret');
    chmodSync(secret!, 0o600);
    writeFiles(dir, 3, 'other');
    const child = startAgentChild({
      directories: [dir],
      certificate: parties.mary.certificate,
      uid: NOBODY,
      quietFor: 0,
    });
    const first = await child.until((event) => event.what === 'failed');
    expect(first).toMatchObject({ path: secret, code: 'ERR_IO', errno: 'EACCES', attempt: 1 });
    for (let count = 0; count < 3; count += 1) await child.until((event) => event.what === 'sealed');
    const second = await child.until((event) => event.what === 'failed');
    expect(second).toMatchObject({ path: secret, attempt: 2 });
    expect(second.retryIn).toBeGreaterThan(first.retryIn as number);
    chmodSync(secret!, 0o644);
    child.wake();
    expect(await child.until((event) => event.what === 'sealed')).toMatchObject({ path: secret });
    await child.stop();
    expect(child.seen.filter(({ what }) => what === 'raised')).toEqual([]);
  });

  it('says that a directory cannot be read', async ({ skip }) => {
    if (!isRoot) return skip('only root becomes another user: a directory that cannot be read');
    const dir = quickDir();
    chmodSync(dir, 0o755);
    mkdirSync(join(dir, 'private'), { mode: 0o700 });
    const child = startAgentChild({
      directories: [dir],
      certificate: parties.mary.certificate,
      uid: NOBODY,
      quietFor: 0,
      rescan: 100,
    });
    expect(await child.until((event) => event.what === 'raised')).toMatchObject({ key: `directory:${dir}/private` });
    chmodSync(join(dir, 'private'), 0o777);
    expect(await child.until((event) => event.what === 'cleared')).toMatchObject({ key: `directory:${dir}/private` });
    await child.stop();
  });

  it('refuses a file with a second name, which would keep the plaintext, until that is gone', async () => {
    const dir = quickDir();
    const [path] = writeFiles(dir, 1);
    const other = join(quickDir(), 'second-name');
    linkSync(path!, other);
    const { agent, recorder } = startAgent(parties.recipients, { directories: [dir] });
    await recorder.until(() => recorder.failures.length === 1);
    expect(recorder.failures[0]).toMatchObject({ path, attempt: 1, error: { code: 'ERR_INVALID_ARGUMENT' } });
    expect(agent.state().retrying).toBe(1);
    expect(recorder.alarms.size).toBe(0);
    for (const attempt of [2, 3]) {
      agent.wake();
      await recorder.until(() => recorder.failures.length === attempt);
    }
    expect(recorder.alarms.get('files')?.message).toContain(path);
    unlinkSync(other);
    agent.wake();
    await recorder.until(() => recorder.sealedFiles.length === 1);
    await recorder.until(() => recorder.alarms.size === 0);
    expect(agent.state().retrying).toBe(0);
  });

  it('pauses everything when the crypto module fails, and goes on by itself', async () => {
    const dir = quickDir();
    const paths = writeFiles(dir, 5);
    const { agent, recorder, supply } = startAgent(null, { directories: [dir] });
    const failing = new Proxy(parties.recipients, {
      get: () => {
        throw new CallsealError('ERR_CRYPTO', 'the module failed');
      },
    });
    supply.set(failing);
    await recorder.until(() => recorder.alarms.has('crypto'));
    await recorder.until(() => agent.state().working === 0);
    expect(agent.state().queueLength).toBe(5);
    expect(namesBelow(dir)).toHaveLength(5);
    supply.set(parties.recipients);
    await recorder.until(() => recorder.sealedFiles.length === 5);
    expect(recorder.alarms.size).toBe(0);
    for (const path of paths) expect(await opened(`${path}.sealed`, parties.keys)).toBe(contentOf(path));
  });

  it('leaves a call file under a plaintext’s name alone, and sees when it is one no more though its directory does not show it', async () => {
    const dir = quickDir();
    const path = join(dir, 'call.wav');
    await encryptFile(writeFiles(quickDir(), 1)[0]!, path, { recipients: parties.recipients });
    const { agent, recorder } = startAgent(parties.recipients, { directories: [dir], rescan: 50 });
    // Read once more because of these.
    writeFiles(dir, 1, 'other');
    await recorder.until(() => recorder.sealedFiles.length === 1);
    utimesSync(dir, 1, 1);
    await pause(300);
    expect([recorder.failures, recorder.vanishedPaths, recorder.alarms.size]).toEqual([[], [], 0]);
    expect(agent.state()).toMatchObject({ queueLength: 0, retrying: 0 });
    // Nothing of this happens in the directory.
    const elsewhere = join(quickDir(), 'second-name');
    linkSync(path, elsewhere);
    writeFileSync(elsewhere, 'a call in plaintext');
    unlinkSync(elsewhere);
    await recorder.until(() => recorder.sealedFiles.length === 2);
    expect(await opened(`${path}.sealed`, parties.keys)).toBe('a call in plaintext');
  });

  it('goes on without watches when there are none to be had', async ({ skip }) => {
    // One watch for everything: enough for the first directory.
    const wrapper = ['unshare', '-U', '-r', 'sh', '-c', 'echo 1 > /proc/sys/user/max_inotify_watches; exec "$@"', 'sh'];
    if (spawnSync(wrapper[0]!, [...wrapper.slice(1), 'true']).status !== 0) {
      return skip('this user cannot make a user namespace with a limit of its own: running out of inotify watches');
    }
    const dir = quickDir();
    for (const name of ['one', 'two']) mkdirSync(join(dir, name));
    const { certificate } = parties.mary;
    const child = startAgentChild({ directories: [dir], certificate, rescan: 100, wrapper });
    const alarm = await child.until((event) => event.what === 'raised');
    expect(alarm).toMatchObject({ key: 'watches' });
    expect(alarm.message).toContain('max_user_watches');
    for (const name of ['one', 'two']) writeFiles(join(dir, name), 1);
    for (let count = 0; count < 2; count += 1) await child.until((event) => event.what === 'sealed');
    await child.stop();
  });

  it('makes a pass over what it can, and counts the rest', async () => {
    const dir = quickDir();
    const paths = writeFiles(dir, 3);
    const other = join(quickDir(), 'second-name');
    linkSync(paths[0]!, other);
    const outputDir = join(quickDir(), 'output');
    writeFileSync(outputDir, 'not a directory');
    const pass = makeAgent(parties.recipients, { directories: [dir] });
    expect(await pass.agent.runOnce()).toEqual({ sealed: 2, failed: 1, unfinished: 0, waiting: 0 });
    writeFiles(dir, 3);
    const blocked = makeAgent(parties.recipients, { directories: [dir], outputDir });
    expect(await blocked.agent.runOnce()).toMatchObject({ sealed: 0, waiting: 3 });
    expect(blocked.recorder.raisedKeys).toEqual([`output:${outputDir}`]);
    renameSync(outputDir, `${outputDir}.old`);
    expect(await makeAgent(parties.recipients, { directories: [dir], outputDir }).agent.runOnce()).toMatchObject({
      failed: 1,
      waiting: 0,
    });
  });
});
