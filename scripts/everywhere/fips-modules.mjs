/** FIPS modules of other releases of OpenSSL than the installed one, built from Debian's source packages. */

import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { command, intoPlace } from '../setup/downloads.mjs';
import { CACHE, run } from '../setup/run.mjs';

/**
 * A directory for CALLSEAL_FIPS_DIR with the module of the OpenSSL that a release of Debian has. It takes minutes, once.
 *
 * @param {string} codename such as `bookworm`
 */
export async function debianFipsModule(codename) {
  const name = `fips-${codename}`;
  if (!existsSync(join(CACHE, name))) await intoPlace(name, (directory) => buildModule(codename, directory));
  return join(CACHE, name);
}

async function buildModule(codename, directory) {
  const scratch = mkdtempSync(join(tmpdir(), 'callseal-openssl-'));
  try {
    // apt drops to its own user for the transfer and must be able to look in.
    chmodSync(scratch, 0o755);
    const tree = await sourceTree(codename, scratch);
    const made = (log, program, ...args) => run(`fips-${codename}-${log}`, program, args, { cwd: tree });
    made('configure', './Configure', 'enable-fips', 'no-tests');
    made('generated', 'make', '-j2', 'build_generated');
    made('module', 'make', '-j2', 'providers/fips.so');
    cpSync(join(tree, 'providers/fips.so'), join(directory, 'fips.so'));
    const files = ['-module', join(directory, 'fips.so'), '-out', join(directory, 'fipsmodule.cnf')];
    run(`fips-${codename}-install`, 'openssl', ['fipsinstall', ...files], { env: { OPENSSL_CONF: '/dev/null' } });
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** The upstream part of the package alone: Debian's own patches do not concern the module. */
async function sourceTree(codename, scratch) {
  const { debianApt } = await import('../../dist/fips/apt.js');
  const apt = ['-q', '-c', await debianApt(join(scratch, 'apt'), codename, { what: 'Sources' })];
  command('apt-get', [...apt, 'update']);
  const listed = command('apt-cache', [...apt, 'showsrc', '--only-source', 'openssl']);
  const versions = [...listed.matchAll(/^Version: (.*)$/gm)].map(([, version]) => version);
  const archive = newestOf(versions.reverse(), apt, scratch);
  const tree = join(scratch, 'tree');
  mkdirSync(tree);
  command('tar', ['-xzf', archive, '-C', tree, '--strip-components=1']);
  return tree;
}

/** A mirror may list a version before, or after, it has its files. */
function newestOf(versions, apt, scratch) {
  let refusal = 'no openssl in its sources';
  for (const [index, version] of versions.entries()) {
    const place = join(scratch, `source-${index}`);
    mkdirSync(place);
    try {
      const source = [...apt, 'source', '--download-only', '--tar-only', `openssl=${version}`];
      execFileSync('apt-get', source, { cwd: place, stdio: 'pipe' });
      return join(
        place,
        readdirSync(place).find((file) => /\.orig\.tar\.gz$/.test(file)),
      );
    } catch (error) {
      refusal = `openssl ${version}: ${/^E: .*$/m.exec(error.stderr ?? error.message)?.[0] ?? error.message}`;
    }
  }
  throw new Error(`apt-get fetched no source: ${refusal}`);
}
