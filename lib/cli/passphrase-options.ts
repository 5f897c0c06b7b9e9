/**
 * Where passphrases come from: a hidden prompt, or a file, an environment variable or a descriptor for whoever has no
 * terminal. Never an argument, which every user of the host and the shell's history can see.
 *
 * A passphrase is read by native code into native memory, when a key needs it and not before; no byte of it enters
 * JavaScript.
 */

import { type Command, Option } from 'commander';
import { exposure } from '../doctor/exposed.ts';
import { CallsealError } from '../errors.ts';
import { Passphrase } from '../native/passphrase.ts';
import type { PassphraseSource } from '../recipients/passphrases.ts';
import { cleansedAtExit } from './cleanse.ts';
import { interrupt } from './interrupt.ts';
import type { Output } from './output.ts';
import { safe } from './text.ts';

/** Where one passphrase is, in the order of the command line. */
export interface PassphrasePlace {
  kind: 'file' | 'environment' | 'descriptor';
  /** A path, a variable's name, or a number. */
  name: string;
}

/** What a command has passphrases for, when it has more than one or another word for it. */
export interface PassphraseOptionTexts {
  /** Before the options' names: `p12-` makes `--p12-passphrase-file`. */
  prefix?: string;
  /** After the word passphrase in the help. */
  of?: string;
}

/** The passphrase options, and a clear answer to `--passphrase SECRET`, which does not exist. */
export function addPassphraseOptions(command: Command, texts: PassphraseOptionTexts = {}): PassphrasePlace[] {
  const { prefix = '', of } = texts;
  const name = `--${prefix}passphrase`;
  const what = of === undefined ? 'passphrase' : `passphrase ${of}`;
  const places: PassphrasePlace[] = [];
  const collect = (kind: PassphrasePlace['kind']) => (place: string) => places.push({ kind, name: place });
  command
    .option(`${name}-file <file>`, `${what}: first line of a file (repeatable)`, collect('file'))
    .option(`${name}-env <name>`, `${what}: value of an environment variable (repeatable)`, collect('environment'))
    .option(`${name}-fd <n>`, `${what}: first line read from a descriptor (repeatable)`, (text: string) => {
      if (!/^\d{1,7}$/.test(text))
        throw new CallsealError('ERR_INVALID_ARGUMENT', `${name}-fd takes the number of a descriptor`);
      return collect('descriptor')(text);
    });
  for (const never of [name, `--${prefix}password`]) {
    command.addOption(new Option(`${never} [never]`).hideHelp().preset('').argParser(refuseArgument));
  }
  return places;
}

function refuseArgument(): never {
  throw new CallsealError(
    'ERR_INVALID_ARGUMENT',
    'a passphrase is not taken from the command line, where other users and the history of the shell can see it: ' +
      'leave it out to be asked, or give --passphrase-file, --passphrase-env or --passphrase-fd. ' +
      'If you have just typed a real one, change it',
  );
}

/** Reads the passphrase from its place. */
export function readPassphrase(place: PassphrasePlace): Passphrase {
  return cleansedAtExit(obtain(place));
}

function obtain(place: PassphrasePlace): Passphrase {
  if (place.kind === 'file') return Passphrase.fromFile(place.name);
  if (place.kind === 'environment') return Passphrase.fromEnvironment(place.name);
  return Passphrase.fromDescriptor(Number(place.name));
}

/** Asks on the terminal for the passphrase of a key; Ctrl-C there ends the command as anywhere else. */
export function promptPassphrase(text: string, keyPath: string, confirm: boolean, output: Output): Passphrase {
  output.makeRoom();
  try {
    return cleansedAtExit(Passphrase.prompt(`${text} ${safe(keyPath)}: `, { confirm }));
  } catch (error) {
    if (!(error instanceof CallsealError)) throw error;
    if (error.code === 'ERR_ABORTED') throw interrupt();
    throw new CallsealError(error.code, `key ${keyPath}: ${error.message}`, { cause: error, path: keyPath });
  }
}

/** The passphrases to try for every key that needs one: those of the places, in order, or else those typed. */
export function passphraseSources(places: readonly PassphrasePlace[], output: Output): PassphraseSource[] {
  for (const { kind, name } of places) {
    const problem = kind === 'file' ? exposure(name, 'a passphrase') : null;
    if (problem !== null) output.warn(problem);
  }
  return places.length === 0 ? [promptSource(output)] : places.map(placeSource);
}

/** The one passphrase of a place, read when first needed and offered once to each key. */
function placeSource(place: PassphrasePlace): PassphraseSource {
  let passphrase: Passphrase | undefined;
  return (_keyPath, attempt) => {
    if (attempt > 1) return null;
    passphrase ??= readPassphrase(place);
    return passphrase;
  };
}

/** The key ring asks again when it was wrong, three times in all. */
function promptSource(output: Output): PassphraseSource {
  return (keyPath, attempt) => {
    const again = attempt === 1 ? '' : 'That did not open it. ';
    return promptPassphrase(`${again}Passphrase for`, keyPath, false, output);
  };
}
