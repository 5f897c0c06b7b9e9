/** A file under a fresh content key: nothing of the old one opens it, and no plaintext is written on the way. */

import { chmodSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { beforeAll, describe, expect, it, vi } from 'vitest';

import { encryptFile } from '../lib/callfile/encrypt.ts';
import { inspect } from '../lib/callfile/inspect.ts';
import { rekeyFile } from '../lib/callfile/rekey.ts';
import { verify } from '../lib/callfile/verify.ts';
import { KeyRing } from '../lib/recipients/keyring.ts';
import { Recipients } from '../lib/recipients/recipients.ts';
import { codeOf } from './helpers/errors.ts';
import { makeParties, type Parties } from './helpers/parties.ts';
import { mapCallFile } from './helpers/regions.ts';
import { tempDir } from './helpers/temp.ts';
import { decodeCallFile } from './independent-decoder.ts';

let parties: Parties;
let stranger: Recipients;
const PLAINTEXT = Buffer.alloc(2_500_000);
for (let at = 0; at < PLAINTEXT.length; at += 4) PLAINTEXT.writeUInt32LE((at * 2_654_435_761) >>> 0, at);

beforeAll(async () => {
  parties = await makeParties();
  stranger = await Recipients.load([parties.stranger.certificate]);
});

async function sealed(length: number, segmentLength: number): Promise<string> {
  const dir = tempDir();
  writeFileSync(join(dir, 'plain'), PLAINTEXT.subarray(0, length));
  const options = { recipients: parties.recipients, segmentLength, sync: false };
  await encryptFile(join(dir, 'plain'), join(dir, 'call.sealed'), options);
  return join(dir, 'call.sealed');
}

const strangersKey = () => readFileSync(parties.stranger.privateKey, 'utf8');

describe('a new content key', () => {
  const step = 1024 - 32;
  it.each([
    [0, 1024, 1024],
    [1, 1024, 4096],
    [step, 1024, 1024],
    [step + 1, 1024, 1024],
    [3 * step, 1024, 5000],
    [70_000, 65_536, 1024],
    [PLAINTEXT.length, 4096, 262_144],
    [PLAINTEXT.length, 262_144, 4096],
    [PLAINTEXT.length, 1_048_576, 1_000_000],
  ])('serves a file of %i bytes, from segments of %i to %i', async (length, from, segmentLength) => {
    const path = await sealed(length, from);
    const before = readFileSync(path);
    const result = await rekeyFile(path, null, { keys: parties.keys, recipients: stranger, segmentLength });
    const after = readFileSync(path);
    expect(result).toEqual({ changed: true, inputBytes: before.length, outputBytes: after.length });
    const decoded = decodeCallFile(after, strangersKey());
    expect(decoded.plaintext.equals(PLAINTEXT.subarray(0, length))).toBe(true);
    expect(decoded.segmentLength).toBe(segmentLength);
    expect(decoded.segments).toBe(Math.max(1, Math.ceil(length / (segmentLength - 32))));
    expect(decoded.fileId).not.toBe(before.subarray(16, 32).toString('hex'));
    expect(await codeOf(() => verify(path, { keys: parties.keys }))).toBe('ERR_NO_MATCHING_KEY');
    expect(readdirSync(dirname(path)).sort()).toEqual(['call.sealed', 'plain']);
  });

  it('does not open the old body, nor the old key the new one', async () => {
    const path = await sealed(5000, 4096);
    const before = readFileSync(path);
    await rekeyFile(path, null, { keys: parties.keys, recipients: parties.recipients });
    const after = readFileSync(path);
    expect((await verify(path, { keys: parties.keys })).plaintextBytes).toBe(5000);
    const [old, now] = [mapCallFile(before).bodyOffset, mapCallFile(after).bodyOffset];
    const mixed = join(tempDir(), 'mixed');
    writeFileSync(mixed, Buffer.concat([before.subarray(0, old), after.subarray(now)]));
    expect(await codeOf(() => verify(mixed, { keys: parties.keys }))).toBe('ERR_TAMPERED');
  });

  it('keeps segments, mode and time in place, and leaves the input alone otherwise', async () => {
    const path = await sealed(5000, 4096);
    chmodSync(path, 0o644);
    utimesSync(path, 1_000_000_000, 1_000_000_000);
    const other = join(dirname(path), 'other');
    const before = readFileSync(path);
    await rekeyFile(path, other, { keys: parties.keys, recipients: stranger });
    expect(readFileSync(path).equals(before)).toBe(true);
    expect(statSync(other).mode & 0o777).toBe(0o600);
    await rekeyFile(path, null, { keys: parties.keys, recipients: stranger });
    expect([statSync(path).mode & 0o777, statSync(path).mtimeMs]).toEqual([0o644, 1_000_000_000_000]);
    expect((await inspect(path)).segmentLength).toBe(4096);
    const again = { keys: new KeyRing([parties.stranger.privateKey]), recipients: stranger };
    expect(await codeOf(() => rekeyFile(path, other, again))).toBe('ERR_OUTPUT_EXISTS');
  });

  it('is made once in a run that is repeated', async () => {
    const path = await sealed(10, 4096);
    const before = new Date((await inspect(path)).createdAt.getTime() + 1);
    await pause(2);
    const options = { keys: parties.keys, recipients: parties.recipients, before };
    expect((await rekeyFile(path, null, { ...options, before: new Date(0) })).changed).toBe(false);
    expect((await rekeyFile(path, null, options)).changed).toBe(true);
    const { ino } = statSync(path);
    expect(await rekeyFile(path, null, options)).toMatchObject({ changed: false });
    expect(statSync(path).ino).toBe(ino);
  });

  it('is not kept from a file whose creation time no clock has reached', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: new Date('2090-01-01') });
    const path = await sealed(10, 4096).finally(() => vi.useRealTimers());
    expect((await inspect(path)).createdAt.getUTCFullYear()).toBe(2090);
    const options = { keys: parties.keys, recipients: parties.recipients, before: new Date() };
    expect((await rekeyFile(path, null, options)).changed).toBe(true);
    expect((await rekeyFile(path, null, options)).changed).toBe(false);
  });

  it('is refused to a file that is cut, altered or longer, which stays as it is', async () => {
    const path = await sealed(20_000, 4096);
    const whole = readFileSync(path);
    const flipped = Buffer.from(whole);
    flipped[whole.length - 20]! ^= 1;
    const last = mapCallFile(whole).segments.at(-2)!;
    const cases = [
      [whole.subarray(0, whole.length - 1), 'ERR_TRUNCATED'],
      [whole.subarray(0, last), 'ERR_TRUNCATED'],
      [whole.subarray(0, last + 2), 'ERR_TRUNCATED'],
      [flipped, 'ERR_TAMPERED'],
      [Buffer.concat([whole, Buffer.alloc(1)]), 'ERR_TAMPERED'],
      [Buffer.concat([whole, Buffer.alloc(2_000_000)]), 'ERR_TAMPERED'],
    ] as const;
    for (const [bytes, code] of cases) {
      writeFileSync(path, bytes);
      expect(await codeOf(() => rekeyFile(path, null, { keys: parties.keys, recipients: stranger }))).toBe(code);
      expect(readFileSync(path).equals(bytes)).toBe(true);
    }
    expect(readdirSync(dirname(path)).sort()).toEqual(['call.sealed', 'plain']);
  });
});
