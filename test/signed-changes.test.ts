/**
 * Signed files that are written live, sealed, given to others, encrypted anew, exported and imported: their signature holds,
 * or is given up only where somebody says so.
 */

import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { sealFile } from '../lib/callfile/seal.ts';
import {
  changeRecipients,
  createCallFileWriter,
  decryptFile,
  encryptFile,
  exportCms,
  followCallFile,
  importCms,
  inspect,
  Recipients,
  rekeyFile,
  verify,
} from '../lib/index.ts';
import { fileTask } from '../lib/queue/file-task.ts';
import { codeOf, refusalOf } from './helpers/errors.ts';
import { openssl } from './helpers/keys.ts';
import { makeParties, type Parties } from './helpers/parties.ts';
import { joined, partsOf } from './helpers/signed-file.ts';
import { makeHost, SIGNER_KINDS, type SigningHost } from './helpers/signers.ts';
import { tempDir } from './helpers/temp.ts';
import { decodeCallFile } from './independent-decoder.ts';

const SEGMENT = 1024;
const FULL = SEGMENT - 32;
const PLAINTEXT = randomBytes(3 * FULL + 90);

let parties: Parties;
let stranger: Recipients;
let hosts: SigningHost[];
let host: SigningHost;
let other: SigningHost;
let dir: string;
const at = (name: string): string => join(dir, name);

beforeAll(async () => {
  parties = await makeParties();
  stranger = await Recipients.load([parties.stranger.certificate]);
  hosts = await Promise.all(SIGNER_KINDS.map((kind) => makeHost(kind)));
  [host, other] = hosts as [SigningHost, SigningHost];
});

beforeEach(() => {
  dir = tempDir();
  writeFileSync(at('call'), PLAINTEXT);
});

const sealed = async (signer = host.signer): Promise<string> => {
  const options = { recipients: parties.recipients, signer, segmentLength: SEGMENT, overwrite: true };
  await encryptFile(at('call'), at('call.sealed'), options);
  return at('call.sealed');
};

/** Proves it with this host's key alone, here and by a decoder of other make. */
async function expectSigned(path: string, by: SigningHost, privatePem = parties.maryPem, plaintext = PLAINTEXT) {
  if (privatePem === parties.maryPem) {
    const { signer } = await verify(path, { keys: parties.keys, requireSigner: by.required });
    expect(signer).toMatchObject({ trusted: true, content: 'verified' });
  }
  const decoded = decodeCallFile(readFileSync(path), privatePem);
  expect(decoded.signer?.keyId).toBe(by.signer.info.keyId);
  expect(decoded.plaintext.equals(plaintext)).toBe(true);
}

/** The file with one bit of a part changed. */
function spoiled(path: string, part: 'opening' | 'closing'): string {
  const parts = partsOf(readFileSync(path));
  const bytes = Buffer.from(parts[part]);
  bytes[bytes.length - 1]! ^= 1;
  writeFileSync(at(`${part}.sealed`), joined({ ...parts, [part]: bytes }));
  return at(`${part}.sealed`);
}

describe('a live file', () => {
  it('is signed by each kind of key, when it is closed', async () => {
    for (const by of hosts) {
      const path = at(`${by.kind}.sealed`);
      const options = { recipients: parties.recipients, signer: by.signer, segmentLength: SEGMENT };
      const writer = await createCallFileWriter(path, options);
      await writer.write(PLAINTEXT.subarray(0, 1500));
      await writer.write(PLAINTEXT.subarray(1500));
      expect(await inspect(path)).toMatchObject({ complete: false, signer: { keyId: by.signer.info.keyId } });
      const { outputBytes } = await writer.close();
      expect(outputBytes).toBe(readFileSync(path).length);
      await expectSigned(path, by);
      expect(await inspect(path)).toMatchObject({ complete: true, plaintextBytes: PLAINTEXT.length });
    }
  });

  it('is followed to the end of its signature', async () => {
    const options = { recipients: parties.recipients, signer: host.signer, segmentLength: SEGMENT };
    const writer = await createCallFileWriter(at('live.sealed'), options);
    const { keys } = parties;
    const followed = followCallFile(at('live.sealed'), { keys, requireSigner: host.required, follow: true });
    const parts: Uint8Array[] = [];
    const reading = (async () => {
      for await (const part of followed) parts.push(part);
    })();
    await writer.write(PLAINTEXT);
    expect(followed.complete).toBe(false);
    await writer.close();
    await reading;
    expect(Buffer.concat(parts).equals(PLAINTEXT)).toBe(true);
    expect([followed.complete, followed.loss, followed.signer?.content]).toEqual([true, null, 'verified']);
  });

  it('is waited for where only its signature is missing, and refused when that is wrong', async () => {
    const file = readFileSync(await sealed());
    const { closing } = partsOf(file);
    for (const last of [closing, Buffer.alloc(closing.length, 7)]) {
      writeFileSync(at('slow.sealed'), file.subarray(0, file.length - closing.length));
      const { keys } = parties;
      const reader = followCallFile(at('slow.sealed'), { keys, follow: true })[Symbol.asyncIterator]();
      for (let segment = 0; segment < 4; segment++) expect((await reader.next()).done).toBe(false);
      const end = reader.next();
      const ended = await Promise.race([end.then(() => true), new Promise((done) => setTimeout(done, 700, false))]);
      expect(ended).toBe(false);
      writeFileSync(at('slow.sealed'), last, { flag: 'a' });
      if (last === closing) expect((await end).done).toBe(true);
      else expect(await codeOf(() => end)).toBe('ERR_TAMPERED');
    }
  });

  it('that was given up has the beginning of a signature', async () => {
    const options = { recipients: parties.recipients, signer: host.signer, segmentLength: SEGMENT };
    const writer = await createCallFileWriter(at('dead.sealed'), options);
    await writer.write(PLAINTEXT);
    await writer.abort();
    const how = { keys: parties.keys, requireSigner: host.required };
    const { signer, loss } = await decryptFile(at('dead.sealed'), at('recovered'), { ...how, recover: true });
    expect([signer?.content, signer?.trusted, loss?.reason]).toEqual(['opening-only', true, 'truncated']);
    expect(readFileSync(at('recovered')).equals(PLAINTEXT.subarray(0, 3 * FULL))).toBe(true);
    expect(await codeOf(() => decryptFile(at('dead.sealed'), at('strict'), how))).toBe('ERR_TRUNCATED');
  });
});

describe('a sealed file', () => {
  it('is signed, and its plaintext gone', async () => {
    const options = { recipients: parties.recipients, signer: host.signer, segmentLength: SEGMENT, quietFor: 0 };
    const { outputBytes } = await sealFile(at('call'), at('call.sealed'), options);
    expect([existsSync(at('call')), outputBytes]).toEqual([false, readFileSync(at('call.sealed')).length]);
    await expectSigned(at('call.sealed'), host);
  });
});

describe('a signed file for others than before', () => {
  it('bears the same signature, which holds', async () => {
    const path = await sealed();
    const before = partsOf(readFileSync(path));
    const replace = {
      old: [{ keyId: decodeCallFile(readFileSync(path), parties.maryPem).recipients[1]!.keyId }],
      new: stranger,
    };
    expect((await changeRecipients(path, { keys: parties.keys, replace })).changed).toBe(true);
    const after = partsOf(readFileSync(path));
    expect(after.before.equals(before.before)).toBe(false);
    expect(joined({ ...before, before: after.before }).equals(readFileSync(path))).toBe(true);
    await expectSigned(path, host);
    await expectSigned(path, host, readFileSync(parties.stranger.privateKey, 'utf8'));
  });

  it('is not changed when the end of its signature is missing', async () => {
    const path = await sealed();
    const file = readFileSync(path).subarray(0, -1);
    writeFileSync(path, file);
    expect(await codeOf(() => changeRecipients(path, { keys: parties.keys, add: stranger }))).toBe('ERR_TRUNCATED');
    expect(readFileSync(path).equals(file)).toBe(true);
  });
});

describe('a signed file under a new key', () => {
  const rekey = (path: string, more: Partial<Parameters<typeof rekeyFile>[2]> = {}) =>
    rekeyFile(path, null, { keys: parties.keys, recipients: parties.recipients, ...more });

  it('is signed anew, by another kind of key, too', async () => {
    for (const by of hosts) {
      const path = await sealed();
      const result = await rekey(path, { signer: by.signer, requireSigner: host.required, segmentLength: 2048 });
      expect(result.outputBytes).toBe(readFileSync(path).length);
      await expectSigned(path, by);
    }
  });

  it('is refused without a signer, and gives its signature up when told to', async () => {
    const path = await sealed();
    const file = readFileSync(path);
    const refusal = await refusalOf(() => rekey(path));
    expect([refusal.code, refusal.path]).toEqual(['ERR_INVALID_ARGUMENT', path]);
    expect(readFileSync(path).equals(file)).toBe(true);
    await rekey(path, { dropSignature: true });
    const decoded = decodeCallFile(readFileSync(path), parties.maryPem);
    expect([decoded.signer, decoded.plaintext.equals(PLAINTEXT)]).toEqual([null, true]);
  });

  it('was authentic as its signer made it', async () => {
    const path = await sealed();
    const more = [{ signer: host.signer }, { dropSignature: true }];
    for (const options of more) {
      for (const part of ['opening', 'closing'] as const) {
        const altered = spoiled(path, part);
        const before = readFileSync(altered);
        expect(await codeOf(() => rekey(altered, options)), part).toBe('ERR_TAMPERED');
        expect(readFileSync(altered).equals(before)).toBe(true);
      }
      writeFileSync(at('cut.sealed'), readFileSync(path).subarray(0, -1));
      expect(await codeOf(() => rekey(at('cut.sealed'), options))).toBe('ERR_TRUNCATED');
    }
    const byOther = { signer: host.signer, requireSigner: other.required };
    expect(await codeOf(() => rekey(path, byOther))).toBe('ERR_WRONG_SIGNER');
  });

  it('gets a signature it did not have', async () => {
    await encryptFile(at('call'), at('unsigned.sealed'), { recipients: parties.recipients });
    await rekey(at('unsigned.sealed'), { signer: host.signer });
    await expectSigned(at('unsigned.sealed'), host);
  });

  it('is a failure of its own in a queue, unless the batch gives signatures up', async () => {
    await sealed();
    const { recipients, keys } = parties;
    const { signal } = new AbortController();
    const task = (dropSignature: boolean) =>
      fileTask({ kind: 'rekey', recipients, before: new Date(Date.now() + 60_000), dropSignature }, dir, keys);
    expect((await refusalOf(() => task(false)('call.sealed', signal))).message).toContain('--drop-signature');
    expect(await task(true)('call.sealed', signal)).toBe('changed');
    expect((await inspect(at('call.sealed'))).signer).toBeNull();
  });
});

describe('CMS messages', () => {
  it('hold what its signer wrote, and not a file that is not so', async () => {
    const path = await sealed();
    const options = { keys: parties.keys, recipients: stranger, requireSigner: host.required };
    const { signer } = await exportCms(path, at('call.cms'), options);
    expect(signer).toMatchObject({ keyId: host.signer.info.keyId, trusted: true, content: 'verified' });
    const inkey = ['-inkey', parties.stranger.privateKey, '-recip', parties.stranger.certificate];
    openssl('cms', '-decrypt', '-binary', '-inform', 'DER', '-in', at('call.cms'), ...inkey, '-out', at('opened'));
    expect(readFileSync(at('opened')).equals(PLAINTEXT)).toBe(true);

    for (const part of ['opening', 'closing'] as const) {
      expect(await codeOf(() => exportCms(spoiled(path, part), at('bad.cms'), options)), part).toBe('ERR_TAMPERED');
    }
    writeFileSync(at('cut.sealed'), readFileSync(path).subarray(0, -1));
    expect(await codeOf(() => exportCms(at('cut.sealed'), at('bad.cms'), options))).toBe('ERR_TRUNCATED');
    const byOther = { ...options, requireSigner: other.required };
    expect(await codeOf(() => exportCms(path, at('bad.cms'), byOther))).toBe('ERR_WRONG_SIGNER');
    await encryptFile(at('call'), at('unsigned.sealed'), { recipients: parties.recipients });
    expect(await codeOf(() => exportCms(at('unsigned.sealed'), at('bad.cms'), options))).toBe('ERR_NOT_SIGNED');
    expect(existsSync(at('bad.cms'))).toBe(false);
  });

  it('are imported into files that their importer signs', async () => {
    const { keys, recipients } = parties;
    await exportCms(await sealed(), at('call.cms'), { keys, recipients });
    for (const by of hosts) {
      const path = at(`${by.kind}.sealed`);
      const { outputBytes } = await importCms(at('call.cms'), path, { keys, recipients, signer: by.signer });
      expect(outputBytes).toBe(readFileSync(path).length);
      await expectSigned(path, by);
    }
  });
});
