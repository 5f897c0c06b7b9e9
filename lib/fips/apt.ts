/**
 * Fetches and unpacks Debian packages without installing them, without root, and without touching apt's own state.
 *
 * apt does the fetching: it knows the machine's mirrors and proxies, and checks every package against the archive's
 * signed index.
 */

import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { CallsealError } from '../errors.ts';
import { mustRun } from './command.ts';

const KEYRINGS = ['/usr/share/keyrings/debian-archive-keyring.gpg', '/usr/share/keyrings/debian-archive-keyring.pgp'];

/**
 * Where a package may come from: the lists apt has already, fresh lists of the machine's own sources, or another
 * release of Debian on the machine's own mirror.
 */
export type PackageSource = { kind: 'lists' } | { kind: 'own' } | { kind: 'debian'; codename: string };

/**
 * Unpacks one package's files under `directory`.
 *
 * @param sources tried in order; the first that has the package wins
 * @returns name, version and architecture, as in the archive's file name
 * @throws CallsealError ERR_FIPS_UNAVAILABLE when none has, with what apt said last
 */
export async function unpackDebianPackage(name: string, directory: string, sources: PackageSource[]): Promise<string> {
  const scratch = mkdtempSync(join(tmpdir(), 'callseal-apt-'));
  try {
    // apt drops to its own user for the transfer and must be able to look in.
    chmodSync(scratch, 0o755);
    const archive = await download(name, scratch, sources);
    await mustRun('dpkg-deb', ['-x', archive, directory], `the package ${name} cannot be unpacked`);
    return decodeURIComponent(basename(archive, '.deb'));
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function download(name: string, scratch: string, sources: PackageSource[]): Promise<string> {
  const failures: unknown[] = [];
  for (const [index, source] of sources.entries()) {
    const target = join(scratch, `download-${index}`);
    mkdirSync(target);
    try {
      await downloadFrom(source, name, target, join(scratch, `apt-${index}`));
      return packageIn(target, name);
    } catch (error) {
      failures.push(error);
    }
  }
  throw failures.at(-1);
}

function packageIn(directory: string, name: string): string {
  const archive = readdirSync(directory).find((file) => file.startsWith(`${name}_`) && file.endsWith('.deb'));
  if (archive === undefined) throw new CallsealError('ERR_FIPS_UNAVAILABLE', `apt-get fetched no package ${name}`);
  return join(directory, archive);
}

/** Puts the package's archive into `target`; `state` is a directory that this may make, for an apt of our own. */
async function downloadFrom(source: PackageSource, name: string, target: string, state: string): Promise<void> {
  const advice = 'check the network, and the mirrors and the proxy that apt is configured with';
  const options = ['-q'];
  if (source.kind !== 'lists') {
    options.push('-c', source.kind === 'own' ? writeAptState(state) : await debianApt(state, source.codename));
    await mustRun('apt-get', [...options, 'update'], advice);
  }
  await mustRun('apt-get', [...options, 'download', name], advice, { cwd: target });
}

export interface DebianAptOptions {
  /** Debian's name of another machine than this one, such as `arm64`. */
  architecture?: string;
  /** Default: binary packages. */
  what?: 'Packages' | 'Sources';
}

/**
 * An apt of its own for one release of Debian, on the machine's own mirrors.
 *
 * @param directory where it keeps its state and its cache; made
 * @returns path of the configuration, for `apt-get -c`
 * @throws CallsealError ERR_FIPS_UNAVAILABLE when there is no mirror or no keyring
 */
export async function debianApt(directory: string, codename: string, options: DebianAptOptions = {}): Promise<string> {
  const sources = await debianSources(codename, options.what ?? 'Packages');
  return writeAptState(directory, { sources, architecture: options.architecture });
}

/** Sources (deb822) for a release of Debian, on the machine's own mirrors. */
async function debianSources(codename: string, what: 'Packages' | 'Sources'): Promise<string> {
  const keyring = KEYRINGS.find((path) => existsSync(path));
  if (keyring === undefined) {
    throw new CallsealError(
      'ERR_FIPS_UNAVAILABLE',
      "no keyring to check Debian's packages with; install the package debian-archive-keyring",
    );
  }
  const stanzas = (await debianMirrors(codename)).map(({ uri, suite }) =>
    [
      `Types: ${what === 'Sources' ? 'deb-src' : 'deb'}`,
      `URIs: ${uri}`,
      `Suites: ${suite}`,
      'Components: main',
      `Targets: ${what}`,
      `Signed-By: ${keyring}`,
    ].join('\n'),
  );
  return `${stanzas.join('\n\n')}\n`;
}

/** The machine's own mirrors, asked for the suites of another release. */
async function debianMirrors(codename: string): Promise<{ uri: string; suite: string }[]> {
  const listing = await mustRun(
    'apt-get',
    ['indextargets', '--no-release-info', '--format', '$(RELEASE) $(REPO_URI)', 'Created-By: Packages'],
    "apt's sources cannot be read",
  );
  const release = debianCodename();
  const mirrors = new Map<string, string>();
  for (const line of listing.split('\n')) {
    const [suite, uri] = line.split(' ');
    if (uri === undefined) continue;
    if (suite === release || suite === 'stable' || suite === 'oldstable') mirrors.set(uri, codename);
    // Nothing is published for sid in a hurry: it has no such suite.
    if (suite === `${release}-security` && codename !== 'sid') mirrors.set(uri, `${codename}-security`);
  }
  if (mirrors.size === 0) {
    throw new CallsealError(
      'ERR_FIPS_UNAVAILABLE',
      "apt's sources name no Debian mirror to take a FIPS provider from; install your system's own FIPS provider, or " +
        'give its file with `callseal fips install --module FILE`',
    );
  }
  return [...mirrors].map(([uri, suite]) => ({ uri, suite }));
}

/** The codename of the Debian release this machine runs, or null on anything else. */
function debianCodename(): string | null {
  const release = readFileSync('/etc/os-release', 'utf8');
  if (!/^ID="?debian"?$/m.test(release)) return null;
  return /^VERSION_CODENAME="?([a-z]+)"?$/m.exec(release)?.[1] ?? null;
}

/**
 * Writes an apt configuration with its own state and cache. The machine's proxies and credentials stay in force;
 * its pins and its hooks do not, since they belong to its own lists.
 *
 * @param other deb822 text to use instead of the machine's sources, and the architecture instead of the machine's
 * @returns path of the configuration
 */
function writeAptState(directory: string, other?: { sources: string; architecture: string | undefined }): string {
  mkdirSync(join(directory, 'state/lists/partial'), { recursive: true });
  mkdirSync(join(directory, 'cache/archives/partial'), { recursive: true });
  const lines = [
    '#clear APT::Update::Pre-Invoke;',
    '#clear APT::Update::Post-Invoke;',
    '#clear APT::Update::Post-Invoke-Success;',
    `Dir::State "${join(directory, 'state')}";`,
    `Dir::Cache "${join(directory, 'cache')}";`,
    'Acquire::Languages "none";',
    'Acquire::Retries "2";',
    'Acquire::http::Timeout "30";',
    'Acquire::https::Timeout "30";',
  ];
  if (other !== undefined) {
    const sourceList = join(directory, 'callseal.sources');
    writeFileSync(sourceList, other.sources);
    lines.push(
      'APT::Update::Error-Mode "any";',
      `Dir::Etc::sourcelist "${sourceList}";`,
      'Dir::Etc::sourceparts "/dev/null";',
      'Dir::Etc::preferences "/dev/null";',
      'Dir::Etc::preferencesparts "/dev/null";',
    );
    if (other.architecture !== undefined) {
      const { architecture } = other;
      lines.push('#clear APT::Architectures;', `APT::Architecture "${architecture}";`);
      lines.push(`APT::Architectures "${architecture}";`);
    }
  }
  const config = join(directory, 'apt.conf');
  writeFileSync(config, `${lines.join('\n')}\n`);
  return config;
}
