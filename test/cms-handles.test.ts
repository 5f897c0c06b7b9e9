/** The native side of CMS messages: what it takes, and what it refuses with a code. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';

import type { NativeEnvelopeTemplate, NativeInputFile, NativePrivateKey } from '../lib/native/binding.ts';
import type { NativeCmsInput } from '../lib/native/cms-binding.ts';
import { native } from '../lib/native/load.ts';
import { partnerEncrypts } from './helpers/cms.ts';
import { codeOf } from './helpers/errors.ts';
import { type KeyPair, makeKeyPair } from './helpers/keys.ts';
import { tempDir } from './helpers/temp.ts';

const n = native();
const bytes = (length: number) => new Uint8Array(length);
const output = () => ({ path: join(tempDir(), 'out'), replace: false, sync: false });

let pair: KeyPair;
let key: NativePrivateKey;
let path: string;
let message: NativeCmsInput;
let file: NativeInputFile;
let template: NativeEnvelopeTemplate;

const envelope = () => ({
  wrappedKey: bytes(256),
  prelude: bytes(48),
  authenticated: bytes(48),
  mac: bytes(32),
  bodyLabel: bytes(1),
  macLabel: bytes(1),
});

beforeAll(async () => {
  pair = makeKeyPair(tempDir());
  key = await n.PrivateKey.load(pair.privateKey, null);
  const plain = join(tempDir(), 'plain');
  writeFileSync(plain, 'what was said');
  path = partnerEncrypts(plain, [pair.certificate]);
  message = await n.CmsInput.open(path, null);
  file = (await n.InputFile.open(plain, null, 0)).file;
  const wraps = [{ publicKey: key.publicKey, offset: 0 }];
  template = new n.EnvelopeTemplate({ recipients: bytes(256), wraps, bodyLabel: bytes(1), macLabel: bytes(1) });
});

async function allRefuse(takers: Record<string, (value: never) => unknown>, wrong: readonly unknown[]): Promise<void> {
  for (const [name, take] of Object.entries(takers)) {
    for (const value of wrong) {
      expect([name, value, await codeOf(() => take(value as never))]).toEqual([name, value, 'ERR_INVALID_ARGUMENT']);
    }
  }
}

const NOTHING = [undefined, 5, 'x', {}, Symbol('x')];

describe('a message', () => {
  it('says for whom it is, and which of them a certificate is', async () => {
    expect(message.recipients).toEqual([
      { name: expect.stringMatching(/^serial [0-9a-f]{2,}, issuer .*CN=my/), wrappedBytes: 256, problem: null },
    ]);
    expect(await message.match(pair.certificate)).toEqual([{ recipient: 0, keyId: key.spkiSha256 }]);
    expect(await message.match(makeKeyPair(tempDir(), { name: 'other' }).certificate)).toEqual([]);
    expect(await codeOf(() => message.match(pair.privateKey))).toBe('ERR_CERTIFICATE_UNREADABLE');
    expect(await codeOf(() => message.match('/nonexistent'))).toBe('ERR_IO');
  });

  it('opens with its key only, and gives a key that serves nothing else', async () => {
    const content = await message.unwrap(key, 0);
    expect(content.use).toBe('cms');
    expect(await codeOf(() => content.encryptGcm(bytes(1), bytes(0)))).toBe('ERR_KEY_USE');
    expect(await codeOf(() => key.publicKey.wrap(content))).toBe('ERR_KEY_USE');
    expect(await codeOf(() => n.SecretKey.generate('cms'))).toBe('ERR_INVALID_ARGUMENT');
    for (const use of ['content', 'gcm', 'floe'] as const) {
      const other = n.SecretKey.generate(use);
      expect(await codeOf(() => message.import(other, template, bytes(48), output(), 4096, null))).toBe('ERR_KEY_USE');
    }
    expect(await codeOf(async () => message.unwrap(await n.PrivateKey.generate(2048), 0))).toBe('ERR_TAMPERED');
    expect(await codeOf(() => message.unwrap(key, 1))).toBe('ERR_INVALID_ARGUMENT');
  });

  it('refuses what is no argument of it', async () => {
    const content = await message.unwrap(key, 0);
    await allRefuse(
      {
        open: (value) => n.CmsInput.open(value, null),
        match: (value) => message.match(value),
        'open output': (value) => n.CmsInput.open(path, value),
        'unwrap key': (value) => message.unwrap(value, 0),
        'import key': (value) => message.import(value, template, bytes(48), output(), 4096, null),
        'import template': (value) => message.import(content, value, bytes(48), output(), 4096, null),
        'import prelude': (value) => message.import(content, template, value, output(), 4096, null),
        'import output': (value) => message.import(content, template, bytes(48), value, 4096, null),
        'import control': (value) => message.import(content, template, bytes(48), output(), 4096, value),
      },
      NOTHING.filter((value) => typeof value !== 'string'),
    );
    await allRefuse(
      {
        'unwrap recipient': (value) => message.unwrap(key, value),
        'import segmentLength': (value) => message.import(content, template, bytes(48), output(), value, null),
      },
      [undefined, '0', -1, 1.5, 2 ** 53],
    );
  });

  it('does nothing once it was destroyed', async () => {
    const gone = await n.CmsInput.open(path, null);
    const content = await gone.unwrap(key, 0);
    gone.destroy();
    gone.destroy();
    for (const use of [
      () => gone.recipients,
      () => gone.match(pair.certificate),
      () => gone.unwrap(key, 0),
      () => gone.import(content, template, bytes(48), output(), 4096, null),
    ]) {
      expect(await codeOf(use)).toBe('ERR_KEY_USE');
    }
  });
});

describe('exportCms', () => {
  it('refuses what is no argument of it', async () => {
    const wrap = { publicKey: key.publicKey, issuerAndSerial: bytes(4) };
    await allRefuse(
      {
        file: (value) => n.exportCms(value, key, envelope(), 0, [wrap], false, output(), null),
        key: (value) => n.exportCms(file, value, envelope(), 0, [wrap], false, output(), null),
        envelope: (value) => n.exportCms(file, key, value, 0, [wrap], false, output(), null),
        bodyOffset: (value) =>
          n.exportCms(file, key, envelope(), value === 5 ? -1 : value, [wrap], false, output(), null),
        wraps: (value) => n.exportCms(file, key, envelope(), 0, value, false, output(), null),
        wrap: (value) => n.exportCms(file, key, envelope(), 0, [value], false, output(), null),
        publicKey: (publicKey) =>
          n.exportCms(file, key, envelope(), 0, [{ ...wrap, publicKey }], false, output(), null),
        issuerAndSerial: (issuerAndSerial) =>
          n.exportCms(file, key, envelope(), 0, [{ ...wrap, issuerAndSerial }], false, output(), null),
        pem: (value) => n.exportCms(file, key, envelope(), 0, [wrap], value, output(), null),
        output: (value) => n.exportCms(file, key, envelope(), 0, [wrap], false, value, null),
        control: (value) => n.exportCms(file, key, envelope(), 0, [wrap], false, output(), value),
      },
      NOTHING,
    );
  });
});
