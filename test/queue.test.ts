/** Jobs of several machines on a real PostgreSQL: workers that are killed, files that fail, and payloads that lie. */

import { once } from 'node:events';
import { mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { verify } from '../lib/callfile/verify.ts';
import { TEMPORARY_NAME } from '../lib/locked-temporary.ts';
import type { BatchChange } from '../lib/queue/batch-change.ts';
import { jobOf, QueueDatabase } from '../lib/queue/database.ts';
import { enqueue } from '../lib/queue/enqueue.ts';
import { placeOf } from '../lib/queue/place.ts';
import { batchStatuses, failuresOf } from '../lib/queue/status.ts';
import { runWorker, type WorkerOptions } from '../lib/queue/worker.ts';
import { Recipients } from '../lib/recipients/recipients.ts';
import { filesBelow } from './helpers/below.ts';
import { keyIdsOf, makeCallTree } from './helpers/call-tree.ts';
import { callseal, start } from './helpers/cli.ts';
import { codeOf } from './helpers/errors.ts';
import { keyIdOf } from './helpers/keys.ts';
import { makeParties, type Parties } from './helpers/parties.ts';
import { type PostgresServer, startPostgres } from './helpers/postgres.ts';
import { tempDir } from './helpers/temp.ts';

let server: PostgresServer;
let parties: Parties;
let stranger: Recipients;
let newSet: string;
let url: string;

beforeAll(async () => {
  [server, parties] = await Promise.all([startPostgres(), makeParties()]);
  stranger = await Recipients.load([parties.stranger.certificate]);
  newSet = [parties.mary, parties.stranger]
    .map(({ certificate }) => keyIdOf(certificate))
    .sort()
    .join(' ');
});

beforeEach(async () => {
  url = server.url(await server.createDatabase());
});

const replacement = (): BatchChange => {
  const old = [{ keyId: keyIdOf(parties.fred.certificate) }, { expiresBefore: new Date(0) }];
  return { kind: 'recipients', verify: false, change: { replace: { old, new: stranger } } };
};

async function* each(paths: readonly string[]): AsyncGenerator<string> {
  yield* paths;
}

/** Queues paths below a root; the id of the batch. */
async function queued(paths: readonly string[], change = replacement(), filesPerJob = 10): Promise<string> {
  const database = await QueueDatabase.open(url);
  try {
    return (await enqueue(database, change, each(paths), { filesPerJob })).batch;
  } finally {
    await database.close();
  }
}

/** Works in this process until nothing is left. */
async function work(root: string, options: Partial<WorkerOptions> = {}): Promise<string[]> {
  const told: string[] = [];
  const database = await QueueDatabase.open(url, true);
  const onTrouble = (error: unknown) => told.push((error as Error).message);
  const signal = new AbortController().signal;
  try {
    await runWorker(database, { root, keys: parties.keys, concurrency: 4, drain: true, signal, onTrouble, ...options });
  } finally {
    await database.close();
  }
  return told;
}

async function statusOf(batch: string) {
  const database = QueueDatabase.look(url);
  try {
    const [status] = await batchStatuses(database, batch);
    return { status: status!, failures: await failuresOf(database, batch) };
  } finally {
    await database.close();
  }
}

const below = (root: string) => filesBelow(root).map((path) => relative(root, path));

describe('two workers on one queue', () => {
  it('one of them killed: every file is done, and counted once', async () => {
    const root = await makeCallTree(60, parties.recipients);
    const batch = await queued(below(root));
    const options = ['--queue', url, '-k', parties.mary.privateKey, '--root', root, '--lease', '3', '-v'];
    const killed = start(['worker', ...options, '--concurrency', '1']);
    killed.stdin.end();
    const ended = once(killed, 'close');
    let told = '';
    for await (const text of killed.stderr.setEncoding('utf8')) {
      told += text;
      if (/: 10 files, 10 changed/.test(told)) killed.kill('SIGKILL');
    }
    expect((await ended)[1]).toBe('SIGKILL');
    const { status } = await statusOf(batch);
    expect(status).toMatchObject({ files: 60, filled: true, finished: false });
    // What it had when it was killed nobody else has yet.
    expect(status.activeJobs).toBeGreaterThan(0);

    const other = await callseal(['worker', ...options, '--drain']);
    expect([other.status, other.stderr]).toEqual([0, expect.stringContaining('0 failed\n')]);
    const after = (await statusOf(batch)).status;
    expect(after).toMatchObject({ finished: true, waiting: 0, failed: 0, activeJobs: 0 });
    expect(after.changed + after.unchanged).toBe(60);
    const files = filesBelow(root, TEMPORARY_NAME);
    expect(files).toHaveLength(60);
    for (const path of files) {
      expect(await keyIdsOf(path)).toBe(newSet);
      await verify(path, { keys: parties.keys });
    }
  });

  it('one of them stopped: the other has its job at once', async () => {
    const root = await makeCallTree(30, parties.recipients);
    const batch = await queued(below(root));
    const controller = new AbortController();
    await work(root, { signal: controller.signal, onJob: () => controller.abort() });
    expect((await statusOf(batch)).status).toMatchObject({ finished: false, activeJobs: 0 });
    await work(root);
    const { status } = await statusOf(batch);
    expect([status.finished, status.changed + status.unchanged, status.failed]).toEqual([true, 30, 0]);
  });
});

describe('a worker', () => {
  it('lists what failed for good, and tries again what may heal', async () => {
    const root = await makeCallTree(4, parties.recipients);
    const [broken, gone, cut, fine] = below(root) as [string, string, string, string];
    const altered = readFileSync(join(root, broken));
    altered[100]! ^= 1;
    writeFileSync(join(root, broken), altered);
    renameSync(join(root, gone), join(tempDir(), basename(gone)));
    const whole = readFileSync(join(root, cut));
    writeFileSync(join(root, cut), whole.subarray(0, -1));
    writeFileSync(join(root, 'notes.txt'), 'no call');
    const batch = await queued([broken, gone, cut, fine, 'notes.txt']);

    const controller = new AbortController();
    const done = work(root, { signal: controller.signal, drain: false, onJob: () => controller.abort() });
    await done;
    const first = await statusOf(batch);
    expect(first.status).toMatchObject({
      changed: 1,
      passedOver: 1,
      failed: 2,
      retrying: 1,
      waiting: 1,
      finished: false,
    });
    const shown = (await callseal(['worker', 'status', '--queue', url, batch])).stdout.toString();
    expect(shown).toMatch(/ \d+\/s, .*1 to be tried again\n/);
    expect(shown).toContain(`  failed (1): ${gone}: ERR_IO: `);
    expect(shown).toContain(`  will be tried again (1): ${cut}: ERR_TRUNCATED: `);
    expect(first.failures.map(({ path, code, final, attempts }) => [path, code, final, attempts])).toEqual([
      [broken, 'ERR_TAMPERED', true, 1],
      [gone, 'ERR_IO', true, 1],
      [cut, 'ERR_TRUNCATED', false, 1],
    ]);

    writeFileSync(join(root, cut), whole); // its writer has finished
    await work(root);
    const second = await statusOf(batch);
    expect(second.status).toMatchObject({ changed: 2, passedOver: 1, failed: 2, retrying: 0, finished: true });
    expect(await keyIdsOf(join(root, cut))).toBe(newSet);
  });

  it('touches nothing outside its root, whatever the queue says', async () => {
    const outside = await makeCallTree(1, parties.recipients);
    const [target] = filesBelow(outside) as [string];
    const before = readFileSync(target);
    const root = await makeCallTree(1, parties.recipients);
    const [inside] = below(root) as [string];
    symlinkSync(outside, join(root, 'out'));
    symlinkSync(target, join(root, 'link.sealed'));
    mkdirSync(join(root, 'sub'));
    const lies = [
      target,
      relative(root, target),
      `sub/../${relative(root, target)}`,
      `out/${relative(outside, target)}`,
      'link.sealed',
      '',
      '.',
      'sub/',
    ];
    const batch = await queued([...lies, inside]);
    await work(root);
    const { status, failures } = await statusOf(batch);
    expect(status).toMatchObject({ changed: 1, failed: lies.length, finished: true });
    expect(failures.map(({ code }) => code)).toEqual(lies.map(() => 'ERR_INVALID_ARGUMENT'));
    expect(readFileSync(target).equals(before)).toBe(true);
    expect(await codeOf(() => placeOf(root, 'a\0b'))).toBe('ERR_INVALID_ARGUMENT');
  });

  it('leaves out jobs that are none, and batches that it cannot understand', async () => {
    const root = await makeCallTree(1, parties.recipients);
    const [path] = below(root) as [string];
    const batches = [await queued([path]), await queued([path])] as const;
    const good = await queued([path]);
    const database = await QueueDatabase.open(url);
    const set = `update ${database.schema}.callseal_batch set change =`;
    await database.executeSql(`${set} '{"kind": "shell", "command": "x"}' where id = $1`, [batches[0]]);
    await database.executeSql(`${set} jsonb_set(change, '{replace,new,keyIds}', '["ab"]') where id = $1`, [batches[1]]);
    const data = [{}, { batch: good, paths: 'all', attempt: 1 }, { batch: 'x', paths: [], attempt: 1 }];
    const odd = [...data, { batch: good, paths: [5, null, { path }], attempt: 1 }];
    await database.boss.insert(odd.map((each) => jobOf(each)));
    await database.close();
    const told = await work(root);
    expect(told.filter((line) => line.includes('cannot be understood; left out'))).toHaveLength(3);
    expect((await statusOf(batches[0])).status.problem).toContain('its kind is "shell"');
    expect((await statusOf(batches[1])).status).toMatchObject({ finished: true, failed: 1 });
    expect((await statusOf(good)).failures.map(({ path: each }) => each)).toEqual(['5', 'null', `{"path":"${path}"}`]);
    expect(await keyIdsOf(join(root, path))).toBe(newSet);
  });

  it('goes on when the database has been away', async () => {
    const root = await makeCallTree(1, parties.recipients);
    const controller = new AbortController();
    const database = await QueueDatabase.open(url, true);
    const troubles: unknown[] = [];
    const running = new Promise<void>((resolve, reject) => {
      const told = { onJob: () => resolve(), onTrouble: (error: unknown) => troubles.push(error) };
      const options = { root, keys: parties.keys, concurrency: 1, signal: controller.signal, ...told };
      runWorker(database, options).catch(reject);
    });
    await server.stop();
    await expect.poll(() => troubles.length, { timeout: 20_000 }).toBeGreaterThan(0);
    await server.start();
    await queued(below(root));
    await running;
    controller.abort();
    await database.close();
    expect((troubles[0] as { code: string }).code).toBe('ERR_QUEUE_UNAVAILABLE');
    expect(await keyIdsOf(filesBelow(root)[0]!)).toBe(newSet);
  });

  it('gives files only to keys that it is told to allow', async () => {
    const root = await makeCallTree(1, parties.recipients);
    const [path] = below(root) as [string];
    const batch = await queued([path]);
    const before = readFileSync(join(root, path));
    const [told] = await work(root, { allowed: new Set([keyIdOf(parties.fred.certificate)]) });
    expect(told).toContain(`it gives files to key ${keyIdOf(parties.stranger.certificate)}`);
    expect((await statusOf(batch)).status).toMatchObject({ failed: 1, finished: true });
    expect(readFileSync(join(root, path)).equals(before)).toBe(true);
    await queued([path]);
    await work(root, { allowed: new Set([keyIdOf(parties.stranger.certificate)]) });
    expect(await keyIdsOf(join(root, path))).toBe(newSet);
  });
});

describe('the command line', () => {
  it('queues a tree, works, and shows how far it is from any host', async () => {
    const root = await makeCallTree(5, parties.recipients);
    writeFileSync(join(root, 'notes.txt'), 'no call');
    const none = await callseal(['worker', 'status', '--queue', url]);
    expect([none.status, none.stderr]).toEqual([0, 'callseal: worker status: nothing was ever queued there\n']);
    const remove = ['recipients', 'remove', '--cert', parties.fred.certificate, '-R', root, '--queue', url];
    const made = await callseal(remove);
    expect([made.status, made.stderr]).toEqual([0, expect.stringContaining('6 files queued in 1 job\n')]);
    const batch = made.stdout.toString().trim();
    const worker = ['worker', '--queue', url, '-k', parties.mary.privateKey, '--root', root, '--drain'];
    const worked = await callseal(worker);
    expect(worked.stderr).toContain(`batch ${batch}: removes [{"keyId":"${keyIdOf(parties.fred.certificate)}"}]\n`);
    const changed = expect.stringContaining('5 files changed, 0 as they should be');
    expect([worked.status, worked.stderr]).toEqual([0, changed]);

    const rekey = ['rekey', '-r', parties.mary.certificate, '-R', join(root, 'day-0'), '--root', root, '--queue', url];
    const second = JSON.parse((await callseal([...rekey, '--json'])).stdout.toString());
    expect(second).toMatchObject({ files: 5, jobs: 1 });
    const before = filesBelow(root).map((path) => readFileSync(path).subarray(16, 32).toString('hex'));
    const anew = await callseal(worker);
    expect([anew.status, anew.stderr]).toEqual([0, changed]);

    const status = await callseal(['worker', 'status', '--queue', url, batch, '--json']);
    expect(JSON.parse(status.stdout.toString())).toMatchObject({
      batches: [{ batch, files: 6, changed: 5, passedOver: 1, failed: 0, finished: true, failures: [] }],
    });
    const text = (await callseal(['worker', '--queue', url, 'status'])).stdout.toString();
    expect(text.split('\n')).toHaveLength(6);
    expect(text).toMatch(/BATCH +QUEUED +FILES.*\n.* finished\n.* finished\n/);
    for (const path of filesBelow(join(root, 'day-0'))) {
      expect(await keyIdsOf(path)).toBe(keyIdOf(parties.mary.certificate));
      await verify(path, { keys: parties.keys });
      expect(before).not.toContain(readFileSync(path).subarray(16, 32).toString('hex'));
    }
  });

  it('says that nobody works at a batch, or that it was never queued as a whole', async () => {
    await queued(['a.sealed', 'b.sealed']);
    const cut = async function* () {
      yield 'c.sealed';
      throw new Error('the tree could not be read any further');
    };
    const database = await QueueDatabase.open(url);
    await expect(enqueue(database, replacement(), cut(), { filesPerJob: 1 })).rejects.toThrow('any further');
    await database.close();
    const { stdout, status } = await callseal(['worker', 'status', '--queue', url]);
    const states = stdout.toString().split('\n').slice(1, 3);
    expect(status).toBe(0);
    expect(states[0]).toContain('still being queued, or that was ended');
    expect(states[1]).toMatch(/ 2 +0\/s, no worker at it$/);
  });

  it.each([
    [['recipients', 'add', '-k', 'KEY', '-r', 'CERT', 'CERT', '--queue', 'URL'], '-k is for callseal worker'],
    [['recipients', 'add', '-r', 'CERT', 'CERT', '--queue', 'URL', '--root', '/nowhere'], 'is not below /nowhere'],
    [['worker', '--queue', 'URL'], '-k KEY'],
  ])('asks for what is missing in %j', async (args, words) => {
    const { privateKey, certificate } = parties.mary;
    const given: Record<string, string> = { KEY: privateKey, CERT: certificate, URL: url };
    const { status, stderr } = await callseal(args.map((word) => given[word] ?? word));
    expect(stderr).toContain(words);
    expect(status).toBe(2);
  });

  it('says why the queue cannot be reached', async () => {
    const nowhere = ['--queue', 'postgres://nobody@127.0.0.1:1/none'];
    for (const args of [
      ['worker', '-k', parties.mary.privateKey],
      ['worker', 'status'],
    ]) {
      const { status, stderr } = await callseal([...args, ...nowhere]);
      expect(stderr).toContain('nothing listens there');
      expect(status).toBe(18);
    }
  });
});
