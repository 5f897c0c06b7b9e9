/** `--installation`, and the passphrase or PIN that opens the key there. */

import type { Command } from 'commander';
import { CallsealError } from '../../errors.ts';
import type { Installation, InstallationSource } from '../../keys/installation/types.ts';
import type { PassphraseSource } from '../../recipients/passphrases.ts';
import { cleansedAtExit } from '../cleanse.ts';
import type { Output } from '../output.ts';
import { addPassphraseOptions, type PassphrasePlace, promptPassphrase, readPassphrase } from '../passphrase-options.ts';

/** Names the folder of the installation key when `--installation` does not. */
const FOLDER_VARIABLE = 'CALLSEAL_INSTALLATION';

export interface InstallationOptions {
  installation?: string;
}

export function addFolderOption(command: Command): Command {
  return command.option('--installation <dir>', `folder of the installation key (or ${FOLDER_VARIABLE})`);
}

/** Adds the options; the result has the places of passphrases, once the command line has been parsed. */
export function addInstallationOptions(command: Command): PassphrasePlace[] {
  return addPassphraseOptions(addFolderOption(command), { of: 'of the installation key, or PIN of its token' });
}

/** The folder that the command line, the environment or the system's convention names. */
export async function folderOf({ installation }: InstallationOptions): Promise<string> {
  const { installationFolder } = await import('../../keys/installation/installation-folder.ts');
  return installationFolder(installation);
}

/** Opens an installation key; see {@link withSecret}. */
export async function openKey(
  source: { folder: string } | { key: string },
  places: readonly PassphrasePlace[],
  output: Output,
): Promise<Installation> {
  const { openInstallation } = await import('../../keys/installation/open.ts');
  const opened = await withSecret(places, output, (passphrase) =>
    openInstallation({ ...source, ...(passphrase !== undefined && { passphrase }) } as InstallationSource),
  );
  return cleansedAtExit(opened);
}

/**
 * Opens something with the passphrases or PINs of the places; without any, with what the library finds by itself (the
 * service's credential, a URI's `pin-source`); without that, with what is typed.
 */
export async function withSecret<T>(
  places: readonly PassphrasePlace[],
  output: Output,
  open: (secret?: PassphraseSource) => Promise<T>,
): Promise<T> {
  if (places.length > 0) return open(placesInTurn(places));
  try {
    return await open();
  } catch (error) {
    if (!(error instanceof CallsealError) || error.code !== 'ERR_PASSPHRASE_REQUIRED') throw error;
    return open(typed(output));
  }
}

/** The passphrases of the places, one an attempt. */
export function placesInTurn(places: readonly PassphrasePlace[]): PassphraseSource {
  return (_path, attempt) => {
    const place = places[attempt - 1];
    return place === undefined ? null : readPassphrase(place);
  };
}

/** Asked for on the terminal; a key in a token asks for a PIN, and only once, as it counts wrong ones. */
export function typed(output: Output): PassphraseSource {
  return (path, attempt) => {
    const again = attempt === 1 ? '' : 'That did not open it. ';
    const what = path.startsWith('pkcs11:') ? 'PIN' : 'Passphrase';
    return promptPassphrase(`${again}${what} for`, path, false, output);
  };
}
