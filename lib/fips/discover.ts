/**
 * Finds the FIPS provider to use, with a few `stat` and `read` calls and no process started: this runs at every start.
 *
 * Order: what the operator names in `CALLSEAL_FIPS_DIR`, what `callseal fips install` put down, what the system has.
 * The first directory that holds a module decides; if something is wrong with it, that is an error and not a reason to
 * look further, because another module may have another validation.
 */

import { type Stats, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CallsealError, errnoOf } from '../errors.ts';
import { hasEmbeddedMac } from './module-file.ts';
import { type Exposure, findExposure } from './ownership.ts';
import { readProviderConfig } from './provider-config.ts';

export const MODULE_FILE = 'fips.so';
export const CONFIG_FILE = 'fipsmodule.cnf';

/** Who provided a module: `CALLSEAL_FIPS_DIR`; `callseal fips install` for this package, user or machine; the system. */
export type FipsOrigin = 'environment' | 'package' | 'user' | 'machine' | 'system';

/** A FIPS module that can be loaded. */
export interface FipsModule {
  /** Absolute path of the provider, `fips.so`. */
  readonly modulePath: string;
  /** Body of its OpenSSL provider section; empty for a module that carries its own MAC. */
  readonly moduleConfig: string;
  /** The file {@link moduleConfig} came from, or null. */
  readonly configPath: string | null;
  readonly origin: FipsOrigin;
}

/** Debian's names for 64-bit machines, by Node's. */
const MULTIARCH: Partial<Record<NodeJS.Architecture, string>> = {
  x64: 'x86_64-linux-gnu',
  arm64: 'aarch64-linux-gnu',
  ppc64: 'powerpc64le-linux-gnu',
  riscv64: 'riscv64-linux-gnu',
  s390x: 's390x-linux-gnu',
};

/** In Debian's and Ubuntu's directory for this machine's libraries; `-3` is Ubuntu 22.04's. */
const MULTIARCH_MODULES =
  MULTIARCH[process.arch] === undefined
    ? []
    : ['ossl-modules', 'ossl-modules-3'].map((name) => `/usr/lib/${MULTIARCH[process.arch]}/${name}`);

/** Where systems keep OpenSSL's modules, and where the configuration of such a module may lie beside its own directory. */
const SYSTEM_PLACES: readonly { modules: string[]; configs: string[] }[] = [
  {
    modules: ['/usr/lib64/ossl-modules', ...MULTIARCH_MODULES, '/usr/lib/ossl-modules'],
    configs: ['/etc/ssl', '/usr/lib/ssl', '/etc/pki/tls'],
  },
  {
    modules: ['/usr/local/lib64/ossl-modules', '/usr/local/lib/ossl-modules'],
    configs: ['/usr/local/ssl'],
  },
];

/** `<package root>/.fips`: for a checkout, which should not touch the rest of the machine. */
export function packageFipsDirectory(): string {
  return resolve(dirname(fileURLToPath(import.meta.url)), '../../.fips');
}

/** `$XDG_DATA_HOME/callseal/fips`; XDG_DATA_HOME counts only when absolute (XDG Base Directory Specification). */
export function userFipsDirectory(): string {
  const data = process.env.XDG_DATA_HOME;
  return join(data !== undefined && isAbsolute(data) ? data : join(homedir(), '.local/share'), 'callseal/fips');
}

export const MACHINE_FIPS_DIRECTORY = '/usr/local/lib/callseal/fips';

/**
 * The FIPS module to load.
 *
 * @throws CallsealError ERR_FIPS_UNAVAILABLE when there is none, or when the first one found cannot be used
 */
export function findFipsModule(): FipsModule {
  const named = process.env.CALLSEAL_FIPS_DIR;
  if (named !== undefined && named !== '') return moduleOfEnvironment(resolve(named));
  const module =
    readFipsDirectory(packageFipsDirectory(), 'package') ??
    readFipsDirectory(userFipsDirectory(), 'user') ??
    readFipsDirectory(MACHINE_FIPS_DIRECTORY, 'machine') ??
    findSystemModule();
  if (module === null) throw noneFound();
  return module;
}

/**
 * The module in a directory as `callseal fips install` writes it, or null when the directory holds none.
 *
 * @throws CallsealError ERR_FIPS_UNAVAILABLE when it holds one that cannot be used
 */
export function readFipsDirectory(directory: string, origin: FipsOrigin): FipsModule | null {
  const modulePath = join(directory, MODULE_FILE);
  const configPath = join(directory, CONFIG_FILE);
  if (!isSafeModule(modulePath, origin)) return null;
  const embedded = hasEmbeddedMac(modulePath);
  if (existing(configPath) !== null) return configured(modulePath, configPath, origin);
  if (embedded) return { modulePath, moduleConfig: '', configPath: null, origin };
  throw new CallsealError(
    'ERR_FIPS_UNAVAILABLE',
    `${directory}: holds ${MODULE_FILE} but no ${CONFIG_FILE}; run \`callseal fips install --dir ${directory}\``,
    { path: configPath },
  );
}

/**
 * The system's module, if it has one that is configured.
 *
 * @param root put before every path looked at: the root directory of another system
 */
export function findSystemModule(root = '/'): FipsModule | null {
  for (const { modulePath, configs } of systemModules(root)) {
    const embedded = hasEmbeddedMac(modulePath);
    const configPath = configs.find((path) => existing(path) !== null);
    if (configPath !== undefined) return configured(modulePath, configPath, 'system');
    if (embedded) return { modulePath, moduleConfig: '', configPath: null, origin: 'system' };
  }
  return null;
}

/** Path of the system's `fips.so`, configured or not (Debian's package brings no configuration), or null. */
export function findSystemModuleFile(root = '/'): string | null {
  for (const { modulePath } of systemModules(root)) return modulePath;
  return null;
}

function* systemModules(root: string): Generator<{ modulePath: string; configs: string[] }> {
  for (const { modules, configs } of SYSTEM_PLACES) {
    for (const directory of modules) {
      const modulePath = join(root, directory, MODULE_FILE);
      if (!isSafeModule(modulePath, 'system')) continue;
      yield { modulePath, configs: [directory, ...configs].map((place) => join(root, place, CONFIG_FILE)) };
    }
  }
}

function configured(modulePath: string, configPath: string, origin: FipsOrigin): FipsModule {
  if (origin !== 'package') refuseExposed(configPath);
  return { modulePath, moduleConfig: readProviderConfig(configPath), configPath, origin };
}

function moduleOfEnvironment(directory: string): FipsModule {
  const module = readFipsDirectory(directory, 'environment');
  if (module !== null) return module;
  throw new CallsealError(
    'ERR_FIPS_UNAVAILABLE',
    `CALLSEAL_FIPS_DIR names ${directory}, which holds no ${MODULE_FILE}; unset it, or run ` +
      `\`callseal fips install --dir ${directory}\``,
    { path: directory },
  );
}

/**
 * False when there is no module; throws when anybody but root and this user could put code into it. The module inside the
 * package is exempt: whoever could replace it could replace the package's own code, which is running already.
 */
function isSafeModule(modulePath: string, origin: FipsOrigin): boolean {
  const module = existing(modulePath);
  if (module === null || !module.isFile()) return false;
  if (origin !== 'package') refuseExposed(dirname(modulePath), modulePath);
  return true;
}

function refuseExposed(...paths: string[]): void {
  let exposure: Exposure | null;
  try {
    exposure = findExposure(...paths);
  } catch (cause) {
    throw notLookedAt(paths.at(-1) as string, cause);
  }
  if (exposure === null) return;
  const { path, fact, command } = exposure;
  const leading = paths.includes(path) ? '' : ` (it leads to ${paths.at(-1)})`;
  throw new CallsealError(
    'ERR_FIPS_UNAVAILABLE',
    `${path}: ${fact}, so the FIPS module could be replaced${leading}; run \`${command}\``,
    { path },
  );
}

function existing(path: string): Stats | null {
  try {
    return statSync(path);
  } catch (cause) {
    const errno = errnoOf(cause);
    if (errno === 'ENOENT' || errno === 'ENOTDIR') return null;
    throw notLookedAt(path, cause);
  }
}

function notLookedAt(path: string, cause: unknown): CallsealError {
  return new CallsealError('ERR_FIPS_UNAVAILABLE', `${path}: cannot be looked at (${errnoOf(cause)})`, { path, cause });
}

function noneFound(): CallsealError {
  const bare = findSystemModuleFile();
  const found = bare === null ? 'no OpenSSL FIPS provider was found' : `${bare} has no ${CONFIG_FILE}`;
  return new CallsealError(
    'ERR_FIPS_UNAVAILABLE',
    `FIPS mode is required, but ${found}; run \`callseal fips install\`, or set CALLSEAL_FIPS=off to work with ` +
      "OpenSSL's default provider, which no FIPS certificate covers and every status then says so",
  );
}
