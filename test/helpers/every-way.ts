/** One file, opened by everything in the package that opens files. */

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';

import { CallsealError, type ErrorCode } from '../../lib/errors.ts';
import { createDecryptStream, decrypt, decryptFile, type KeyRing, openRandomAccess, verify } from '../../lib/index.ts';
import { flow } from './streams.ts';
import { tempDir } from './temp.ts';

/** What one way came to: the plaintext, or what was refused with, and how much came out before. */
export interface Outcome {
  readonly way: 'buffer' | 'stream' | 'file' | 'verify' | 'random access';
  /** Null for `verify`, which gives none. */
  readonly plaintext: Buffer | null;
  readonly error: CallsealError | null;
}

async function attempt(way: Outcome['way'], open: () => Promise<Buffer | null>): Promise<Outcome> {
  try {
    return { way, plaintext: await open(), error: null };
  } catch (error) {
    if (error instanceof CallsealError) return { way, plaintext: null, error };
    throw error;
  }
}

/** Opens the file by every way. A refusal that leaves an output file fails the test. */
export async function openEveryWay(file: Uint8Array, keys: KeyRing): Promise<Outcome[]> {
  const dir = tempDir();
  const input = join(dir, 'call.sealed');
  const output = join(dir, 'call');
  writeFileSync(input, file);
  const stream = await flow(createDecryptStream({ keys }), file, Math.max(700, file.length >> 5));
  if (stream.error !== undefined && !(stream.error instanceof CallsealError)) throw stream.error;
  const outcomes = [
    await attempt('buffer', async () => Buffer.from(await decrypt(file, { keys }))),
    { way: 'stream' as const, plaintext: stream.released, error: (stream.error as CallsealError) ?? null },
    await attempt('file', async () => {
      await decryptFile(input, output, { keys, sync: false });
      return readFileSync(output);
    }),
    await attempt('verify', async () => {
      await verify(input, { keys });
      return null;
    }),
    await attempt('random access', async () => {
      await using call = await openRandomAccess(input, { keys });
      return Buffer.from(await call.readRange(0));
    }),
  ];
  if (outcomes[2]!.error !== null) expect(existsSync(output), 'an output is left').toBe(false);
  return outcomes;
}

/** Every way gives the plaintext. */
export async function expectOpens(file: Uint8Array, keys: KeyRing, plaintext: Uint8Array): Promise<void> {
  for (const outcome of await openEveryWay(file, keys)) {
    expect(outcome.error, outcome.way).toBeNull();
    if (outcome.way !== 'verify') expect(outcome.plaintext!.equals(plaintext), outcome.way).toBe(true);
  }
}

/** Every way refuses with one of the codes, and not a byte of plaintext comes out of any. Returns the errors. */
export async function expectRefused(
  file: Uint8Array,
  keys: KeyRing,
  ...codes: readonly ErrorCode[]
): Promise<CallsealError[]> {
  const outcomes = await openEveryWay(file, keys);
  for (const { way, plaintext, error } of outcomes) {
    expect(codes, way).toContain(error?.code);
    expect(plaintext?.length ?? 0, `${way}: bytes released`).toBe(0);
  }
  return outcomes.map(({ error }) => error!);
}
