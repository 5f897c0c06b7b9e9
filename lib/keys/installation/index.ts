/**
 * The installation key: the first level of the key hierarchy. RSA-4096, in an encrypted file of a private folder or in a
 * PKCS#11 token; the master keys of a store are wrapped for it, and their records signed by it.
 */

export { type InstallCertificateOptions, installCertificate } from './install.ts';
export { FOLDER_VARIABLE, installationFolder, installationPaths } from './installation-folder.ts';
export { openInstallation } from './open.ts';
export { formatPkcs11Uri, MODULE_VARIABLE, type Pkcs11Uri, parsePkcs11Uri } from './pkcs11-uri.ts';
export {
  INSTALLATION_KEY_BITS,
  type InstallationRequest,
  type InstallationRequestOptions,
  requestInstallation,
} from './request.ts';
export { CREDENTIAL_NAME } from './secrets.ts';
export { showInstallation } from './show.ts';
export {
  type ExportedInstallation,
  type ExportInstallationOptions,
  exportInstallation,
  type ImportInstallationOptions,
  importInstallation,
} from './transfer.ts';
export type { Installation, InstallationFacts, InstallationPlace, InstallationSource } from './types.ts';
