/**
 * Puts a FIPS provider where Callseal finds it: `callseal fips install`.
 *
 * Some systems have a provider that is ready to use; then there is nothing to do. Others have the module without a
 * configuration, or have none. Debian 13's package needs only glibc 2.34, and also runs under Debian 12's libcrypto.
 *
 * The module is always copied: two libcryptos in one process (ours, and that of a Node that runs in FIPS mode itself)
 * cannot share one provider file, OSSL_PROVIDER-FIPS(7).
 */

import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { CallsealError, errnoOf, hasCode } from '../errors.ts';
import { unpackDebianPackage } from './apt.ts';
import { mustRun, runCommand } from './command.ts';
import {
  CONFIG_FILE,
  type FipsModule,
  type FipsOrigin,
  findSystemModule,
  findSystemModuleFile,
  MACHINE_FIPS_DIRECTORY,
  MODULE_FILE,
  packageFipsDirectory,
  readFipsDirectory,
  userFipsDirectory,
} from './discover.ts';
import { hasEmbeddedMac } from './module-file.ts';
import { findExposure } from './ownership.ts';

const PACKAGE = 'openssl-provider-fips';
const DEBIAN_WITH_PACKAGE = 'trixie';

export interface FipsInstallOptions {
  /** Where to. Default: /usr/local/lib/callseal/fips for root, else the user's data directory. */
  dir?: string;
  /** A module to copy, instead of the system's or Debian's. */
  module?: string;
  /** Called with one sentence for each thing done. */
  log?: (sentence: string) => void;
}

export interface FipsInstallation {
  /** `system`: the system's own is ready, nothing done. `present`: already there, nothing changed. */
  outcome: 'system' | 'present' | 'installed';
  module: FipsModule;
}

/**
 * Installs a FIPS provider: `fips.so`, self-tested on this machine, and the `fipsmodule.cnf` made from it. Both appear
 * together or not at all.
 *
 * @throws CallsealError ERR_INVALID_ARGUMENT for a directory or a module that may not be used; ERR_IO;
 * ERR_FIPS_UNAVAILABLE when no module can be had or it fails its self test, with the failed command's own words
 */
export async function installFips(options: FipsInstallOptions = {}): Promise<FipsInstallation> {
  const log = options.log ?? (() => {});
  if (options.module !== undefined) {
    readModule(options.module);
  } else {
    const system = await usableSystemModule();
    if (system !== null) {
      log(`The system's own FIPS provider ${system.modulePath} is ready; there is nothing to install.`);
      return { outcome: 'system', module: system };
    }
  }
  const requested = resolve(options.dir ?? defaultFipsDirectory());
  const directory = await withinSystemErrors(requested, () => realTarget(requested));
  const present = await presentModule(directory, options.module);
  if (present !== null) {
    log(`${directory} already holds a FIPS provider whose MAC is right; nothing was changed.`);
    return { outcome: 'present', module: present };
  }
  await withinSystemErrors(directory, () => install(directory, options.module, log));
  const module = readFipsDirectory(directory, originOf(directory));
  if (module === null) throw new CallsealError('ERR_FIPS_UNAVAILABLE', `${directory}: removed while it was installed`);
  log(`Installed ${module.modulePath}${module.configPath === null ? '' : '; its self tests passed'}.`);
  if (module.origin === 'environment') log(`Set CALLSEAL_FIPS_DIR=${directory} to have Callseal use it.`);
  return { outcome: 'installed', module };
}

/** /usr/local/lib/callseal/fips for root, the user's data directory for everyone else. */
function defaultFipsDirectory(): string {
  return process.getuid?.() === 0 ? MACHINE_FIPS_DIRECTORY : userFipsDirectory();
}

/**
 * Whether a module is the one its configuration was made for, checked by OpenSSL. A module that carries its own MAC
 * is checked when it is loaded, by itself.
 */
export async function verifyFipsModule(module: FipsModule): Promise<boolean> {
  if (module.configPath === null) return true;
  const files = ['-module', module.modulePath, '-in', module.configPath];
  const outcome = await runCommand('openssl', ['fipsinstall', '-verify', '-self_test_onload', ...files], PLAIN_OPENSSL);
  return outcome.status === 0;
}

/** The tool must not take over anything that the caller's environment configures for OpenSSL. */
const PLAIN_OPENSSL = { env: { OPENSSL_CONF: '/dev/null', OPENSSL_MODULES: undefined } };

/** The system's module if it can be used as it is; a wrong configuration of it is a reason to make a right one. */
async function usableSystemModule(): Promise<FipsModule | null> {
  try {
    const module = findSystemModule();
    return module !== null && (await verifyFipsModule(module)) ? module : null;
  } catch (error) {
    if (hasCode(error, 'ERR_FIPS_UNAVAILABLE')) return null;
    throw error;
  }
}

/** What is there already and needs no work: whole, and the same as the module asked for. */
async function presentModule(directory: string, wanted: string | undefined): Promise<FipsModule | null> {
  let module: FipsModule | null;
  try {
    module = readFipsDirectory(directory, originOf(directory));
  } catch {
    return null;
  }
  if (module === null || !(await verifyFipsModule(module))) return null;
  if (wanted !== undefined && !readModule(wanted).equals(readFileSync(module.modulePath))) return null;
  return module;
}

async function install(directory: string, wanted: string | undefined, log: (sentence: string) => void): Promise<void> {
  // Whatever the umask: a directory that the user's group may write is refused when the module is loaded.
  mkdirSync(dirname(directory), { recursive: true, mode: 0o755 });
  const work = mkdtempSync(`${directory}.new-`);
  try {
    const source = wanted ?? findSystemModuleFile() ?? (await fetchModule(work, log));
    const ready = join(work, 'ready');
    mkdirSync(ready);
    await prepare(resolve(source), ready);
    publish(ready, directory, work);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Fetches Debian's module and returns its path below `work`. */
async function fetchModule(work: string, log: (sentence: string) => void): Promise<string> {
  const unpacked = join(work, 'package');
  mkdirSync(unpacked, { mode: 0o755 });
  const fetched = await unpackDebianPackage(PACKAGE, unpacked, [
    { kind: 'lists' },
    { kind: 'debian', codename: DEBIAN_WITH_PACKAGE },
  ]).catch((cause: unknown) => {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new CallsealError(
      'ERR_FIPS_UNAVAILABLE',
      `no FIPS provider could be fetched; install your system's, or give one with --module FILE. ${why}`,
      { cause },
    );
  });
  log(`Fetched the package ${fetched}, checked against its archive's signed index.`);
  const file = findSystemModuleFile(unpacked);
  if (file === null) throw new CallsealError('ERR_FIPS_UNAVAILABLE', `the package ${PACKAGE} holds no ${MODULE_FILE}`);
  return file;
}

/** Copies the module, runs its self tests and writes its configuration. */
async function prepare(source: string, directory: string): Promise<void> {
  const modulePath = join(directory, MODULE_FILE);
  const configPath = join(directory, CONFIG_FILE);
  copyFileSync(source, modulePath, constants.COPYFILE_EXCL);
  chmodSync(modulePath, 0o644);
  if (!hasEmbeddedMac(modulePath)) {
    // -self_test_onload: no note that the tests once passed, so every load runs them (FIPS 140-3) on every machine.
    const files = ['-module', modulePath, '-out', configPath];
    const advice = `${source} is not a FIPS provider that works on this machine`;
    await mustRun('openssl', ['fipsinstall', '-self_test_onload', ...files], advice, PLAIN_OPENSSL);
    chmodSync(configPath, 0o644);
  }
  chmodSync(directory, 0o755);
  for (const path of [modulePath, ...(existsSync(configPath) ? [configPath] : []), directory]) sync(path);
}

/** Puts the finished directory in place; an older one is moved aside first and moved back if that fails. */
function publish(ready: string, directory: string, work: string): void {
  const old = join(work, 'old');
  const replaces = existsSync(directory);
  if (replaces) renameSync(directory, old);
  try {
    renameSync(ready, directory);
  } catch (error) {
    if (replaces) renameSync(old, directory);
    throw error;
  }
  sync(dirname(directory));
}

function sync(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/**
 * The directory to install into, with links resolved.
 *
 * Refused: one that others may write or swap, since code is loaded from it, and one that holds anything else,
 * since it is replaced as a whole.
 */
function realTarget(requested: string): string {
  const directory = realpathOfExistingPart(requested);
  const existing = statSync(directory, { throwIfNoEntry: false });
  const refuse = (why: string): never => {
    throw new CallsealError('ERR_INVALID_ARGUMENT', `${directory}: ${why}; name another directory with --dir`, {
      path: directory,
    });
  };
  if (existing !== undefined && !existing.isDirectory()) refuse('is not a directory');
  // As in discovery: the package's own directory is as safe as the package.
  const exposure = directory === packageFipsDirectory() ? null : findExposure(requested, directory);
  if (exposure !== null) {
    const { path, fact, command } = exposure;
    const what = path === directory ? fact : `others may replace it, because of ${path}: ${fact}`;
    refuse(`${what}; run \`${command}\``);
  }
  const others = existing === undefined ? [] : readdirSync(directory).filter((file) => !OURS.includes(file));
  if (others.length > 0) refuse(`holds other files (${others[0]})`);
  return directory;
}

const OURS = [MODULE_FILE, CONFIG_FILE];

function realpathOfExistingPart(path: string): string {
  if (existsSync(path)) return realpathSync(path);
  return join(realpathOfExistingPart(dirname(path)), basename(path));
}

/** The bytes of a module that the caller named, refused right away when they cannot be one. */
function readModule(path: string): Buffer {
  try {
    const bytes = readFileSync(path);
    hasEmbeddedMac(path);
    return bytes;
  } catch (cause) {
    if (cause instanceof CallsealError) throw cause;
    throw new CallsealError('ERR_INVALID_ARGUMENT', `${path}: cannot be read (${errnoOf(cause)})`, { path, cause });
  }
}

function originOf(directory: string): FipsOrigin {
  if (directory === packageFipsDirectory()) return 'package';
  if (directory === userFipsDirectory()) return 'user';
  return directory === MACHINE_FIPS_DIRECTORY ? 'machine' : 'environment';
}

async function withinSystemErrors<T>(directory: string, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    const errno = errnoOf(cause);
    if (cause instanceof CallsealError || errno === undefined) throw cause;
    const message = `${directory}: cannot be used (${errno}); name a directory that you may write with --dir`;
    throw new CallsealError('ERR_IO', message, { errno, path: directory, cause });
  }
}
