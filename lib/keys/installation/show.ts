/** What an installation is, without opening its key. */

import { existsSync } from 'node:fs';
import type { CertificateInfo } from '../../recipients/certificate-info.ts';
import { findCertificate, readCertificateFile } from './certificate.ts';
import {
  type InstallationDescription,
  installationPaths,
  readDescription,
  requirePrivateFolder,
} from './installation-folder.ts';
import type { InstallationFacts } from './types.ts';

/**
 * The facts of the installation in a folder. No passphrase or PIN is needed.
 *
 * @throws {CallsealError} `ERR_KEY_UNREADABLE`, `ERR_UNSUPPORTED_VERSION`, `ERR_NOT_APPROVED`, `ERR_IO`,
 *   `ERR_CERTIFICATE_UNREADABLE`, `ERR_WRONG_INSTALLATION` when the certificate is for another key.
 */
export async function showInstallation(folder: string): Promise<InstallationFacts> {
  await requirePrivateFolder(folder);
  return describeInstallation(folder, await readDescription(folder));
}

/** @internal */
export async function describeInstallation(
  folder: string,
  description: InstallationDescription,
): Promise<InstallationFacts> {
  const { keyId, exportable, created, pkcs11 } = description;
  return {
    keyId,
    place: pkcs11 === null ? { kind: 'file', path: installationPaths(folder).key } : { kind: 'token', uri: pkcs11 },
    exportable,
    created,
    certificate: await installedCertificate(folder, keyId),
  };
}

async function installedCertificate(folder: string, keyId: string): Promise<CertificateInfo | null> {
  const path = installationPaths(folder).certificate;
  if (!existsSync(path)) return null;
  return findCertificate(await readCertificateFile(path), keyId, path).info;
}
