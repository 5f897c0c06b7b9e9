/** `callseal installation export|import|verify-backup`: the installation key as PKCS#12. */

import type { Command } from 'commander';
import { CallsealError } from '../../errors.ts';
import type { Passphrase } from '../../native/passphrase.ts';
import { noticeFipsOff } from '../fips-notice.ts';
import { interruptSignal } from '../interrupt.ts';
import { Output, type OutputOptions } from '../output.ts';
import { addPassphraseOptions, type PassphrasePlace, promptPassphrase, readPassphrase } from '../passphrase-options.ts';
import { count, safeJson } from '../text.ts';
import { addStoreOption, type StoreOption, storeUrl } from './hierarchy-options.ts';
import {
  addFolderOption,
  folderOf,
  type InstallationOptions,
  openKey,
  placesInTurn,
  typed,
  withSecret,
} from './installation-options.ts';

interface TransferOptions extends InstallationOptions, OutputOptions {
  out: string;
  nonExportable?: boolean;
  json?: boolean;
}

/** Both passphrases of a move: of the installation key's file, and of the PKCS#12 file. */
interface Places {
  key: readonly PassphrasePlace[];
  file: readonly PassphrasePlace[];
}

const EXPORT_HELP = `
For a second server, or as a backup. Encrypted with a passphrase of its own, asked for twice unless --p12-passphrase-… says
where it is. A key in a token, or made with --non-exportable, is refused. The file is never written over another.

Examples:
  callseal installation export --out server2.p12
  callseal installation export --out server2.p12 --passphrase-file /run/secrets/voice --p12-passphrase-file /run/secrets/move`;

const IMPORT_HELP = `
Puts the key of a PKCS#12 file, and its certificate, into an empty folder, encrypted there with a passphrase of its own.

Examples:
  callseal installation import server2.p12
  callseal installation import server2.p12 --p12-passphrase-file /run/secrets/move --passphrase-file /run/secrets/voice`;

const BACKUP_HELP = `
Opens every master key of the store with the key of the file, which proves that the backup is of today’s key, whole, and that
its passphrase is known. Changes nothing; needs no other key.

Examples:
  callseal installation verify-backup server2.p12 --store postgres://keys@db/keys`;

export function defineTransfer(command: Command): void {
  const out = addFolderOption(
    command.command('export').description('write the key and its certificate to a PKCS#12 file'),
  );
  const outPlaces = addBoth(out.requiredOption('--out <file>', 'where it goes'));
  out
    .option('--json', 'one JSON document on standard output')
    .option('-q, --quiet', 'only errors')
    .addHelpText('after', EXPORT_HELP)
    .action((options: TransferOptions) => exportCommand(options, outPlaces));

  const into = command.command('import').description('put the key of a PKCS#12 file into an empty folder');
  const inPlaces = addBoth(addFolderOption(into.argument('<file>', 'PKCS#12 file')));
  into
    .option('--non-exportable', 'never let the key out of this folder again')
    .option('--json', 'one JSON document on standard output')
    .option('-q, --quiet', 'only errors')
    .addHelpText('after', IMPORT_HELP)
    .action((file: string, options: TransferOptions) => importCommand(file, options, inPlaces));

  const backup = command.command('verify-backup').description('prove that a backup opens today’s master keys');
  addStoreOption(backup.argument('<file>', 'PKCS#12 or other private-key file'));
  const backupPlaces = addPassphraseOptions(backup, { of: 'of the backup' });
  backup
    .option('--json', 'one JSON document on standard output')
    .option('-q, --quiet', 'only errors')
    .addHelpText('after', BACKUP_HELP)
    .action((file: string, options: BackupOptions) => backupCommand(file, options, backupPlaces));
}

interface BackupOptions extends StoreOption, OutputOptions {
  json?: boolean;
}

function addBoth(command: Command): Places {
  const key = addPassphraseOptions(command, { of: 'of the installation key' });
  const file = addPassphraseOptions(command, { prefix: 'p12-', of: 'of the PKCS#12 file' });
  return { key, file };
}

async function exportCommand(options: TransferOptions, places: Places): Promise<void> {
  const output = new Output('installation export', options);
  const { out } = options;
  noticeFipsOff(output);
  const folder = await folderOf(options);
  const { exportInstallation, requireExportable } = await import('../../keys/installation/transfer.ts');
  await requireExportable(folder);
  const outPassphrase = onePassphrase(places.file, 'Passphrase for the new file', out, output);
  const exported = await withSecret(places.key, output, (passphrase) =>
    exportInstallation({ folder, out, outPassphrase, ...(passphrase !== undefined && { passphrase }) }),
  );
  if (exported.wrappedOutside !== null) output.notice(exported.wrappedOutside);
  if (options.json) output.print(safeJson({ ...exported.facts, file: out }, 2));
  else output.notice(`${out}: installation key ${exported.facts.keyId}, encrypted with its own passphrase`);
}

async function importCommand(file: string, options: TransferOptions, places: Places): Promise<void> {
  const output = new Output('installation import', options);
  noticeFipsOff(output);
  const folder = await folderOf(options);
  const { importInstallation } = await import('../../keys/installation/transfer.ts');
  const { prepareEmptyFolder, installationPaths } = await import('../../keys/installation/installation-folder.ts');
  await prepareEmptyFolder(folder);
  const { key } = installationPaths(folder);
  const facts = await importInstallation({
    folder,
    from: file,
    fromPassphrase: places.file.length > 0 ? placesInTurn(places.file) : typed(output),
    passphrase: onePassphrase(places.key, 'Passphrase for the new key', key, output),
    exportable: options.nonExportable !== true,
    signal: interruptSignal(),
  });
  if (options.json) output.print(safeJson(facts, 2));
  else output.notice(`${key}: installation key ${facts.keyId}, encrypted with the passphrase`);
}

async function backupCommand(file: string, options: BackupOptions, places: readonly PassphrasePlace[]): Promise<void> {
  const output = new Output('installation verify-backup', options);
  noticeFipsOff(output);
  const store = await storeUrl(options);
  const installation = await openKey({ key: file }, places, output);
  try {
    const { KeyHierarchy } = await import('../../keys/hierarchy.ts');
    // What this host remembers stays as it is, too.
    const keys = await KeyHierarchy.open({ store, installation, create: false, stateDirectory: null });
    try {
      const { masters } = await keys.verifyBackup(installation);
      if (options.json) output.print(safeJson({ file, keyId: installation.facts.keyId, masterKeys: masters }, 2));
      else output.notice(`${file}: opens ${count(masters, 'master key')} of the store, all there are`);
    } finally {
      await keys.close();
    }
  } finally {
    installation.destroy();
  }
}

function onePassphrase(places: readonly PassphrasePlace[], prompt: string, path: string, output: Output): Passphrase {
  if (places.length > 1)
    throw new CallsealError('ERR_INVALID_ARGUMENT', 'a new file has one passphrase; give one option');
  const [place] = places;
  return place === undefined ? promptPassphrase(prompt, path, true, output) : readPassphrase(place);
}
