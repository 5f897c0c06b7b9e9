/**
 * Unit tests with the real thing: making a key for the tests takes a moment, and nothing has to be mocked.
 *
 *     npx vitest run
 *
 * On machines without a FIPS module set `CALLSEAL_FIPS=off`; files are the same.
 */

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCertificate, generatePrivateKey, KeyRing, Recipients } from 'callseal';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Archive } from './archive.mjs';

let directory;
let recipients;
let reader;
let stranger;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'archive-'));
  const key = await generatePrivateKey(2048);
  const certificate = join(directory, 'reader.crt');
  await writeFile(certificate, await createCertificate(key, [['CN', 'reader']], 1));
  recipients = await Recipients.load([certificate]);
  reader = KeyRing.of(key);
  stranger = KeyRing.of(await generatePrivateKey(2048));
});

afterAll(async () => {
  reader.destroy();
  stranger.destroy();
  await rm(directory, { recursive: true });
});

it('gives a reader what was put in', async () => {
  const archive = new Archive(directory, recipients);
  await archive.add('call-1', 'what was said');
  expect(await archive.read('call-1', reader)).toBe('what was said');
});

it('gives nobody else anything', async () => {
  const archive = new Archive(directory, recipients);
  await archive.add('call-2', 'what was said');
  expect(await readFile(join(directory, 'call-2.sealed'), 'latin1')).not.toContain('what was said');
  await expect(archive.read('call-2', stranger)).rejects.toMatchObject({ code: 'ERR_NO_MATCHING_KEY' });
});
