/** Where the passphrase of an installation key, or the PIN of its token, comes from. */

import { lstatSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';

import { CallsealError, errnoOf } from '../../errors.ts';
import { findExposure } from '../../fips/ownership.ts';
import { Passphrase } from '../../native/passphrase.ts';
import type { PassphraseSource } from '../../recipients/passphrases.ts';
import { systemError } from '../../recipients/regular-file.ts';

/** The name of the systemd credential (`LoadCredential=` or `LoadCredentialEncrypted=`). */
export const CREDENTIAL_NAME = 'callseal-installation';

const OTHERS_READ = 0o004;

/**
 * The systemd credential `callseal-installation` of this service: passphrase or PIN in its first line. Null when the
 * service manager gave none.
 *
 * The directory is where the environment says, so it is looked at: nobody but root and this user may be able to change
 * it, and not every user to read it.
 *
 * @throws {CallsealError} `ERR_NOT_APPROVED`, `ERR_INVALID_ARGUMENT`, `ERR_IO`.
 */
export function serviceCredential(environment: NodeJS.ProcessEnv = process.env): Passphrase | null {
  const directory = environment.CREDENTIALS_DIRECTORY;
  if (directory === undefined || directory === '') return null;
  if (!isAbsolute(directory)) {
    throw new CallsealError('ERR_INVALID_ARGUMENT', `CREDENTIALS_DIRECTORY is not an absolute path: ${directory}`);
  }
  const path = join(directory, CREDENTIAL_NAME);
  try {
    const stats = lstatSync(path);
    if (!stats.isFile()) throw unsafe(path, 'it is not a regular file');
    // The group's bits are those of the access control list by which systemd lets the service's user in.
    if ((stats.mode & OTHERS_READ) !== 0) throw unsafe(path, 'every user may read it');
    const exposure = findExposure(path);
    if (exposure !== null) throw unsafe(path, `${exposure.path}: ${exposure.fact}`);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return null;
    throw systemError(error, 'cannot examine', path);
  }
  return Passphrase.fromFile(path);
}

function unsafe(path: string, fact: string): CallsealError {
  const message = `the credential ${path} is not used: ${fact}; it must be what the service manager put there`;
  return new CallsealError('ERR_NOT_APPROVED', message, { path });
}

/**
 * Runs `work` with the PIN of a token: the one given, that of the URI's `pin-source`, or the service's credential.
 *
 * One PIN, tried once: a token counts wrong ones and locks itself.
 *
 * @throws {CallsealError} `ERR_PASSPHRASE_REQUIRED` when there is none, and what `work` throws.
 */
export async function withPin<T>(
  uri: string,
  pinSource: string | null,
  given: PassphraseSource | undefined,
  work: (pin: Passphrase) => Promise<T>,
): Promise<T> {
  if (given !== undefined) {
    const pin = typeof given === 'function' ? await given(uri, 1) : given;
    if (pin === null) throw pinRequired(uri);
    return work(pin);
  }
  const own = pinSource === null ? serviceCredential() : Passphrase.fromFile(pinSource);
  if (own === null) throw pinRequired(uri);
  try {
    return await work(own);
  } finally {
    own.destroy();
  }
}

function pinRequired(uri: string): CallsealError {
  const message = `the token of ${uri} asks for a PIN and none was given; give one, or add pin-source=file:/… to the URI`;
  return new CallsealError('ERR_PASSPHRASE_REQUIRED', message);
}
