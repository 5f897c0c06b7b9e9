/** Where outside test vectors lie, and a run of one file of them. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CallsealError } from '../../lib/errors.ts';
import { findFipsModule } from '../../lib/fips/discover.ts';
import { fipsMode, openAddon } from '../../lib/native/load.ts';
import { openModule } from '../../scripts/vectors/module.mjs';
import { type FileReport, runFile } from '../../scripts/vectors/run.mjs';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Wycheproof and FLOE files: `CALLSEAL_VECTORS`, or beside the checkout. */
export const OUTSIDE_VECTORS = process.env.CALLSEAL_VECTORS ?? join(ROOT, '../shared/vectors');

/** NIST's and others', of Debian's python3-cryptography-vectors: `CALLSEAL_NIST_VECTORS`, or where set-up puts them. */
export const NIST_VECTORS =
  process.env.CALLSEAL_NIST_VECTORS ?? join(ROOT, '.cache/vectors/usr/lib/python3/dist-packages/cryptography_vectors');

export const haveOutsideVectors = existsSync(OUTSIDE_VECTORS);
export const haveNistVectors = existsSync(NIST_VECTORS);

let opened: ReturnType<typeof openModule> | undefined;

/** The addon with raw-key hooks, once a test file. */
export function testModule(): ReturnType<typeof openModule> {
  opened ??= openModule({ CallsealError, findFipsModule, fipsMode, openAddon });
  return opened;
}

/** Runs a file, which must be recognised. */
export async function run(path: string): Promise<FileReport> {
  const report = await runFile(path, await testModule());
  if (report === null) throw new Error(`${path} is not recognised as a file of test vectors`);
  return report;
}
