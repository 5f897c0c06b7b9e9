/** `callseal installation …`: the key at the root of the hierarchy. */

import { lstat } from 'node:fs/promises';
import type { Command } from 'commander';
import { writeAtomically } from '../../atomic-file.ts';
import { CallsealError } from '../../errors.ts';
import type { InstallationFacts } from '../../keys/installation/types.ts';
import type { Passphrase } from '../../native/passphrase.ts';
import { noticeFipsOff } from '../fips-notice.ts';
import { interruptSignal } from '../interrupt.ts';
import { Output, type OutputOptions } from '../output.ts';
import { addPassphraseOptions, type PassphrasePlace, promptPassphrase, readPassphrase } from '../passphrase-options.ts';
import { parseSubject } from '../subject.ts';
import { safeJson } from '../text.ts';
import { addFolderOption, folderOf, type InstallationOptions, withSecret } from './installation-options.ts';
import { factLines } from './installation-text.ts';
import { defineTransfer } from './installation-transfer.ts';

interface RequestOptions extends InstallationOptions, OutputOptions {
  subject: string;
  out?: string;
  pkcs11?: string;
  nonExportable?: boolean;
  json?: boolean;
}

const REQUEST_HELP = `
Makes an RSA-4096 key and a request (PKCS#10) for its certificate, which goes to whoever grants the licence. The key is encrypted
with a passphrase, asked for twice unless an option says where it is; or it is made in a token and never leaves it, and the
option gives the token’s PIN. Nothing ever replaces an installation key. Make a backup: without this key, everything under it is lost.

Examples:
  callseal installation request --subject "/C=US/O=MyCompany/CN=voice" --out license.csr
  callseal installation request --subject /CN=voice --out license.csr --non-exportable --passphrase-file /run/secrets/voice
  callseal installation request --subject /CN=voice --out license.csr --passphrase-env TOKEN_PIN \\
           --pkcs11 "pkcs11:token=callseal;object=voice?module-path=/usr/lib/softhsm/libsofthsm2.so"`;

const INSTALL_HELP = `
Accepts only a certificate for the installation key; a newer one replaces it. A chain behind it is kept.

Examples:
  callseal installation install --cert license.crt`;

const SHOW_HELP = `
Needs no passphrase.

Examples:
  callseal installation show
  callseal installation show --json`;

export function define(command: Command): void {
  const request = command
    .command('request')
    .description('make the installation key and the request for its certificate');
  addFolderOption(request)
    .requiredOption('--subject <name>', 'name in the certificate, as openssl takes it: /type=value/type=value…')
    .option('--out <file>', 'where the request goes; a copy stays in the folder')
    .option('--pkcs11 <uri>', 'make the key in this token (RFC 7512), under the label object=…')
    .option('--non-exportable', 'never let the key out of this folder again');
  const places = addPassphraseOptions(request, { of: 'for the new key, or PIN of the token' });
  request
    .option('--json', 'one JSON document on standard output')
    .option('-q, --quiet', 'only errors')
    .addHelpText('after', REQUEST_HELP)
    .action((options: RequestOptions) => requestCommand(options, places));

  addFolderOption(command.command('install').description('install the certificate that was granted'))
    .requiredOption('--cert <file>', 'the certificate: PEM or DER')
    .option('--json', 'one JSON document on standard output')
    .option('-q, --quiet', 'only errors')
    .addHelpText('after', INSTALL_HELP)
    .action(installCommand);

  addFolderOption(
    command.command('show').description('show the installation key: what it is, where, and its certificate'),
  )
    .option('--json', 'one JSON document on standard output')
    .addHelpText('after', SHOW_HELP)
    .action(showCommand);

  defineTransfer(command);
}

async function requestCommand(options: RequestOptions, places: readonly PassphrasePlace[]): Promise<void> {
  const output = new Output('installation request', options);
  const { out, pkcs11, nonExportable = false } = options;
  const subject = parseSubject(options.subject);
  if (places.length > 1) throw new CallsealError('ERR_INVALID_ARGUMENT', 'a key has one passphrase; give one option');
  if (out !== undefined) await requireFree(out);
  noticeFipsOff(output);
  const signal = interruptSignal();
  const folder = await folderOf(options);
  const { requestInstallation } = await import('../../keys/installation/request.ts');
  const made =
    pkcs11 === undefined
      ? await requestInstallation({
          folder,
          subject,
          passphrase: await newPassphrase(folder, places, output),
          exportable: !nonExportable,
          signal,
        })
      : await withSecret(places, output, (pin) =>
          requestInstallation({ folder, subject, pkcs11, signal, ...(pin !== undefined && { pin }) }),
        );
  if (out !== undefined) {
    await writeAtomically(out, { overwrite: false, sync: true, mode: 0o644 }, (file) => file.writeFile(made.request));
  }
  const { installationPaths } = await import('../../keys/installation/installation-folder.ts');
  if (options.json) output.print(safeJson({ ...made.facts, request: out ?? installationPaths(folder).request }, 2));
  else report(made.facts, out ?? installationPaths(folder).request, output);
}

/** Nobody types a passphrase for a folder that has a key already. */
async function newPassphrase(folder: string, places: readonly PassphrasePlace[], output: Output): Promise<Passphrase> {
  const { prepareEmptyFolder, installationPaths } = await import('../../keys/installation/installation-folder.ts');
  await prepareEmptyFolder(folder);
  const [place] = places;
  if (place !== undefined) return readPassphrase(place);
  return promptPassphrase('Passphrase for the new key', installationPaths(folder).key, true, output);
}

function report({ keyId, place }: InstallationFacts, request: string, output: Output): void {
  const where =
    place.kind === 'file' ? `${place.path}, encrypted with the passphrase` : `${place.uri}, which it never leaves`;
  output.notice(`installation key ${keyId}: RSA 4096 bits, ${where}`);
  output.notice(`${request}: request for its certificate`);
}

async function requireFree(path: string): Promise<void> {
  const there = await lstat(path).catch(() => undefined);
  if (there === undefined) return;
  throw new CallsealError('ERR_OUTPUT_EXISTS', `${path} exists already; requests are never overwritten`, { path });
}

async function installCommand(
  options: InstallationOptions & OutputOptions & { cert: string; json?: boolean },
): Promise<void> {
  const output = new Output('installation install', options);
  noticeFipsOff(output);
  interruptSignal(); // what is begun is finished
  const { installCertificate } = await import('../../keys/installation/install.ts');
  const facts = await installCertificate({ folder: await folderOf(options), certificate: options.cert });
  if (options.json) output.print(safeJson(facts, 2));
  else output.notice(`certificate of ${facts.certificate?.subject} installed, for the key ${facts.keyId}`);
}

async function showCommand(options: InstallationOptions & { json?: boolean }): Promise<void> {
  const output = new Output('installation show');
  const { showInstallation } = await import('../../keys/installation/show.ts');
  const facts = await showInstallation(await folderOf(options));
  if (options.json) output.print(safeJson(facts, 2));
  else for (const line of factLines(facts)) output.print(line);
}
