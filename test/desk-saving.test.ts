/** What the desk saves is what was found authentic: the same file, as a whole, and not written to since. */

import { closeSync, openSync, renameSync, utimesSync, writeFileSync, writeSync } from 'node:fs';
import { get, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { encrypt } from '../lib/callfile/encrypt-buffer.ts';
import type { FileListing, FileView, OpenedView, VerifiedView } from '../lib/desk/protocol.ts';
import { Recipients } from '../lib/recipients/recipients.ts';
import { DeskClient, startDesk } from './helpers/desk.ts';
import { type KeyPair, makeKeyPair } from './helpers/keys.ts';
import { makeHost } from './helpers/signers.ts';
import { tempDir } from './helpers/temp.ts';

/** Whole seconds, which can be set exactly. */
const LONG_AGO = 1_700_000_000;
const CONTENT = Buffer.alloc(50_000, 'a call ');

let mary: KeyPair;
let recipients: Recipients;
/** Signed; and the same with another content and a signature that is wrong at its end. */
let good: Buffer;
let forged: Buffer;

beforeAll(async () => {
  mary = makeKeyPair(tempDir(), { name: 'mary' });
  recipients = await Recipients.load([mary.certificate]);
  const { signer } = await makeHost('P-256');
  const seal = async (bytes: Buffer) => Buffer.from(await encrypt(bytes, { recipients, signer, segmentLength: 4096 }));
  good = await seal(CONTENT);
  forged = await seal(Buffer.alloc(50_000, 'forged '));
  forged[forged.length - 10]! ^= 1;
});

/** A desk with one file, which is open. */
async function deskWith(bytes: Buffer) {
  const path = join(tempDir(), 'call.sealed');
  writeFileSync(path, bytes);
  utimesSync(path, LONG_AGO, LONG_AGO);
  const test = await startDesk({ paths: [path], keys: [mary.privateKey] });
  const client = await DeskClient.enter(test);
  const { files } = await client.json<FileListing>('GET', '/api/files');
  const { handle } = await client.json<OpenedView>('POST', `/api/files/${files[0]!.id}/open`, {});
  const verify = () => client.json<VerifiedView>('POST', `/api/open/${handle}/verify`);
  const save = async () => {
    const { status, body } = await client.ask('GET', `/media/${handle}/save`);
    return status === 200 ? body : (JSON.parse(body.toString()).problem.code as string);
  };
  return { path, test, client, handle, verify, save };
}

/** Puts another file under the name. */
function replace(path: string, bytes: Buffer): void {
  writeFileSync(`${path}.new`, bytes);
  renameSync(`${path}.new`, path);
}

describe('a file that is saved', () => {
  it('was checked as a whole, whoever asks for it', async () => {
    const whole = await deskWith(good);
    expect(await whole.save()).toBe('ERR_INVALID_ARGUMENT');
    expect(await whole.verify()).toMatchObject({ plaintextBytes: 50_000, signer: { content: 'verified' } });
    expect(CONTENT.equals((await whole.save()) as Buffer)).toBe(true);
    const bad = await deskWith(forged);
    await expect(bad.verify()).rejects.toMatchObject({ code: 'ERR_TAMPERED' });
    expect(await bad.save()).toBe('ERR_INVALID_ARGUMENT');
    expect(bad.test.troubles).toEqual([]);
  });

  it('is saved to its end when the page closes it meanwhile, and closed then', async () => {
    const content = Buffer.alloc(20_000_000, 'a call ');
    const { test, client, handle, verify } = await deskWith(Buffer.from(await encrypt(content, { recipients })));
    await verify();
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const where = new URL(`/media/${handle}/save`, test.origin);
      get(where, { agent: false, headers: client.headers }, resolve).on('error', reject);
    });
    expect((await client.ask('DELETE', `/api/open/${handle}`)).status).toBe(204);
    expect(test.desk.contents.get(handle).handle).toBe(handle);
    expect(content.equals(await buffer(response))).toBe(true);
    await vi.waitFor(() => expect(() => test.desk.contents.get(handle)).toThrow(/closed/));
  });

  it('is the one that was checked, whatever has its name meanwhile', async () => {
    const bad = await deskWith(forged);
    replace(bad.path, good);
    await expect(bad.verify()).rejects.toMatchObject({ code: 'ERR_TAMPERED' });
    expect(await bad.save()).toBe('ERR_INVALID_ARGUMENT');
    const whole = await deskWith(good);
    replace(whole.path, forged);
    await whole.verify();
    expect(CONTENT.equals((await whole.save()) as Buffer)).toBe(true);
  });

  it('is checked again once somebody has written to it, also when its times say otherwise', async () => {
    const { path, verify, save } = await deskWith(good);
    await verify();
    const file = openSync(path, 'r+');
    writeSync(file, good, 20_000, 1, 20_000);
    closeSync(file);
    utimesSync(path, LONG_AGO, LONG_AGO);
    expect(await save()).toBe('ERR_INPUT_CHANGED');
    await verify();
    expect(CONTENT.equals((await save()) as Buffer)).toBe(true);
  });

  it('that was dropped is checked on the file that is read, too', async () => {
    const test = await startDesk({ keys: [mary.privateKey] });
    const client = await DeskClient.enter(test);
    const { id } = await client.drop<FileView>('call.sealed', forged);
    const { handle } = await client.json<OpenedView>('POST', `/api/files/${id}/open`, {});
    const verifying = client.json('POST', `/api/open/${handle}/verify`);
    await expect(verifying).rejects.toMatchObject({
      code: 'ERR_TAMPERED',
      message: expect.stringMatching(/^call.sealed/),
    });
    expect((await client.ask('GET', `/media/${handle}/save`)).status).toBe(422);
    await client.json('DELETE', `/api/files/${id}`);
  });
});
