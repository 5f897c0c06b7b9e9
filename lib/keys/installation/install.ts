/** Installing the certificate that an authority made from the request. */

import { CallsealError } from '../../errors.ts';
import { validTime } from '../../recipients/time.ts';
import { findCertificate, readCertificateFile } from './certificate.ts';
import { installationPaths, readDescription, requirePrivateFolder, writePublicText } from './installation-folder.ts';
import { describeInstallation } from './show.ts';
import type { InstallationFacts } from './types.ts';

/** Options of {@link installCertificate}. */
export interface InstallCertificateOptions {
  folder: string;
  /** PEM or DER file; a chain behind the certificate is kept, anything else is left behind. */
  certificate: string;
  /** The time to judge it at; now by default. */
  now?: Date | undefined;
}

/**
 * Installs a certificate for the installation key; a newer one replaces it. One that has expired or is not valid yet
 * is refused: it would say nothing, or take the place of one that does.
 *
 * @throws {CallsealError} `ERR_WRONG_INSTALLATION` for a certificate of another key, `ERR_CERTIFICATE_EXPIRED`,
 *   `ERR_CERTIFICATE_NOT_YET_VALID`, `ERR_CERTIFICATE_UNREADABLE`, `ERR_KEY_UNREADABLE`, `ERR_NOT_APPROVED`, `ERR_IO`.
 */
export async function installCertificate(options: InstallCertificateOptions): Promise<InstallationFacts> {
  const { folder, certificate: path } = options;
  const now = validTime(options.now ?? new Date());
  await requirePrivateFolder(folder);
  const description = await readDescription(folder);
  const { info, pem } = findCertificate(await readCertificateFile(path), description.keyId, path);
  if (info.notAfter < now) throw refused('ERR_CERTIFICATE_EXPIRED', path, `expired on ${day(info.notAfter)}`);
  if (info.notBefore > now) {
    throw refused(
      'ERR_CERTIFICATE_NOT_YET_VALID',
      path,
      `is valid from ${info.notBefore.toISOString()}; install it then`,
    );
  }
  await writePublicText(installationPaths(folder).certificate, pem, true);
  return describeInstallation(folder, description);
}

function refused(
  code: 'ERR_CERTIFICATE_EXPIRED' | 'ERR_CERTIFICATE_NOT_YET_VALID',
  path: string,
  why: string,
): CallsealError {
  return new CallsealError(code, `the certificate in ${path} is not installed: it ${why}`, { path });
}

function day(time: Date): string {
  return time.toISOString().slice(0, 10);
}
