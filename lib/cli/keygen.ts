/** `callseal keygen`: a private key and its self-signed certificate. */

import { lstat, readFile, rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { throwIfAborted } from '../abort.ts';
import { writeAtomically } from '../atomic-file.ts';
import { CallsealError } from '../errors.ts';
import { native } from '../native/load.ts';
import type { Passphrase } from '../native/passphrase.ts';
import {
  createCertificate,
  generatePrivateKey,
  generateSigningKey,
  type PrivateKey,
} from '../recipients/private-key.ts';
import { cleansedAtExit } from './cleanse.ts';
import { noticeFipsOff } from './fips-notice.ts';
import { interruptSignal } from './interrupt.ts';
import { Output, type OutputOptions } from './output.ts';
import { addPassphraseOptions, type PassphrasePlace, promptPassphrase, readPassphrase } from './passphrase-options.ts';
import { parseSubject } from './subject.ts';
import { formatValidity, safe } from './text.ts';

/** RSA-2048, the documented recipe's, ends in 2030 by NIST's plan; recordings are kept longer. */
const DEFAULT_BITS = '3072';
const MAX_DAYS = 36_500;
const CURVES = { 'ec-p256': 'P-256', 'ec-p384': 'P-384' } as const;

interface KeygenOptions extends OutputOptions {
  subject: string;
  key: string;
  cert: string;
  algorithm: 'rsa' | keyof typeof CURVES;
  bits: string;
  days: number;
  /** False with `--no-passphrase`. */
  passphrase?: boolean;
}

const HELP = `
The passphrase is asked for twice on the terminal unless an option says where it is. Neither file is ever overwritten.
Give the certificate to the recording host, and keep the private key away from it.

With --algorithm ec-p256 or ec-p384 the key signs files (callseal encrypt --sign-key) and opens none: it stays on the
host that writes them, and its certificate goes to whoever demands that signature (callseal decrypt --require-signer).

Examples:
  callseal keygen --subject "/C=US/ST=CA/L=San Diego/O=MyCompany/CN=MyCompany/emailAddress=support@mycompany.com" \\
                  --key my_private.key --cert my_cert.crt
  callseal keygen --subject /CN=nightly --key nightly.key --cert nightly.crt --passphrase-file /run/secrets/nightly
  callseal keygen --algorithm ec-p256 --subject /CN=ivr-host-7 --key host.key --cert host.crt
  callseal keygen --subject /CN=test --key test.key --cert test.crt --no-passphrase --days 30`;

export function define(command: Command): void {
  command
    .requiredOption('--subject <name>', 'name in the certificate, as openssl takes it: /type=value/type=value…')
    .requiredOption('--key <file>', 'where the private key goes')
    .requiredOption('--cert <file>', 'where the certificate goes')
    .addOption(
      new Option('--algorithm <name>', 'rsa to open files, ec-p256 or ec-p384 to sign them')
        .choices(['rsa', 'ec-p256', 'ec-p384'])
        .default('rsa'),
    )
    .addOption(
      new Option('--bits <n>', 'length of the RSA key').choices(['2048', '3072', '4096']).default(DEFAULT_BITS),
    )
    .option('--days <n>', 'how long the certificate is valid', parseDays, 365);
  const places = addPassphraseOptions(command);
  command
    .option('--no-passphrase', 'leave the private key unencrypted')
    .option('-q, --quiet', 'only errors')
    .addHelpText('after', HELP)
    .action((options: KeygenOptions) => {
      if (options.algorithm !== 'rsa' && command.getOptionValueSource('bits') === 'cli') {
        throw new CallsealError('ERR_INVALID_ARGUMENT', `--bits is for RSA keys, not for ${options.algorithm}`);
      }
      return keygenCommand(options, places);
    });
}

function parseDays(text: string): number {
  const days = Number(text);
  if (Number.isInteger(days) && days >= 1 && days <= MAX_DAYS) return days;
  throw new CallsealError('ERR_INVALID_ARGUMENT', `--days takes a number from 1 to ${MAX_DAYS}`);
}

async function keygenCommand(options: KeygenOptions, places: PassphrasePlace[]): Promise<void> {
  const output = new Output('keygen', options);
  const subject = parseSubject(options.subject);
  checkPassphraseChoice(options, places);
  await checkTargets(options.key, options.cert);
  noticeFipsOff(output);
  native(); // nobody types a passphrase for a module that is missing
  const passphrase = options.passphrase === false ? null : obtainPassphrase(places, options.key, output);
  const signal = interruptSignal();
  const key = cleansedAtExit(await generate(options));
  const certificate = await createCertificate(key, subject, options.days);
  throwIfAborted(signal);
  await key.save(options.key, passphrase);
  await writeCertificate(options, certificate, signal);
  report(options, passphrase !== null, certificate, output);
}

function generate({ algorithm, bits }: KeygenOptions): Promise<PrivateKey> {
  return algorithm === 'rsa' ? generatePrivateKey(Number(bits)) : generateSigningKey(CURVES[algorithm]);
}

/** Writes the certificate of a key that has just been saved; when that fails, both go: one is nothing without the other. */
async function writeCertificate(options: KeygenOptions, certificate: string, signal: AbortSignal): Promise<void> {
  try {
    throwIfAborted(signal);
    await writeAtomically(options.cert, { overwrite: false, sync: true, mode: 0o644 }, (file) =>
      file.writeFile(certificate),
    );
  } catch (error) {
    const written = await readFile(options.cert, 'utf8').catch(() => undefined);
    if (written === certificate) await rm(options.cert, { force: true }); // it had its name already
    await rm(options.key, { force: true });
    throw error;
  }
}

function report(options: KeygenOptions, encrypted: boolean, certificate: string, output: Output): void {
  const protection = encrypted ? 'encrypted with the passphrase' : 'not encrypted: whoever has the file has the key';
  const { algorithm, bits } = options;
  const kind = algorithm === 'rsa' ? `RSA ${bits} bits` : `${CURVES[algorithm]}, for signing`;
  output.notice(`${options.key}: private key, ${kind}, ${protection}`);
  const info = native().readRecipients(Buffer.from(certificate))[0]!.certificate!;
  const validity = formatValidity(new Date(info.notBefore * 1000), new Date(info.notAfter * 1000), new Date());
  output.notice(`${options.cert}: certificate of ${safe(info.subject)}, ${validity}`);
  output.notice(`SHA-256 fingerprint ${Buffer.from(info.sha256).toString('hex')}`);
}

function checkPassphraseChoice(options: KeygenOptions, places: PassphrasePlace[]): void {
  if (options.passphrase === false && places.length > 0) {
    throw new CallsealError('ERR_INVALID_ARGUMENT', '--no-passphrase and a passphrase option cannot be used together');
  }
  if (places.length > 1) throw new CallsealError('ERR_INVALID_ARGUMENT', 'a key has one passphrase; give one option');
}

/** Said before anyone types a passphrase or waits for a key. The files are created exclusively later all the same. */
async function checkTargets(key: string, cert: string): Promise<void> {
  if (resolve(key) === resolve(cert)) {
    throw new CallsealError('ERR_INVALID_ARGUMENT', '--key and --cert name the same file');
  }
  for (const path of [key, cert]) {
    const there = await lstat(path).then(
      () => true,
      () => false,
    );
    if (there) {
      throw new CallsealError(
        'ERR_OUTPUT_EXISTS',
        `${path} exists already; keys and certificates are never overwritten`,
      );
    }
  }
}

function obtainPassphrase(places: PassphrasePlace[], keyPath: string, output: Output): Passphrase {
  const [place] = places;
  if (place !== undefined) return readPassphrase(place);
  return promptPassphrase('Passphrase for the new key', keyPath, true, output);
}
