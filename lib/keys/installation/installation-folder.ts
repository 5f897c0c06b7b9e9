/**
 * The folder that holds an installation key and what belongs to it:
 *
 *     installation.key    encrypted PKCS#8, mode 0600; none when the key is in a token
 *     installation.csr    the request that the certificate is made from
 *     installation.crt    the certificate, once installed
 *     installation.json   what the key is and where
 */

import { lstat, mkdir, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';

import { writeAtomically } from '../../atomic-file.ts';
import { CallsealError, errnoOf } from '../../errors.ts';
import { findExposure } from '../../fips/ownership.ts';
import { closeRead, openRegularFile, readAt, systemError } from '../../recipients/regular-file.ts';
import { parsePkcs11Uri } from './pkcs11-uri.ts';

/** The variable that names the installation folder. */
export const FOLDER_VARIABLE = 'CALLSEAL_INSTALLATION';

/** What `installation.json` says. */
export interface InstallationDescription {
  created: Date;
  /** SHA-256 of the DER SubjectPublicKeyInfo in lower-case hexadecimal. */
  keyId: string;
  exportable: boolean;
  /** RFC 7512 URI of a key in a token; null when the key is in `installation.key`. */
  pkcs11: string | null;
}

const VERSION = 1;
const FIELDS = ['version', 'created', 'keyId', 'exportable', 'pkcs11'];
const MAX_DESCRIPTION_BYTES = 16_384;
const OTHERS = 0o077;

/**
 * The installation folder: the one given, `CALLSEAL_INSTALLATION`, for root `/etc/callseal/installation`, and otherwise
 * `callseal/installation` in `$XDG_CONFIG_HOME` or `~/.config`.
 */
export function installationFolder(given?: string, environment: NodeJS.ProcessEnv = process.env): string {
  const chosen = given ?? environment[FOLDER_VARIABLE];
  if (chosen === '') throw new CallsealError('ERR_INVALID_ARGUMENT', 'the name of the installation folder is empty');
  if (chosen !== undefined) return resolve(chosen);
  if (process.geteuid?.() === 0) return '/etc/callseal/installation';
  const configuration = environment.XDG_CONFIG_HOME;
  // The XDG Base Directory Specification has relative paths ignored.
  const base = configuration !== undefined && isAbsolute(configuration) ? configuration : join(homedir(), '.config');
  return join(base, 'callseal', 'installation');
}

/** Where everything of an installation is. */
export function installationPaths(folder: string) {
  return {
    key: join(folder, 'installation.key'),
    request: join(folder, 'installation.csr'),
    certificate: join(folder, 'installation.crt'),
    description: join(folder, 'installation.json'),
  };
}

/**
 * Makes the folder, or checks that it holds no installation yet. Nothing ever replaces an installation key.
 *
 * @throws {CallsealError} `ERR_OUTPUT_EXISTS`, `ERR_NOT_APPROVED` for a folder open to others, `ERR_IO`.
 */
export async function prepareEmptyFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 }).catch((error: unknown) => {
    throw systemError(error, 'cannot make', folder);
  });
  await requirePrivateFolder(folder);
  const { description, ...others } = installationPaths(folder);
  if (await exists(description)) {
    const { keyId } = await readDescription(folder);
    const message = `${folder} holds the installation key ${keyId} already, and nothing ever replaces one: what it protects would be lost`;
    throw new CallsealError('ERR_OUTPUT_EXISTS', message, { path: description });
  }
  for (const path of Object.values(others)) {
    if (!(await exists(path))) continue;
    const message =
      `${path} is there without installation.json: an earlier request was interrupted, or a part of the installation is ` +
      'missing. Move it away when you are sure that nothing is protected by it';
    throw new CallsealError('ERR_OUTPUT_EXISTS', message, { path });
  }
}

/**
 * Refuses a folder that anybody but its owner and root could look into or change.
 *
 * @throws {CallsealError} `ERR_NOT_APPROVED` with the command that mends it, `ERR_IO`.
 */
export async function requirePrivateFolder(folder: string): Promise<void> {
  try {
    const stats = await stat(folder);
    if (!stats.isDirectory())
      throw new CallsealError('ERR_INVALID_ARGUMENT', `${folder} is not a folder`, { path: folder });
    if ((stats.mode & OTHERS) !== 0)
      throw exposed(folder, `others than its owner may enter it`, `chmod 0700 ${folder}`);
    const exposure = findExposure(folder);
    if (exposure !== null) throw exposed(exposure.path, exposure.fact, exposure.command);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') throw nothingThere(folder, error);
    throw systemError(error, 'cannot examine', folder);
  }
}

/**
 * Refuses a private-key file that others may read.
 *
 * @throws {CallsealError} `ERR_NOT_APPROVED` with the command that mends it, `ERR_IO`.
 */
export async function requirePrivateFile(path: string): Promise<void> {
  const { mode } = await stat(path).catch((error: unknown) => {
    throw systemError(error, 'cannot examine', path);
  });
  if ((mode & OTHERS) !== 0) throw exposed(path, 'others than its owner may read it', `chmod 0600 ${path}`);
}

function exposed(path: string, fact: string, command: string): CallsealError {
  const message = `${path} is not safe for an installation key: ${fact}. Run: ${command}`;
  return new CallsealError('ERR_NOT_APPROVED', message, { path });
}

async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return false;
    throw systemError(error, 'cannot examine', path);
  }
}

/** Writes `installation.json`, never over another. `ERR_OUTPUT_EXISTS`, `ERR_IO`. */
export async function writeDescription(folder: string, description: InstallationDescription): Promise<void> {
  const { created, keyId, exportable, pkcs11 } = description;
  const content = { version: VERSION, created: created.toISOString(), keyId, exportable, pkcs11 };
  const text = `${JSON.stringify(content, null, 2)}\n`;
  const path = installationPaths(folder).description;
  await writeAtomically(path, { overwrite: false, sync: true, withdraw: true }, (file) => file.writeFile(text));
}

/** A request or certificate, for everybody to read. `ERR_OUTPUT_EXISTS` unless it may be replaced; `ERR_IO`. */
export async function writePublicText(path: string, text: string, overwrite: boolean): Promise<void> {
  const options = { overwrite, sync: true, mode: 0o644, ignoreUmask: true, withdraw: true };
  await writeAtomically(path, options, (file) => file.writeFile(text));
}

/**
 * Reads `installation.json`, strictly.
 *
 * @throws {CallsealError} `ERR_KEY_UNREADABLE`, `ERR_UNSUPPORTED_VERSION`, `ERR_IO`.
 */
export async function readDescription(folder: string): Promise<InstallationDescription> {
  const path = installationPaths(folder).description;
  const fields = parseFields(await readText(path), path);
  const refuse = (why: string): never => {
    throw damaged(path, why);
  };
  if (fields.version !== VERSION) {
    if (!Number.isInteger(fields.version)) refuse('version is not a number');
    const message = `${path} has version ${String(fields.version)}, and this release knows ${VERSION}; use a newer release`;
    throw new CallsealError('ERR_UNSUPPORTED_VERSION', message, { path });
  }
  const names = Object.keys(fields);
  if (names.length !== FIELDS.length || !FIELDS.every((name) => names.includes(name))) {
    refuse(`it has the fields ${names.join(', ')} instead of ${FIELDS.join(', ')}`);
  }
  const { created, keyId, exportable, pkcs11 } = fields;
  const time = new Date(typeof created === 'string' ? created : Number.NaN);
  if (Number.isNaN(time.getTime()) || time.toISOString() !== created) return refuse('created is not a time');
  if (typeof keyId !== 'string' || !/^[0-9a-f]{64}$/.test(keyId)) return refuse('keyId is not a SHA-256 hash');
  if (typeof exportable !== 'boolean') return refuse('exportable is not true or false');
  if (pkcs11 !== null && typeof pkcs11 !== 'string') return refuse('pkcs11 is neither null nor a URI');
  if (pkcs11 !== null) checkUri(pkcs11, exportable, refuse);
  return { created: time, keyId, exportable, pkcs11 };
}

function checkUri(uri: string, exportable: boolean, refuse: (why: string) => never): void {
  if (exportable) refuse('a key in a token cannot be exportable');
  try {
    parsePkcs11Uri(uri, {});
  } catch (error) {
    if (error instanceof CallsealError) refuse(error.message);
    throw error;
  }
}

function parseFields(text: string, path: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // Said below, without the parser's excerpt.
  }
  throw damaged(path, 'it is not a JSON object');
}

function damaged(path: string, why: string): CallsealError {
  const message = `${path} is damaged: ${why}. Put it back from a backup; the key itself is not lost`;
  return new CallsealError('ERR_KEY_UNREADABLE', message, { path });
}

function nothingThere(path: string, cause: unknown): CallsealError {
  const message = `there is no installation key in this folder (no ${path}); make one with: callseal installation request`;
  return new CallsealError('ERR_IO', message, { path, errno: 'ENOENT', cause });
}

async function readText(path: string): Promise<string> {
  const { handle, stats } = await openRegularFile(path).catch((error: unknown) => {
    if (!(error instanceof CallsealError) || error.errno !== 'ENOENT') throw error;
    throw nothingThere(path, error);
  });
  try {
    if (stats.size > BigInt(MAX_DESCRIPTION_BYTES))
      throw damaged(path, `it is longer than ${MAX_DESCRIPTION_BYTES} bytes`);
    const bytes = Buffer.alloc(Number(stats.size));
    return bytes.toString('utf8', 0, await readAt(handle, bytes, 0, path));
  } finally {
    await closeRead(handle);
  }
}
