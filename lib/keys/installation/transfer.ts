/** Moving an installation key to a second server, as PKCS#12. */

import { existsSync } from 'node:fs';

import { throwIfAborted } from '../../abort.ts';
import { CallsealError, hasCode } from '../../errors.ts';
import type { NativePrivateKey } from '../../native/binding.ts';
import { native } from '../../native/load.ts';
import type { Passphrase } from '../../native/passphrase.ts';
import { PASSPHRASE_ATTEMPTS, type PassphraseSource } from '../../recipients/passphrases.ts';
import { findCertificate, readCertificateFile } from './certificate.ts';
import { installationPaths, prepareEmptyFolder, readDescription, requirePrivateFolder } from './installation-folder.ts';
import { openInstallation } from './open.ts';
import { writeInstallation } from './request.ts';
import { describeInstallation } from './show.ts';
import type { InstallationFacts } from './types.ts';

/** Options of {@link exportInstallation}. */
export interface ExportInstallationOptions {
  folder: string;
  /** Of `installation.key`. */
  passphrase?: PassphraseSource | undefined;
  /** Where the PKCS#12 file goes: mode 0600, never over another. */
  out: string;
  /** Encrypts the PKCS#12 file. */
  outPassphrase: Passphrase;
}

/** What {@link exportInstallation} did. */
export interface ExportedInstallation {
  facts: InstallationFacts;
  /** What was done outside the FIPS module, as a sentence, or null. */
  wrappedOutside: string | null;
}

/**
 * Writes the key and its certificate to a PKCS#12 file.
 *
 * @throws {CallsealError} `ERR_NOT_EXPORTABLE` for a key in a token, or one that was made not to be exported;
 *   `ERR_OUTPUT_EXISTS`, and whatever opening the key throws.
 */
export async function exportInstallation(options: ExportInstallationOptions): Promise<ExportedInstallation> {
  const { folder, passphrase, out, outPassphrase } = options;
  await requirePrivateFolder(folder);
  await requireExportable(folder);
  const installation = await openInstallation({ folder, ...(passphrase === undefined ? {} : { passphrase }) });
  try {
    const { facts, key } = installation;
    const certificate = await certificatePem(folder, facts.keyId);
    const name = `callseal installation ${facts.keyId.slice(0, 16)}`;
    return { facts, wrappedOutside: await key.savePkcs12(out, certificate, name, outPassphrase) };
  } finally {
    installation.destroy();
  }
}

/**
 * Whether the key may leave its folder at all, before anybody types a passphrase.
 *
 * @throws {CallsealError} `ERR_NOT_EXPORTABLE`, and what reading the folder throws.
 */
export async function requireExportable(folder: string): Promise<void> {
  const { exportable, pkcs11 } = await readDescription(folder);
  if (exportable) return;
  const why =
    pkcs11 === null
      ? 'it was made not to be exported'
      : 'it is in a token, which does not give it out; give the second server access to the token instead';
  throw new CallsealError('ERR_NOT_EXPORTABLE', `the installation key of ${folder} cannot leave it: ${why}`, {
    path: folder,
  });
}

async function certificatePem(folder: string, keyId: string): Promise<string | null> {
  const path = installationPaths(folder).certificate;
  return existsSync(path) ? findCertificate(await readCertificateFile(path), keyId, path).pem : null;
}

/** Options of {@link importInstallation}. */
export interface ImportInstallationOptions {
  /** Made with mode 0700 when it is not there; refused when it holds anything of an installation. */
  folder: string;
  /** PKCS#12 file. */
  from: string;
  fromPassphrase: PassphraseSource;
  /** Encrypts `installation.key` of the new folder. */
  passphrase: Passphrase;
  /** Whether it can be exported again; true by default. */
  exportable?: boolean | undefined;
  /** Given up before anything is written; what is begun then is finished. */
  signal?: AbortSignal | undefined;
}

/**
 * Puts the key of a PKCS#12 file, and its certificate when there is one, into an empty folder.
 *
 * @throws {CallsealError} `ERR_WRONG_PASSPHRASE`, `ERR_PASSPHRASE_REQUIRED`, `ERR_KEY_UNREADABLE`, `ERR_NOT_APPROVED` for a
 *   key that is not RSA of at least 2048 bits; `ERR_OUTPUT_EXISTS`, `ERR_IO`.
 */
export async function importInstallation(options: ImportInstallationOptions): Promise<InstallationFacts> {
  const { folder, from, passphrase, exportable = true } = options;
  await prepareEmptyFolder(folder);
  const { key, certificate } = await loadPkcs12(from, options.fromPassphrase);
  try {
    if (key.algorithm !== 'RSA' || key.bits < 2048) {
      const message = `${from} holds ${key.algorithm} of ${key.bits} bits; an installation key is RSA of at least 2048 bits`;
      throw new CallsealError('ERR_NOT_APPROVED', message, { path: from });
    }
    throwIfAborted(options.signal);
    await writeInstallation({ folder, key, passphrase, exportable, uri: null, request: null, certificate });
    return await describeInstallation(folder, await readDescription(folder));
  } finally {
    key.destroy();
  }
}

type LoadedPkcs12 = { key: NativePrivateKey; certificate: string | null };

/** A function is asked again when the passphrase was wrong, as for other key files. */
async function loadPkcs12(path: string, source: PassphraseSource): Promise<LoadedPkcs12> {
  if (typeof source !== 'function') return native().PrivateKey.loadPkcs12(path, source);
  for (let attempt = 1; ; attempt++) {
    const passphrase = await source(path, attempt);
    if (passphrase === null) {
      throw new CallsealError('ERR_PASSPHRASE_REQUIRED', `${path} is encrypted and no passphrase was given`, { path });
    }
    try {
      return await native().PrivateKey.loadPkcs12(path, passphrase);
    } catch (error) {
      const wrong = hasCode(error, 'ERR_WRONG_PASSPHRASE');
      if (!wrong || attempt === PASSPHRASE_ATTEMPTS) throw error;
    }
  }
}
