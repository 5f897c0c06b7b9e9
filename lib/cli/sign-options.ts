/** `--sign-key` for whoever writes files, `--require-signer` for whoever reads them. */

import type { Command } from 'commander';
import { CallsealError } from '../errors.ts';
import type { FileSigner } from '../signing/info.ts';
import { Signer } from '../signing/signer.ts';
import { loadSigners, type SignerCertificates } from '../signing/signer-certificates.ts';
import { cleansedAtExit } from './cleanse.ts';
import type { Output } from './output.ts';
import { addPassphraseOptions, passphraseSources } from './passphrase-options.ts';
import { collect } from './recipient-options.ts';
import { formatValidity, safe } from './text.ts';

/** As commander hands them over. */
export interface SignChoice {
  signKey?: string;
  signCert?: string;
}

/** As commander hands them over. */
export interface RequireSignerChoice {
  requireSigner?: string[];
}

/** Opens the key that signs, if one was named. */
export type SignerOpener = (choice: SignChoice, output: Output) => Promise<Signer | undefined>;

/** Adds the options; the result opens the key named on the command line, once it has been parsed. */
export function addSignOptions(command: Command): SignerOpener {
  command
    .option('--sign-key <file>', 'sign the files with this private key, which is for signing alone')
    .option('--sign-cert <file>', 'certificate of that key, which the files then name');
  const places = addPassphraseOptions(command, { prefix: 'sign-', of: 'of the key that signs' });
  return async ({ signKey, signCert }, output) => {
    if (signKey === undefined) {
      if (signCert === undefined && places.length === 0) return undefined;
      const given = signCert === undefined ? '--sign-passphrase-*' : '--sign-cert';
      throw new CallsealError('ERR_INVALID_ARGUMENT', `${given} is of use with --sign-key only`);
    }
    const passphrases = passphraseSources(places, output);
    const signer = cleansedAtExit(await Signer.load(signKey, { passphrases, certificate: signCert }));
    if (signer.note !== null) output.notice(`${signKey}: ${signer.note}`);
    remarkValidity(signer, signCert, output);
    return signer;
  };
}

/** Signatures stay good when a certificate expires, but whoever looks at it will ask. */
function remarkValidity({ info }: Signer, path: string | undefined, output: Output): void {
  if (info.certificate === null || path === undefined) return;
  const { notBefore, notAfter } = info.certificate;
  const now = new Date();
  if (now <= notAfter && now >= notBefore) return;
  output.notice(`certificate ${path}: ${formatValidity(notBefore, notAfter, now)}; files are signed all the same`);
}

export function addRequireSignerOption(command: Command): void {
  command.option(
    '--require-signer <cert>',
    'take only files that the key of this certificate or public key signed (repeatable)',
    collect,
  );
}

export async function loadRequiredSigners({
  requireSigner,
}: RequireSignerChoice): Promise<SignerCertificates | undefined> {
  return requireSigner === undefined ? undefined : loadSigners(requireSigner);
}

/** What a line says about the signature of a file that was read. */
export function describeSigner(signer: FileSigner | null): string {
  if (signer === null) return 'not signed';
  const name = signer.certificate === null ? `key id ${signer.keyId}` : safe(signer.certificate.subject);
  return signer.trusted ? `signed by ${name}` : `signed by whom it names as ${name}, not required`;
}
