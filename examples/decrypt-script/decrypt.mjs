/**
 * Opens every encrypted file of a folder: a script for a night's work, which says of each file what became of it, and ends with
 * 1 when any could not be opened.
 *
 *     KEY_PASSPHRASE=… node decrypt.mjs my_private.key calls opened
 */

import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { CallsealError, decryptFile, KeyRing, Passphrase } from 'callseal';

const [keyFile, from, to] = process.argv.slice(2);
if (to === undefined) {
  console.error('usage: node decrypt.mjs KEY FROM TO');
  process.exit(2);
}

/** Native code reads the variable: the passphrase does not become a JavaScript string. */
const passphrases = [Passphrase.fromEnvironment('KEY_PASSPHRASE')];
const keys = new KeyRing([keyFile], { passphrases });

const ADVICE = {
  ERR_NO_MATCHING_KEY: 'encrypted for somebody else',
  ERR_WRONG_PASSPHRASE: 'the passphrase is wrong; the file may be sound',
  ERR_TAMPERED: 'damaged or altered; fetch it again',
  ERR_TRUNCATED: 'incomplete; is it still being written?',
  ERR_OUTPUT_EXISTS: 'opened before',
};

try {
  await mkdir(to, { recursive: true, mode: 0o700 });
  for (const name of (await readdir(from)).filter((entry) => entry.endsWith('.sealed'))) {
    await open(name);
  }
} finally {
  keys.destroy();
}

async function open(name) {
  const output = join(to, name.slice(0, -'.sealed'.length));
  try {
    const { outputBytes } = await decryptFile(join(from, name), output, { keys });
    console.log(`${name}: ${outputBytes} bytes`);
  } catch (error) {
    // A mistake of this script's is no fault of the file's.
    if (!(error instanceof CallsealError)) throw error;
    console.error(`${name}: ${ADVICE[error.code] ?? error.message}`);
    process.exitCode = 1;
  }
}
