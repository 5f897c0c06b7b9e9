/** Private keys at the desk: given as bytes, told apart when they are wrong, and forgotten. */

import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { readSecretBody } from '../lib/desk/body.ts';
import type { FileListing, KeyView, OpenedView } from '../lib/desk/protocol.ts';
import { Passphrase } from '../lib/native/passphrase.ts';
import { decodePrivateKey } from '../lib/recipients/private-key.ts';
import { closeDesk, DeskClient, seal, startDesk } from './helpers/desk.ts';
import { codeOf } from './helpers/errors.ts';
import { convertKey, isEncryptedForm, KEY_FORMS, type KeyForm, makeKeyPair } from './helpers/keys.ts';
import { makeParties, type Parties } from './helpers/parties.ts';
import { tempDir } from './helpers/temp.ts';

const PASSPHRASE = 'Grüße, Lucy';

let parties: Parties;
let root: string;
let lucyKey: string;

beforeAll(async () => {
  parties = await makeParties();
  root = tempDir();
  await seal(root, 'call.sealed', randomBytes(1000), parties.recipients);
  lucyKey = makeKeyPair(tempDir(), { name: 'lucy', passphrase: PASSPHRASE }).privateKey;
});

const keysOf = (client: DeskClient) => client.json<KeyView[]>('GET', '/api/keys');

async function openFirst(client: DeskClient): Promise<OpenedView> {
  const { files } = await client.json<FileListing>('GET', '/api/files');
  return client.json('POST', `/api/files/${files[0]!.id}/open`, {});
}

describe('a key that is given', () => {
  it('is opened in every form, with its passphrase alone', async () => {
    const client = await DeskClient.enter(await startDesk());
    for (const form of Object.keys(KEY_FORMS) as KeyForm[]) {
      const path = join(tempDir(), 'key');
      convertKey(parties.mary, form, path, PASSPHRASE);
      const bytes = readFileSync(path);
      if (isEncryptedForm(form)) {
        expect([form, await codeOf(() => client.giveKey('k', bytes))]).toEqual([form, 'ERR_PASSPHRASE_REQUIRED']);
        expect([form, await codeOf(() => client.giveKey('k', bytes, 'wrong'))]).toEqual([form, 'ERR_WRONG_PASSPHRASE']);
      }
      const key = await client.giveKey<KeyView>('k', bytes, isEncryptedForm(form) ? PASSPHRASE : '');
      expect(key).toMatchObject({ bits: 2048, locked: false });
    }
    expect(await keysOf(client)).toHaveLength(1); // the same key in all forms
  });

  it('and fits no file is told from one that is none', async () => {
    const test = await startDesk({ paths: [root] });
    const client = await DeskClient.enter(test);
    await expect(openFirst(client)).rejects.toMatchObject({ code: 'ERR_NO_MATCHING_KEY' });
    await client.giveKey('stranger.key', readFileSync(parties.stranger.privateKey));
    await expect(openFirst(client)).rejects.toThrow(/none of the keys at hand opens call\.sealed.*mary.*fred/);
    for (const bytes of [
      Buffer.alloc(0),
      randomBytes(5000),
      readFileSync(parties.mary.certificate),
      Buffer.alloc(1 << 20, 65),
    ]) {
      await expect(client.giveKey('k', bytes)).rejects.toMatchObject({ code: 'ERR_KEY_UNREADABLE' });
    }
    const ec = readFileSync(makeKeyPair(tempDir(), { bits: 'ec', name: 'ec' }).privateKey);
    await expect(client.giveKey('ec.key', ec)).rejects.toThrow(/RSA keys/);
    await client.giveKey('fred.key', readFileSync(parties.fred.privateKey));
    expect((await openFirst(client)).complete).toBe(true);
    expect(test.troubles).toEqual([]);
  });

  it('is refused when it is longer than any key, or its body has not its own length', async () => {
    const client = await DeskClient.enter(await startDesk());
    await expect(client.giveKey('k', Buffer.alloc((1 << 20) + 2000))).rejects.toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
    });
    for (const body of [Buffer.alloc(0), Buffer.from([0]), Buffer.from([0xff, 0xff, 1])]) {
      expect((await client.ask('POST', '/api/keys?name=k', body)).status).toBe(422);
    }
    await expect(client.giveKey('k', readFileSync(lucyKey), 'x'.repeat(1025))).rejects.toMatchObject({
      code: 'ERR_INVALID_ARGUMENT',
    });
  });
});

it('a key of the command line is open, or waits for its passphrase', async () => {
  const withOne = await startDesk({ keys: [parties.mary.privateKey, lucyKey] });
  const client = await DeskClient.enter(withOne);
  const [mary, lucy] = await keysOf(client);
  expect([mary!.locked, lucy!.locked]).toEqual([false, true]);
  const unlock = (passphrase: string) => client.ask('POST', `/api/keys/${lucy!.id}/unlock`, Buffer.from(passphrase));
  expect(JSON.parse((await unlock('wrong')).body.toString()).problem.code).toBe('ERR_WRONG_PASSPHRASE');
  expect((await unlock(PASSPHRASE)).status).toBe(200);
  expect((await keysOf(client)).every(({ locked }) => !locked)).toBe(true);
  await client.json('DELETE', '/api/keys');
  expect((await keysOf(client)).map(({ locked }) => locked)).toEqual([true, true]);
  const opened = await startDesk({ keys: [lucyKey], passphrases: [Passphrase.fromBytes(Buffer.from(PASSPHRASE))] });
  expect(opened.desk.keys.list()[0]!.locked).toBe(false);
  const wrong = { keys: [lucyKey], passphrases: [Passphrase.fromBytes(Buffer.from('wrong'))] };
  expect(await codeOf(() => startDesk(wrong))).toBe('ERR_WRONG_PASSPHRASE');
});

describe('keys are forgotten', () => {
  it('by the button, with everything that they had opened', async () => {
    const client = await DeskClient.enter(await startDesk({ paths: [root] }));
    const key = await client.giveKey<KeyView>('mary.key', readFileSync(parties.mary.privateKey));
    const { handle } = await openFirst(client);
    const told = await client.listen(); // as a tab that was duplicated
    await client.json('DELETE', `/api/keys/${key.id}`);
    expect(await keysOf(client)).toEqual([]);
    await vi.waitFor(() => expect(told).toContainEqual({ event: 'keys' }));
    const part = await client.ask('GET', `/api/open/${handle}/bytes`);
    expect(JSON.parse(part.body.toString()).problem.code).toBe('ERR_KEY_USE');
    expect((await client.ask('GET', `/media/${handle}/save`)).status).toBe(422);
  });

  it('when the page is gone', async () => {
    const test = await startDesk({ paths: [root] }, 0.3);
    const client = await DeskClient.enter(test);
    const page = new AbortController();
    const headers = { ...client.headers };
    await fetch(`${test.origin}/api/events`, { headers, signal: page.signal });
    await client.giveKey('mary.key', readFileSync(parties.mary.privateKey));
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(test.desk.keys.list()).toHaveLength(1); // it listens
    page.abort();
    await vi.waitFor(() => expect(test.desk.keys.list()).toEqual([]), { timeout: 5000 });
  });

  it('when the desk ends, which it does by itself when nobody is there', async () => {
    const test = await startDesk({ paths: [root], idleMinutes: 0.005 });
    const client = await DeskClient.enter(test);
    await client.giveKey('mary.key', readFileSync(parties.mary.privateKey));
    const ring = test.desk.keys.ring();
    expect(await test.desk.ended).toBe('idle');
    await closeDesk(test);
    expect(() => ring.opened()[0]!.publicKey).toThrow(/destroy/);
    expect(test.desk.keys.list()).toEqual([]);
  });
});

it('a download that takes longer than that is not broken off', async () => {
  const large = tempDir();
  await seal(large, 'call.sealed', Buffer.alloc(30_000_000, 1), parties.recipients);
  const test = await startDesk({ paths: [large], keys: [parties.mary.privateKey], idleMinutes: 0.005 }, 0.1);
  const client = await DeskClient.enter(test);
  const { handle } = await openFirst(client);
  await client.json('POST', `/api/open/${handle}/verify`);
  const response = await fetch(`${test.origin}/media/${handle}/save`, { headers: { ...client.headers } });
  await new Promise((resolve) => setTimeout(resolve, 1000)); // nobody reads it, and no page listens
  expect((await response.arrayBuffer()).byteLength).toBe(30_000_000);
  await vi.waitFor(() => expect(test.desk.keys.list()[0]!.locked).toBe(true), { timeout: 5000 });
  expect(await test.desk.ended).toBe('idle');
});

it('a body that may hold a secret is overwritten piece by piece', async () => {
  const pieces = [Buffer.from('pass'), Buffer.from('phrase')];
  const request = Object.assign(
    (async function* () {
      yield* pieces;
    })(),
    { headers: { 'content-length': '10' } },
  );
  const body = await readSecretBody(request as never, 100);
  expect(body.toString()).toBe('passphrase');
  expect(pieces.map((piece) => piece.every((byte) => byte === 0))).toEqual([true, true]);
});

it('key bytes are copied before they are decoded', async () => {
  const bytes = Buffer.from(readFileSync(parties.mary.privateKey));
  const decoding = decodePrivateKey(bytes, 'mary.key');
  bytes.fill(0);
  const key = await decoding;
  expect(key.bits).toBe(2048);
  key.destroy();
});
