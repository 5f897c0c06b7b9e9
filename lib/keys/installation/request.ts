/** Making an installation key, and the request for its certificate. */

import { rm } from 'node:fs/promises';

import { throwIfAborted } from '../../abort.ts';
import { CallsealError } from '../../errors.ts';
import type { NativePrivateKey } from '../../native/binding.ts';
import { native } from '../../native/load.ts';
import type { Passphrase } from '../../native/passphrase.ts';
import type { PassphraseSource } from '../../recipients/passphrases.ts';
import type { SubjectAttributes } from '../../recipients/private-key.ts';
import {
  installationPaths,
  prepareEmptyFolder,
  readDescription,
  writeDescription,
  writePublicText,
} from './installation-folder.ts';
import { idOf } from './open.ts';
import { formatPkcs11Uri, type Pkcs11Uri, parsePkcs11Uri } from './pkcs11-uri.ts';
import { describeInstallation } from './show.ts';
import { makeTokenKey } from './token.ts';
import type { InstallationFacts } from './types.ts';

/** Length of an installation key, RSA. */
export const INSTALLATION_KEY_BITS = 4096;

/** Where the new key goes. */
export type InstallationRequestOptions = {
  /** Made with mode 0700 when it is not there. */
  folder: string;
  /** Name in the certificate, at least one attribute. */
  subject: SubjectAttributes;
  /** Given up before anything is written; what is begun then is finished. */
  signal?: AbortSignal | undefined;
} & (
  | {
      /** Encrypts `installation.key`. */
      passphrase: Passphrase;
      /** Whether `exportInstallation` will give the key out; true by default. Cannot be changed later. */
      exportable?: boolean | undefined;
    }
  | {
      /** RFC 7512 URI: the key is made in this token, under the label `object`, and never leaves it. */
      pkcs11: string;
      pin?: PassphraseSource | undefined;
    }
);

/** What {@link requestInstallation} made. */
export interface InstallationRequest {
  facts: InstallationFacts;
  /** PKCS#10, PEM; also in `installation.csr`. */
  request: string;
}

/**
 * Makes an RSA-4096 key and a request for its certificate. Refuses a folder that holds anything of an installation.
 *
 * @throws {CallsealError} `ERR_OUTPUT_EXISTS` when there is a key in the folder, or one of that label in the token;
 *   `ERR_NOT_APPROVED`, `ERR_INVALID_ARGUMENT`, `ERR_PASSPHRASE_REQUIRED`, `ERR_WRONG_PASSPHRASE`, `ERR_KEY_UNREADABLE`,
 *   `ERR_IO`.
 *
 * @example
 * const { request } = await requestInstallation({ folder, subject: [['O', 'MyCompany'], ['CN', 'ivr-1']], passphrase });
 * await writeFile('license.csr', request);
 */
export async function requestInstallation(options: InstallationRequestOptions): Promise<InstallationRequest> {
  const { folder } = options;
  const subject = options.subject.map(([type, value]): [string, string] => [type, value]);
  const uri = 'pkcs11' in options ? tokenForNewKey(options.pkcs11) : null;
  native().checkSubject(subject); // before there is a key that nobody could use
  throwIfAborted(options.signal);
  await prepareEmptyFolder(folder);
  const key = await makeKey(options, uri);
  try {
    const request = await native().createRequest(key, subject);
    throwIfAborted(options.signal);
    const exportable = 'pkcs11' in options ? false : (options.exportable ?? true);
    const saved = 'pkcs11' in options ? null : options.passphrase;
    await writeInstallation({ folder, key, passphrase: saved, exportable, uri, request, certificate: null });
    return { facts: await describeInstallation(folder, await readDescription(folder)), request };
  } catch (error) {
    throw uri === null ? error : withLeftKey(error, uri);
  } finally {
    key.destroy();
  }
}

/** Tokens are not tidied up: what is in one may be somebody's only copy. */
function withLeftKey(error: unknown, uri: Pkcs11Uri): unknown {
  if (!(error instanceof CallsealError)) return error;
  const hint = `the key made in the token stays there; remove it (${formatPkcs11Uri(uri)}) or choose another label`;
  return new CallsealError(error.code, `${error.message}; ${hint}`, { ...error, cause: error });
}

function tokenForNewKey(text: string): Pkcs11Uri {
  const uri = parsePkcs11Uri(text);
  if (uri.address.objectLabel === null) {
    throw new CallsealError('ERR_INVALID_ARGUMENT', 'the PKCS#11 URI gives the new key no label: add object=… to it');
  }
  return uri;
}

async function makeKey(options: InstallationRequestOptions, uri: Pkcs11Uri | null): Promise<NativePrivateKey> {
  if (uri === null || !('pkcs11' in options)) return native().PrivateKey.generate(INSTALLATION_KEY_BITS);
  return makeTokenKey(uri, INSTALLATION_KEY_BITS, options.pin);
}

interface NewInstallation {
  folder: string;
  key: NativePrivateKey;
  /** Null for a key in a token, which is not written. */
  passphrase: Passphrase | null;
  exportable: boolean;
  uri: Pkcs11Uri | null;
  request: string | null;
  certificate: string | null;
}

/**
 * Writes everything of an installation, `installation.json` last: without it there is none. Takes back what it wrote when it
 * cannot write all.
 *
 * @internal
 */
export async function writeInstallation(made: NewInstallation): Promise<void> {
  const paths = installationPaths(made.folder);
  const written: string[] = [];
  const add = async (path: string, write: () => Promise<void>) => {
    await write();
    written.push(path);
  };
  const addText = (path: string, content: string | null) =>
    content === null ? undefined : add(path, () => writePublicText(path, content, false));
  try {
    const { passphrase } = made;
    if (passphrase !== null) await add(paths.key, () => made.key.save(paths.key, passphrase));
    await addText(paths.request, made.request);
    await addText(paths.certificate, made.certificate);
    await writeDescription(made.folder, {
      created: new Date(),
      keyId: idOf(made.key),
      exportable: made.exportable,
      pkcs11: made.uri === null ? null : formatPkcs11Uri(made.uri),
    });
  } catch (error) {
    for (const path of written) await rm(path, { force: true });
    throw error;
  }
}
