/** Opening an installation key, wherever it is. */

import { CallsealError } from '../../errors.ts';
import { hex } from '../../hex.ts';
import type { NativePrivateKey } from '../../native/binding.ts';
import { native } from '../../native/load.ts';
import { openEncryptedKey, type PassphraseSource } from '../../recipients/passphrases.ts';
import { installationPaths, readDescription, requirePrivateFile, requirePrivateFolder } from './installation-folder.ts';
import { parsePkcs11Uri } from './pkcs11-uri.ts';
import { serviceCredential } from './secrets.ts';
import { describeInstallation } from './show.ts';
import { openTokenKey } from './token.ts';
import type { Installation, InstallationFacts, InstallationSource } from './types.ts';

/**
 * Opens an installation key.
 *
 * @throws {CallsealError} `ERR_PASSPHRASE_REQUIRED`, `ERR_WRONG_PASSPHRASE`, `ERR_KEY_UNREADABLE`, `ERR_NO_MATCHING_KEY`,
 *   `ERR_NOT_APPROVED` for a folder that is open to others, `ERR_WRONG_INSTALLATION` when the key is not the one that
 *   the folder is about, `ERR_INVALID_ARGUMENT`, `ERR_IO`.
 *
 * @example
 * const installation = await openInstallation({ folder: installationFolder(), passphrase });
 * const keys = await KeyHierarchy.open({ store: 'sqlite:/var/lib/voice/keys.db', installation });
 * // …
 * await keys.close();
 * installation.destroy();
 */
export async function openInstallation(source: InstallationSource): Promise<Installation> {
  if ('folder' in source) return openFolder(source.folder, source.passphrase);
  if ('key' in source) {
    const key = await openKeyFile(source.key, source.passphrase);
    return installation(key, { ...OUTSIDE_A_FOLDER, keyId: idOf(key), place: { kind: 'file', path: source.key } });
  }
  const key = await openTokenKey(parsePkcs11Uri(source.pkcs11), source.pin);
  return installation(key, { ...OUTSIDE_A_FOLDER, keyId: idOf(key), place: { kind: 'token', uri: source.pkcs11 } });
}

const OUTSIDE_A_FOLDER = { exportable: null, created: null, certificate: null };

async function openFolder(folder: string, secret: PassphraseSource | undefined): Promise<Installation> {
  await requirePrivateFolder(folder);
  const description = await readDescription(folder);
  const facts = await describeInstallation(folder, description);
  const key =
    description.pkcs11 === null
      ? await openPrivateKeyFile(installationPaths(folder).key, secret)
      : await openTokenKey(parsePkcs11Uri(description.pkcs11), secret);
  if (idOf(key) === facts.keyId) return installation(key, facts);
  const found = idOf(key);
  key.destroy();
  const message = `${folder} is about the installation key ${facts.keyId}, and ${placeText(facts)} holds ${found}; put the right key back`;
  throw new CallsealError('ERR_WRONG_INSTALLATION', message, { path: folder });
}

async function openPrivateKeyFile(path: string, secret: PassphraseSource | undefined): Promise<NativePrivateKey> {
  await requirePrivateFile(path);
  return openKeyFile(path, secret);
}

/** The key of a file, with the passphrase given or the service's credential when it is encrypted. */
async function openKeyFile(path: string, given: PassphraseSource | undefined): Promise<NativePrivateKey> {
  const encrypted = native().PrivateKey.probe(path).privateKeys[0]?.encrypted ?? false;
  if (!encrypted) return native().PrivateKey.load(path, null);
  const alive = () => undefined;
  if (given !== undefined) return openEncryptedKey(path, [given], alive);
  const credential = serviceCredential();
  try {
    return await openEncryptedKey(path, credential === null ? [] : [credential], alive);
  } finally {
    credential?.destroy();
  }
}

/** The id of an open key, in hexadecimal. @internal */
export function idOf(key: NativePrivateKey): string {
  return hex(key.spkiSha256);
}

function placeText({ place }: InstallationFacts): string {
  return place.kind === 'file' ? place.path : place.uri;
}

function installation(key: NativePrivateKey, facts: InstallationFacts): Installation {
  const destroy = () => key.destroy();
  return { key, id: key.spkiSha256, facts, destroy, [Symbol.dispose]: destroy };
}
