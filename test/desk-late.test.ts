/** What comes after keys were forgotten, or while the desk ends, is not kept; what runs is broken off. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { readSecretBody } from '../lib/desk/body.ts';
import { Contents } from '../lib/desk/contents.ts';
import { KeyTray } from '../lib/desk/key-tray.ts';
import { FolderFile } from '../lib/desk/sealed-file.ts';
import { Shelf } from '../lib/desk/shelf.ts';
import { KeyRing } from '../lib/recipients/keyring.ts';
import { Recipients } from '../lib/recipients/recipients.ts';
import { closeDesk, DeskClient, seal, startDesk } from './helpers/desk.ts';
import { codeOf } from './helpers/errors.ts';
import { type KeyPair, makeKeyPair, openssl } from './helpers/keys.ts';
import { tempDir } from './helpers/temp.ts';

const PASSPHRASE = Buffer.from('correct horse');

let mary: KeyPair;
let recipients: Recipients;
let keys: KeyRing;
let root: string;
/** With a passphrase. */
let lucyKey: string;

beforeAll(async () => {
  mary = makeKeyPair(tempDir(), { name: 'mary' });
  recipients = await Recipients.load([mary.certificate]);
  keys = new KeyRing([mary.privateKey]);
  root = tempDir();
  await seal(root, 'call.sealed', Buffer.alloc(50_000, 1), recipients, 4096);
  lucyKey = makeKeyPair(tempDir(), { name: 'lucy', passphrase: String(PASSPHRASE) }).privateKey;
});

describe('a key that is opened while keys are forgotten', () => {
  it('is destroyed, as one that is given', async () => {
    for (const forget of ['forgetAll', 'close'] as const) {
      const tray = new KeyTray();
      const adding = tray.add('lucy.key', readFileSync(lucyKey), PASSPHRASE);
      tray[forget]();
      expect(await codeOf(() => adding)).toBe('ERR_INVALID_ARGUMENT');
      expect(tray.list()).toEqual([]);
    }
  });

  it('is destroyed, as one of the command line', async () => {
    const tray = new KeyTray();
    await tray.takeFiles([lucyKey], []);
    const { id } = tray.list()[0]!;
    for (const forget of [() => tray.forget(id), () => tray.forgetAll()]) {
      const unlocking = tray.unlock(id, PASSPHRASE);
      forget();
      expect(await codeOf(() => unlocking)).toBe('ERR_INVALID_ARGUMENT');
      expect(tray.list()).toMatchObject([{ locked: true }]);
    }
    await tray.unlock(id, PASSPHRASE);
    tray.close();
    expect(await codeOf(() => tray.unlock(id, PASSPHRASE))).toBe('ERR_INVALID_ARGUMENT');
  });
});

describe('content', () => {
  const shelf = async () => {
    const files = await Shelf.open([root], '.sealed');
    await files.scan();
    return files.file(0);
  };

  it('that is opened while its like is closed is closed, and no other', async () => {
    const contents = new Contents();
    const { file, view } = await shelf();
    const open = () => contents.open(0, file, view.plainName, keys, false);
    const opening = open();
    await contents.closeWhere(({ fileId }) => fileId === 0);
    expect(await codeOf(() => opening)).toBe('ERR_KEY_USE');
    const other = open();
    await contents.closeWhere(({ fileId }) => fileId === 1);
    expect(contents.get((await other).handle).fileId).toBe(0);
    await contents.closeWhere(() => true);
  });

  it('that is closed is checked no further', async () => {
    const contents = new Contents();
    const { file, view } = await shelf();
    const { handle } = await contents.open(0, file, view.plainName, keys, false);
    const checking = contents.get(handle).proof.find(keys, new AbortController().signal);
    await Promise.all([
      contents.closeWhere(() => true),
      expect(checking).rejects.toMatchObject({ code: 'ERR_KEY_USE' }),
    ]);
  });
});

it('saving stops when a key is forgotten', async () => {
  const names = Array.from({ length: 20 }, (_, n) => `call-${n}.sealed`);
  const many = tempDir();
  for (const name of names) await seal(many, name, Buffer.alloc(100_000), recipients, 4096);
  const { desk } = await startDesk({ paths: [many], keys: [mary.privateKey], outputDir: join(tempDir(), 'o') });
  const tasks = names.map((_, id) => desk.shelf.file(id));
  const trouble: unknown[] = [];
  desk.save!.start(tasks, desk.keys.ring(), (error) => trouble.push(error));
  await desk.forgetKey(desk.keys.list()[0]!.id);
  expect(desk.save!.view).toMatchObject({ running: false, cancelled: true });
  expect(desk.save!.view.saved).toBeLessThan(names.length);
  expect(trouble).toEqual([]);
});

it('the end of the desk waits for what is under way', async () => {
  const slow = join(tempDir(), 'slow.key');
  const output = ['-passout', `pass:${PASSPHRASE}`, '-out', slow];
  openssl('pkcs8', '-topk8', '-in', mary.privateKey, '-iter', '1000000', ...output);
  const test = await startDesk();
  const client = await DeskClient.enter(test);
  const add = vi.spyOn(test.desk.keys, 'add');
  const given = client.giveKey('slow.key', readFileSync(slow), String(PASSPHRASE)).catch(() => 'no answer');
  await vi.waitFor(() => expect(add).toHaveBeenCalled(), { interval: 1 });
  await closeDesk(test);
  expect(add.mock.settledResults).toMatchObject([{ type: 'rejected' }]);
  expect(await given).toBe('no answer');
  expect(test.desk.keys.list()).toEqual([]);
});

it('a body that breaks off is overwritten', async () => {
  const pieces = [Buffer.from('pass'), Buffer.from('phra')];
  const request = {
    headers: { 'content-length': '10' },
    read: () => (pieces[1]!.some((byte) => byte !== 0) ? pieces[1] : null),
    async *[Symbol.asyncIterator]() {
      yield pieces[0];
      throw new Error('aborted');
    },
  };
  const from = vi.spyOn(Buffer, 'from');
  await expect(readSecretBody(request as never, 100)).rejects.toThrow('aborted');
  const bodies = from.mock.results.map(({ value }) => value as Buffer);
  from.mockRestore();
  expect([...pieces, ...bodies].map((bytes) => bytes.every((byte) => byte === 0))).toEqual([true, true, true]);
});

it('a search that fails is heard of where it was asked for, and the desk still closes', async () => {
  const unhandled: unknown[] = [];
  const hear = (error: unknown) => unhandled.push(error);
  process.on('unhandledRejection', hear);
  const opening = vi.spyOn(FolderFile.prototype, 'with');
  try {
    const [first, second] = await Promise.all([Shelf.open([root, root], '.sealed'), Shelf.open([root], '.sealed')]);
    opening.mockImplementation(() => Promise.reject(new TypeError('not expected')));
    await expect(first.scan()).rejects.toThrow('not expected');
    opening.mockClear().mockImplementation(async () => {
      await new Promise((resolve) => setTimeout(resolve, 100));
      throw new TypeError('not expected');
    });
    const scanning = expect(second.scan()).rejects.toThrow('not expected');
    await vi.waitFor(() => expect(opening).toHaveBeenCalled(), { interval: 1 });
    await Promise.all([second.close(), scanning]);
    expect(unhandled).toEqual([]);
  } finally {
    opening.mockRestore();
    process.off('unhandledRejection', hear);
  }
});

/** As the page has it, where it is not bundled. */
describe('a passphrase in the page', () => {
  it('is overwritten also when the key is not sent, or not taken', async () => {
    const { DeskApi } = await import(join(import.meta.dirname, '../desk/src/api.ts'));
    const api = new DeskApi('secret');
    const sent: Uint8Array[] = [];
    vi.stubGlobal('fetch', async (_: string, { body }: { body: Uint8Array }) => {
      sent.push(body);
      throw new TypeError('not sent');
    });
    const file = new File(['key'], 'lucy.key');
    const unreadable = { name: 'gone.key', arrayBuffer: () => Promise.reject(new Error('gone')) };
    for (const [given, length] of [
      [file, 2000],
      [unreadable, 10],
      [file, 10],
    ] as const) {
      const passphrase = new Uint8Array(length).fill(65);
      await expect(api.addKey(given, passphrase)).rejects.toThrow();
      expect(passphrase.every((byte) => byte === 0)).toBe(true);
    }
    vi.unstubAllGlobals();
    expect(sent.map((body) => [body.length, body.every((byte) => byte === 0)])).toEqual([[15, true]]);
  });
});
