/** System packages: found by what is really needed of them, installed only by root, and by apt only. */

import { appendFileSync, existsSync, readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { jemalloc } from './jemalloc.mjs';
import { run, SetupError } from './run.mjs';

/** @typedef {{ debian: string, fedora: string, isThere: () => boolean }} Need */

const POSTGRESQL = 'postgresql';

/** @type {Need[]} */
const BUILD = [
  { debian: 'g++', fedora: 'gcc-c++', isThere: () => onPath('g++') },
  { debian: 'make', fedora: 'make', isThere: () => onPath('make') },
  { debian: 'cmake', fedora: 'cmake', isThere: () => onPath('cmake') },
  { debian: 'libssl-dev', fedora: 'openssl-devel', isThere: () => existsSync('/usr/include/openssl/evp.h') },
  { debian: 'openssl', fedora: 'openssl', isThere: () => onPath('openssl') },
];

/** @type {Need[]} */
const TEST = [
  { debian: 'clang', fedora: 'clang', isThere: () => onPath('clang++') },
  { debian: 'libclang-rt-dev', fedora: 'compiler-rt', isThere: hasSanitizers },
  { debian: 'clang-format', fedora: 'clang-tools-extra', isThere: () => onPath('clang-format') },
  { debian: POSTGRESQL, fedora: 'postgresql-server', isThere: hasPostgres },
  { debian: 'bsdutils', fedora: 'util-linux', isThere: () => onPath('script') },
  { debian: 'zsh', fedora: 'zsh', isThere: () => onPath('zsh') },
  { debian: 'fish', fedora: 'fish', isThere: () => onPath('fish') },
  { debian: 'mandoc', fedora: 'mandoc', isThere: () => onPath('mandoc') },
  { debian: 'groff', fedora: 'groff', isThere: () => onPath('groff') },
  { debian: 'softhsm2', fedora: 'softhsm', isThere: () => onPath('softhsm2-util') },
  { debian: 'libjemalloc2', fedora: 'jemalloc', isThere: () => jemalloc() !== undefined },
  { debian: 'locales', fedora: 'glibc-locale-source', isThere: () => existsSync('/usr/share/i18n/locales/tr_TR') },
  { debian: 'chromium', fedora: 'chromium', isThere: () => onPath('chromium') || onPath('chromium-browser') },
];

/** @type {Need[]} */
const COVERAGE = [{ debian: 'gcovr', fedora: 'gcovr', isThere: () => onPath('gcovr') }];

const NEEDS = { build: BUILD, test: [...BUILD, ...TEST], coverage: [...BUILD, ...TEST, ...COVERAGE] };

/** @param {'build' | 'test' | 'coverage'} target */
export function systemPackages(target) {
  const needs = NEEDS[target];
  const missing = () => needs.filter((need) => !need.isThere());
  return {
    name: 'system packages',
    isDone: () => missing().length === 0,
    run() {
      install(missing());
      const still = missing();
      if (still.length > 0) throw new SetupError(`installed, but of no use: ${still.map((need) => need.debian)}`);
    },
  };
}

/** @param {Need[]} needs */
function install(needs) {
  const debian = needs.map((need) => need.debian);
  if (!onPath('apt-get')) {
    const fedora = needs.map((need) => need.fedora).join(' ');
    throw new SetupError(
      `these Debian packages are missing, by what they provide: ${debian.join(' ')}\n` +
        `Install what your system calls them, for instance:\n  sudo dnf install ${fedora}`,
    );
  }
  if (process.getuid() !== 0) {
    throw new SetupError(
      `packages are missing; run this, then set up again:\n  sudo apt-get install ${debian.join(' ')}`,
    );
  }
  if (!hasPackageLists()) update();
  // What decides over the server that Debian would start comes first.
  if (debian.includes(POSTGRESQL)) aptInstall('postgresql-common');
  withoutServer(() => aptInstall(...debian));
}

function aptInstall(...packages) {
  try {
    aptGet('install', '--yes', '--no-install-recommends', ...packages);
  } catch (error) {
    if (updated) throw error;
    update();
    aptGet('install', '--yes', '--no-install-recommends', ...packages);
  }
}

/** Debian makes and starts a server with the package; the tests want none but their own. */
function withoutServer(work) {
  const settings = '/etc/postgresql-common/createcluster.conf';
  if (!existsSync(settings)) return work();
  const before = readFileSync(settings);
  appendFileSync(settings, '\ncreate_main_cluster = off\n');
  try {
    work();
  } finally {
    writeFileSync(settings, before);
  }
}

let updated = false;

function update() {
  updated = true;
  aptGet('update');
}

function aptGet(verb, ...args) {
  const options = ['-q', '-o', 'DPkg::Lock::Timeout=300'];
  run(`apt-get-${verb}`, 'apt-get', [...options, verb, ...args], { env: { DEBIAN_FRONTEND: 'noninteractive' } });
}

function hasPackageLists() {
  const lists = '/var/lib/apt/lists';
  return existsSync(lists) && readdirSync(lists).some((file) => /_Packages(\.|$)/.test(file));
}

function onPath(program) {
  return findOnPath(program) !== undefined;
}

function findOnPath(program) {
  const directories = (process.env.PATH ?? '').split(delimiter).filter(Boolean);
  return directories.map((directory) => join(directory, program)).find((path) => existsSync(path));
}

/** Debian keeps the server's programs out of the PATH. */
function hasPostgres() {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian) : [];
  return onPath('initdb') || versions.some((version) => existsSync(join(debian, version, 'bin/initdb')));
}

/** libFuzzer's runtime, in the resource directory of the clang that would be used; the sanitizers' come with it. */
function hasSanitizers() {
  const clang = findOnPath('clang++');
  if (clang === undefined) return false;
  const versions = join(realpathSync(clang), '../../lib/clang');
  if (!existsSync(versions)) return false;
  return readdirSync(versions).some((version) => {
    const directory = join(versions, version, 'lib');
    return (
      existsSync(directory) && readdirSync(directory, { recursive: true }).some((file) => /clang_rt\.fuzzer/.test(file))
    );
  });
}
