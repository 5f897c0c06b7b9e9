/** `callseal recipients` and `callseal rekey`, as they are typed. */

import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';

import { encryptFile } from '../lib/callfile/encrypt.ts';
import { verify } from '../lib/callfile/verify.ts';
import { KeyRing } from '../lib/recipients/keyring.ts';
import { Recipients } from '../lib/recipients/recipients.ts';
import { filesBelow } from './helpers/below.ts';
import { keyIdsOf, makeCallTree } from './helpers/call-tree.ts';
import { callseal } from './helpers/cli.ts';
import { certify, keyIdOf } from './helpers/keys.ts';
import { makeParties, type Parties } from './helpers/parties.ts';
import { tempDir } from './helpers/temp.ts';

let parties: Parties;
let ids: Record<'mary' | 'fred' | 'stranger', string>;

beforeAll(async () => {
  parties = await makeParties();
  const { mary, fred, stranger } = parties;
  ids = { mary: keyIdOf(mary.certificate), fred: keyIdOf(fred.certificate), stranger: keyIdOf(stranger.certificate) };
});

const set = (...keyIds: string[]) => keyIds.sort().join(' ');
const run = (...args: string[]) => callseal(['recipients', ...args]);
const linesOf = (stdout: Buffer): Record<string, unknown>[] =>
  stdout
    .toString()
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));

/** A tree of four files for Mary and Fred, something else, and a file that is cut. */
async function mixedTree(): Promise<{ root: string; whole: string[]; cut: string }> {
  const root = await makeCallTree(4, parties.recipients);
  const whole = filesBelow(root);
  writeFileSync(join(root, 'notes.txt'), 'not a call');
  const cut = join(root, 'cut.sealed');
  writeFileSync(cut, readFileSync(whole[0]!).subarray(0, -1));
  return { root, whole, cut };
}

describe('callseal recipients', () => {
  it('adds, replaces and removes in a tree, a line of JSON for each file', async () => {
    const { root, whole, cut } = await mixedTree();
    const { mary, fred, stranger } = parties;
    const options = ['-k', mary.privateKey, '--json', '-R', root];

    const added = await run('add', '-r', stranger.certificate, ...options);
    expect(added.stderr).toBe(
      `callseal: recipients add: ${cut} is incomplete: its last segment has 54 of 55 bytes (if it is still being written, try again when it is finished); its writer stopped or it was cut, fetch it again from its source\n` +
        'callseal: recipients add: 4 files changed, 1 passed over, 1 failed\n',
    );
    expect(added.status).toBe(20);
    const lines = linesOf(added.stdout);
    expect(lines.map(({ file }) => file).sort()).toEqual([...whole, cut].sort());
    expect(lines.find(({ file }) => file === cut)).toMatchObject({ exitCode: 8, error: { code: 'ERR_TRUNCATED' } });
    expect(lines.find(({ file }) => file === whole[1])).toMatchObject({
      exitCode: 0,
      error: null,
      changed: true,
      added: [{ keyId: ids.stranger }],
      removed: [],
      recipients: 3,
    });
    for (const path of whole) expect(await keyIdsOf(path)).toBe(set(ids.mary, ids.fred, ids.stranger));

    const unfinished = join(root, '.call.0123456789abcdef.callseal-tmp');
    writeFileSync(unfinished, readFileSync(whole[0]!));
    const again = await run('add', '-r', stranger.certificate, ...options);
    expect(again.stderr).toContain('warning: 1 unfinished file (.….callseal-tmp) of commands that were killed');
    rmSync(unfinished);
    expect(again.stderr).toContain('0 files changed, 4 as they should be, 2 passed over, 1 failed\n');

    const removed = await run('remove', '--cert', fred.certificate, '-m', 'subject=CN=stranger', ...options);
    expect(removed.stderr).toContain('4 files changed');
    for (const path of whole) expect(await keyIdsOf(path)).toBe(ids.mary);

    const replaced = await run('replace', '--old', mary.certificate, '--new', fred.certificate, ...options);
    expect(replaced.stderr).toContain('4 files changed');
    for (const path of whole) expect(await keyIdsOf(path)).toBe(ids.fred);
    expect((await verify(whole[3]!, { keys: new KeyRing([fred.privateKey]) })).plaintextBytes).toBe(23);
  });

  it('lists without a key, all files or those of somebody', async () => {
    const { root, whole } = await mixedTree();
    await run('remove', '-k', parties.mary.privateKey, '-m', 'subject=CN=fred', whole[0]!);
    const all = await run('list', '--json', '-R', root);
    expect(linesOf(all.stdout)).toHaveLength(5);
    expect(all.stderr).toBe('callseal: recipients list: 5 files listed, 1 passed over\n');
    const some = await run('list', '--json', '-R', '-m', `key-id=${ids.fred}`, root);
    expect(linesOf(some.stdout).map(({ file }) => file)).not.toContain(whole[0]);
    expect(some.stderr).toContain('4 files listed, 1 of others');
    const text = await run('list', whole[0]!);
    expect(text.stdout.toString()).toMatch(
      /^\S+call-\d\.callsre\.sealed\n {2}.*CN=mary.*, RSA 2048 bits, expires .*, key id [0-9a-f]{64}\n$/,
    );
    expect([text.stderr, text.status]).toEqual(['', 0]);
  });

  it('says of a single file what was done, and ends in its own code', async () => {
    const { whole, cut } = await mixedTree();
    const [path] = whole as [string];
    const add = ['add', '-k', parties.mary.privateKey, '-r', parties.stranger.certificate];
    const before = readFileSync(path);
    const dry = await run(...add, '--dry-run', path);
    expect(dry.stderr).toBe(`callseal: recipients add: ${path}: would be changed from 2 recipients to 3\n`);
    expect(readFileSync(path).equals(before)).toBe(true);
    const done = await run(...add, path);
    expect(done.stderr).toBe(`callseal: recipients add: ${path}: changed from 2 recipients to 3\n`);
    const again = await run(...add, '--verify', path);
    expect(again.stderr).toContain('has what it should have, 3 recipients; left alone\n');
    expect((await run(...add, cut)).status).toBe(8);
    expect((await run('remove', '-k', parties.mary.privateKey, '-m', 'subject=C=US', path)).status).toBe(4);
    const strange = ['remove', '-k', parties.stranger.privateKey, '-m', 'subject=CN=fred', whole[1]!];
    expect((await run(...strange)).status).toBe(5);
  });

  it('takes an expired certificate as the old one, and refuses one as the new', async () => {
    const dates = { from: '20200101000000Z', to: '20210101000000Z', name: 'fred' };
    const expired = certify(tempDir(), parties.fred.privateKey, dates);
    const { whole } = await mixedTree();
    const replace = ['replace', '-k', parties.mary.privateKey];
    const refused = await run(...replace, '--old', parties.mary.certificate, '--new', expired, whole[0]!);
    expect([refused.status, refused.stderr.includes('--expired warn uses it')]).toEqual([4, true]);
    await run(...replace, '--old', expired, '--new', parties.stranger.certificate, whole[0]!);
    expect(await keyIdsOf(whole[0]!)).toBe(set(ids.mary, ids.stranger));
  });

  it.each([
    [['add', '-r', 'x.crt', 'file'], '-k KEY'],
    [['remove', '-k', 'KEY', 'FILE'], '--cert FILE or --match MATCH'],
    [['replace', '-k', 'KEY', '--old', 'CERT', 'FILE'], '--new CERT'],
    [['add', '-k', 'KEY', '-r', 'CERT', '/'], '--recursive'],
  ])('asks for what is missing in %j', async (args, words) => {
    const { privateKey, certificate } = parties.mary;
    const given = args.map((word) => ({ KEY: privateKey, CERT: certificate, FILE: certificate })[word] ?? word);
    const { status, stderr } = await run(...given);
    expect(stderr).toContain(words);
    expect(status).toBe(2);
  });
});

describe('many files at once', () => {
  it('are as many as the thread pool has threads', async () => {
    const root = await makeCallTree(40, parties.recipients);
    const line = ['recipients', 'add', '-k', parties.mary.privateKey, '-r', parties.stranger.certificate, '-R', root];
    const { stderr } = await callseal(line, { env: { UV_THREADPOOL_SIZE: '20' } });
    expect(stderr).toBe('callseal: recipients add: 40 files changed\n');
  });
});

describe('callseal rekey', () => {
  it('gives files new keys once, for those named and nobody else', async () => {
    const root = await makeCallTree(3, parties.recipients);
    const began = new Date().toISOString();
    const line = ['rekey', '-k', parties.mary.privateKey, '-r', parties.mary.certificate, '--json', '-R', root];
    const first = await callseal(line);
    expect(first.stderr).toBe('callseal: rekey: 3 files rekeyed\n');
    expect(linesOf(first.stdout)).toHaveLength(3);
    for (const path of filesBelow(root)) {
      expect(await keyIdsOf(path)).toBe(ids.mary);
      expect((await verify(path, { keys: parties.keys })).plaintextBytes).toBe(23);
    }
    const more = await callseal([...line, '--before', began]);
    expect(more.stderr).toContain(`0 files rekeyed, 3 encrypted since ${began}`);
    expect((await callseal([...line, '--before', 'yesterday'])).status).toBe(2);
  });

  it('writes elsewhere with -o', async () => {
    const dir = tempDir();
    writeFileSync(join(dir, 'plain'), 'what was said');
    const recipients = await Recipients.load([parties.fred.certificate]);
    await encryptFile(join(dir, 'plain'), join(dir, 'old'), { recipients });
    const line = ['rekey', '-k', parties.fred.privateKey, '-r', parties.mary.certificate];
    const { status, stderr } = await callseal([...line, join(dir, 'old'), '-o', join(dir, 'new')]);
    expect([status, stderr]).toEqual([0, expect.stringMatching(/^callseal: rekey: \S+old: .* under a new key\n$/)]);
    expect([await keyIdsOf(join(dir, 'old')), await keyIdsOf(join(dir, 'new'))]).toEqual([ids.fred, ids.mary]);
    expect((await callseal([...line, join(dir, 'old'), '-o', join(dir, 'new')])).status).toBe(13);
  });
});
