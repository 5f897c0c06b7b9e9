/** `-k KEY…` with passphrases: the private keys that decrypt and verify work with. */

import { type Command, Option } from 'commander';
import { exposure } from '../doctor/exposed.ts';
import { CallsealError } from '../errors.ts';
import { native } from '../native/load.ts';
import { KeyRing } from '../recipients/keyring.ts';
import type { PassphraseSource } from '../recipients/passphrases.ts';
import { cleansedAtExit } from './cleanse.ts';
import type { Output } from './output.ts';
import { addPassphraseOptions, passphraseSources } from './passphrase-options.ts';
import { collect } from './recipient-options.ts';

/** Makes a ring of keys named on the command line. Several rings share what is read from a file or a descriptor. */
export type KeyOpener = (paths: readonly string[], output: Output) => KeyRing;

/**
 * Adds the options; the result makes a ring of keys named on the command line, once it has been parsed.
 *
 * @param required Whether commander refuses a command line without a key. Default true.
 */
export function addKeyOptions(command: Command, required = true): KeyOpener {
  const option = new Option('-k, --key <file>', 'private key (repeatable; the one that fits is found)');
  command.addOption(option.argParser(collect).makeOptionMandatory(required));
  const places = addPassphraseOptions(command);
  let passphrases: PassphraseSource[] | undefined;
  return (paths, output) => {
    for (const path of paths) examineKeyFile(path, output);
    passphrases ??= passphraseSources(places, output);
    return cleansedAtExit(new KeyRing(paths, { passphrases }));
  };
}

/**
 * A key file that is not there, or a native module that cannot be loaded, is one failure of the command and not one of
 * each file. One that anybody can use is worth a word.
 */
function examineKeyFile(path: string, output: Output): void {
  try {
    const { privateKeys } = native().PrivateKey.probe(path);
    const isOpen = privateKeys.some(({ encrypted }) => !encrypted);
    const problem = isOpen ? exposure(path, 'a private key without a passphrase') : null;
    if (problem !== null) output.warn(problem);
  } catch (error) {
    if (!(error instanceof CallsealError) || error.code !== 'ERR_IO') throw error;
    throw new CallsealError('ERR_KEY_UNREADABLE', error.message, { cause: error, path });
  }
}

/** Says, once a command, which key files the FIPS module could not open by itself. */
export function reportKeyNotes(keys: KeyRing, output: Output): void {
  for (const note of keys.notes) output.notice(note);
}
