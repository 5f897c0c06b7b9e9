/**
 * Finds, loads and proves the native module.
 *
 * The addon is opened with RTLD_NOW | RTLD_DEEPBIND, so that its OpenSSL symbols bind to the system's libcrypto and not to
 * the copy inside the node executable; the addon then proves that they did, or refuses to load. Done on first use, so that
 * what needs no cryptography (`--version`, `inspect`) does not pay for the module's self-tests.
 */
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';
import { isMainThread } from 'node:worker_threads';
import { CallsealError } from '../errors.ts';
import { type FipsOrigin, findFipsModule } from '../fips/discover.ts';
import type { InitialiseOptions, NativeBinding } from './binding.ts';
import { makeDisposable } from './disposable.ts';
import { rebuildCommand } from './rebuild.ts';

const packageRoot = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

let addon: NativeBinding | undefined;
let loaded: NativeBinding | undefined;
let dumpsRefused = false;
let origin: ModuleOrigin = 'libcrypto';

/**
 * The native module, loaded, proved and initialised. When the process or worker exits, its jobs are cancelled, with the
 * process those of its workers, too: Node waits for them, and a job may have hours before it.
 *
 * @throws {CallsealError} ERR_NATIVE_UNAVAILABLE, ERR_CRYPTO_NOT_ISOLATED, ERR_FIPS_UNAVAILABLE
 */
export function native(): NativeBinding {
  if (loaded === undefined) {
    const binding = loadAddon();
    binding.initialise(moduleOptions());
    process.once('exit', () => binding.cancelJobs(isMainThread));
    makeDisposable(binding);
    loaded = binding;
  }
  return loaded;
}

/**
 * Has a pool thread make the module ready, self-tests and all, while the caller goes on loading scripts. {@link native}
 * then waits for it, and tells what went wrong.
 */
export function prepareNative(): void {
  try {
    void loadAddon().initialiseAhead(moduleOptions());
  } catch {
    // native() finds it, too.
  }
}

/**
 * For programs of our own: no core dump of this process from the moment on that the native module is loaded, so before there
 * is any key. Whoever uses the package as a library decides for themselves.
 */
export function refuseCoreDumps(): void {
  dumpsRefused = true;
  addon?.refuseCoreDumps();
}

function loadAddon(): NativeBinding {
  if (addon === undefined) {
    const opened = openAddon(findAddon());
    if (dumpsRefused) opened.refuseCoreDumps();
    addon = opened;
  }
  return addon;
}

/** Where the module was found that {@link native} loaded; `libcrypto` with FIPS off. */
export type ModuleOrigin = FipsOrigin | 'libcrypto';

/** The origin of the module in use. Call {@link native} first. */
export function moduleOrigin(): ModuleOrigin {
  return origin;
}

/** Whether FIPS is required (the default) or switched off by the operator with `CALLSEAL_FIPS=off`. */
export function fipsMode(): 'required' | 'off' {
  const value = process.env.CALLSEAL_FIPS ?? 'required';
  if (value === 'required' || value === 'off') return value;
  throw new CallsealError(
    'ERR_INVALID_ARGUMENT',
    `CALLSEAL_FIPS is "${value}"; it must be "required" (default) or "off"`,
  );
}

function moduleOptions(): InitialiseOptions {
  const mode = fipsMode();
  if (mode === 'off') return { mode, modulePath: null, moduleConfig: '', errorClass: CallsealError };
  const { modulePath, moduleConfig, origin: found } = findFipsModule();
  origin = found;
  return { mode, modulePath, moduleConfig, errorClass: CallsealError };
}

/** The command that makes the file that {@link native} opens. */
export function remedyOfAddon(): string {
  return rebuildCommand(packageRoot);
}

/**
 * The file that {@link native} opens.
 *
 * @throws {CallsealError} ERR_NATIVE_UNAVAILABLE
 */
export function findAddon(): string {
  const nodeGypBuild = createRequire(import.meta.url)('node-gyp-build') as { resolve(root: string): string };
  try {
    return nodeGypBuild.resolve(packageRoot);
  } catch (error) {
    throw new CallsealError(
      'ERR_NATIVE_UNAVAILABLE',
      `no native module for this platform (${process.platform}-${process.arch}) in ${packageRoot}; ` +
        `run \`${remedyOfAddon()}\` with a C++ compiler, cmake and the OpenSSL 3 headers installed`,
      { cause: error },
    );
  }
}

/**
 * Opens an addon file so that it binds to the system's libcrypto.
 *
 * @internal Used by {@link native} and, with the build made for tests, by the test suite.
 */
export function openAddon(path: string): NativeBinding {
  const module = { exports: {} };
  try {
    process.dlopen(module, path, constants.dlopen.RTLD_NOW | deepBindFlag());
  } catch (error) {
    throw loadError(path, error);
  }
  return module.exports as NativeBinding;
}

/** A node built against a shared OpenSSL has no copy of its own to keep away from; musl has no such flag. */
function deepBindFlag(): number {
  return constants.dlopen.RTLD_DEEPBIND ?? 0;
}

function loadError(path: string, error: unknown): CallsealError {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof Error && 'code' in error && error.code === 'ERR_CRYPTO_NOT_ISOLATED') {
    return new CallsealError('ERR_CRYPTO_NOT_ISOLATED', message, { path });
  }
  return new CallsealError('ERR_NATIVE_UNAVAILABLE', `cannot load ${path}: ${message}`, { cause: error, path });
}
