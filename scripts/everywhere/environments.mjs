/**
 * Where the core part is run. Each environment says what the processes get, or throws, with the reason why it cannot
 * be had here.
 */

import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { jemalloc } from '../setup/jemalloc.mjs';
import { CACHE, ROOT } from '../setup/run.mjs';
import { debianFipsModule } from './fips-modules.mjs';
import { localeEnvironment } from './locales.mjs';

/** Debian's `nobody` and `nogroup`, and most others'. */
const NOBODY = 65534;

/**
 * @typedef {object} Environment
 * @property {string} name
 * @property {() => Setting | Promise<Setting>} prepare
 *
 * @typedef {{ node?: string, prefix?: string[], env?: Record<string, string | undefined>, without?: string[] }} Setting
 * another node, what the command is started by, environment variables, and files of the core part that do not fit
 */

/** @type {Environment[]} */
export const ENVIRONMENTS = [
  { name: 'as it is', prepare: () => ({}) },
  { name: 'Node 22', prepare: () => otherNode(22) },
  { name: 'Node 24', prepare: () => otherNode(24) },
  { name: "FIPS module of Debian 12's OpenSSL", prepare: () => fipsModule('bookworm') },
  { name: "FIPS module of Debian sid's OpenSSL", prepare: () => fipsModule('sid') },
  { name: 'no FIPS module (CALLSEAL_FIPS=off)', prepare: defaultProvider },
  { name: 'jemalloc preloaded', prepare: () => ({ env: { LD_PRELOAD: otherAllocator() } }) },
  { name: 'an unprivileged user', prepare: unprivileged },
  { name: 'a read-only file system', prepare: readOnly },
  { name: 'Turkish locale, UTF-8', prepare: () => locale('tr_TR.UTF-8') },
  { name: 'Turkish locale, ISO-8859-9', prepare: () => locale('tr_TR.ISO-8859-9') },
  { name: 'German locale, ISO-8859-1', prepare: () => locale('de_DE.ISO-8859-1') },
  { name: 'C locale', prepare: () => locale('C') },
  { name: 'one core', prepare: oneCore },
];

/** What a few seconds allow, all at once. */
export const COMBINED = {
  name: 'Turkish locale, jemalloc, an unprivileged user and a read-only file system at once',
  async prepare() {
    const { env } = await locale('tr_TR.ISO-8859-9');
    const user = unprivileged();
    return {
      prefix: [...readOnly().prefix, ...user.prefix],
      env: { ...user.env, ...env, LD_PRELOAD: `${env.LD_PRELOAD}:${otherAllocator()}` },
    };
  },
};

function otherNode(major) {
  const node = join(CACHE, `node-${major}/bin/node`);
  if (!existsSync(node)) throw new Error(`${node} is not there (scripts/setup.mjs test fetches it)`);
  return { node };
}

/** Without the tests of what is said of the module: here there is none, the command line warns of it, and more keys are taken. */
function defaultProvider() {
  const without = ['status', 'cli-decrypt', 'cli-protect', 'vectors'].map((name) => `test/${name}.test.ts`);
  return { env: { CALLSEAL_FIPS: 'off' }, without };
}

async function fipsModule(codename) {
  return { env: { CALLSEAL_FIPS_DIR: await debianFipsModule(codename) } };
}

function otherAllocator() {
  const path = jemalloc();
  if (path === undefined) throw new Error('libjemalloc.so.2 is not installed (Debian: libjemalloc2)');
  return path;
}

/** Only root can become somebody else; anybody else is unprivileged already. */
function unprivileged() {
  if (process.getuid() !== 0) return { prefix: [], env: {} };
  const prefix = ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'];
  try {
    execFileSync(prefix[0], [...prefix.slice(1), process.execPath, '-e', ''], { cwd: ROOT, stdio: 'pipe' });
    execFileSync(prefix[0], [...prefix.slice(1), 'test', '-r', join(ROOT, 'package.json')], { stdio: 'pipe' });
  } catch {
    throw new Error('the project or node lies where the user nobody may not look');
  }
  return { prefix, env: { HOME: '/nonexistent' } };
}

/** In a mount namespace of its own, where only a fresh /tmp, /dev, /proc and /sys can be written. */
function readOnly() {
  if (process.getuid() !== 0) throw new Error('only root can make a mount namespace');
  const mounts = [
    // By way of /mnt, as the project itself may lie below /tmp.
    `mount --bind '${ROOT}' /mnt`,
    'mount -o remount,bind,ro /mnt',
    'mount -o remount,bind,ro /',
    'mount -t tmpfs -o mode=1777 tmpfs /tmp',
    `mkdir -p '${ROOT}'`,
    `mount -n --move /mnt '${ROOT}'`,
    `cd '${ROOT}'`,
  ];
  // bash reads the start-up file of the home directory where stdin is a socket, and that may complain that it cannot write.
  const env = { HOME: '/nonexistent' };
  return { prefix: ['unshare', '--mount', 'sh', '-c', `${mounts.join(' && ')} && exec "$@"`, 'sh'], env };
}

async function locale(name) {
  return { env: await localeEnvironment(name) };
}

function oneCore() {
  return { prefix: ['taskset', '-c', '0'] };
}
