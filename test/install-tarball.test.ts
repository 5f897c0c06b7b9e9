/**
 * The package as npm publishes it, installed in an empty folder where there is neither compiler nor cmake: the prebuilt
 * binary is found, one for every supported Node, from modules and from CommonJS. That binary is the build's own here;
 * `test/long/prebuild.test.ts` makes the one that is published.
 */

import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';

import { ConsoleSession, differenceOf } from './helpers/console-session.ts';
import { blocksOf, readPage, stepsOf } from './helpers/doc-pages.ts';
import { fipsDirectory, PROJECT } from './helpers/native-build.ts';
import { tempDir } from './helpers/temp.ts';

const NODES = [
  { name: 'this Node', node: process.execPath },
  ...[22, 24].map((major) => ({ name: `Node ${major}`, node: join(PROJECT, `.cache/node-${major}/bin/node`) })),
];

/** Programs by name, so that nothing else is on the PATH. */
function binOf(...programs: string[]): string {
  const bin = tempDir();
  for (const program of programs) {
    const path = execFileSync('sh', ['-c', `command -v ${program}`], { encoding: 'utf8' }).trim();
    symlinkSync(path, join(bin, program));
  }
  symlinkSync(process.execPath, join(bin, 'node'));
  return bin;
}

/** The tarball with `binary` among its prebuilt ones. */
function packWith(binary: string): string {
  const folder = tempDir();
  const [packed] = JSON.parse(
    execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], {
      cwd: PROJECT,
      stdio: ['ignore', 'pipe', 'ignore'],
    }).toString(),
  ) as [{ filename: string }];
  execFileSync('tar', ['xf', packed.filename], { cwd: folder });
  const place = join(folder, `package/prebuilds/linux-${process.arch}`);
  mkdirSync(place, { recursive: true });
  cpSync(binary, join(place, 'callseal.glibc.node'));
  execFileSync('tar', ['czf', 'callseal.tgz', 'package'], { cwd: folder });
  return join(folder, 'callseal.tgz');
}

describe('the published package', () => {
  let folder: string;
  let fips: string;

  beforeAll(() => {
    fips = fipsDirectory();
    folder = tempDir();
    writeFileSync(join(folder, 'package.json'), '{"private":true}');
    const tarball = packWith(join(PROJECT, 'build/Release/callseal.node'));
    const options = ['--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'];
    execFileSync('npm', ['install', ...options, tarball], {
      cwd: folder,
      env: { ...process.env, PATH: binOf('npm', 'sh', 'env') },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
  });

  it('installs without compiling anything', () => {
    expect(existsSync(join(folder, 'node_modules/callseal/build'))).toBe(false);
  });

  it('does what the quick start of the README says, for somebody who has nothing else', async () => {
    const quickStart = readPage('README.md')
      .split(/^## /m)
      .find((section) => section.startsWith('Quick start'))!;
    const steps = blocksOf(quickStart)
      .filter(({ kind }) => kind === 'console')
      .flatMap((block) => stepsOf(block, quickStart));
    const home = tempDir();
    writeFileSync(join(home, '.typed'), 'correct horse battery staple\n');
    const session = new ConsoleSession(home, { HOME: home, CALLSEAL_FIPS_DIR: fips });
    // The passphrase is typed at a prompt, which takes a terminal.
    const installed = join(folder, 'node_modules/.bin/callseal');
    await session.run(`callseal() {
      case " $* " in *" -k "* | *" keygen "*) set -- "$@" --passphrase-file .typed ;; esac
      '${installed}' "$@"
    }`);
    for (const { command, output } of steps) {
      const run = await session.run(command);
      expect([command, differenceOf(output ?? '', run.output, new Map()), run.status]).toEqual([command, null, 0]);
    }
    session.end();
    expect(steps.map(({ command }) => command.split(' ')[1])).toEqual(
      expect.arrayContaining(['keygen', 'encrypt', 'decrypt']),
    );
  });

  describe.each(NODES)('under $name', ({ node }) => {
    const run = (...args: string[]): string =>
      execFileSync(node, args, { cwd: folder, env: { ...process.env, CALLSEAL_FIPS_DIR: fips }, encoding: 'utf8' });
    const absent = existsSync(node) ? null : `${node} is not there (scripts/setup.mjs test fetches it)`;

    it.skipIf(absent)('is imported', () => {
      writeFileSync(
        join(folder, 'use.mjs'),
        `import { status } from 'callseal';
         import { KeyHierarchy } from 'callseal/keys';
         console.log(status().provider.name, typeof KeyHierarchy.open);`,
      );
      expect(run('use.mjs')).toMatch(/fips.*function/is);
    });

    it.skipIf(absent)('is required', () => {
      writeFileSync(
        join(folder, 'use.cjs'),
        "const { status } = require('callseal'); console.log(status().provider.name);",
      );
      expect(run('use.cjs')).toMatch(/fips/i);
    });

    it.skipIf(absent)('encrypts and decrypts from the command line', () => {
      const work = tempDir();
      writeFileSync(join(work, 'call.callsre'), 'what was said');
      const cli = (...args: string[]): string => run(join(folder, 'node_modules/.bin/callseal'), ...args);
      const [key, certificate] = [join(work, 'k.key'), join(work, 'k.crt')];
      cli('keygen', '--subject', '/CN=Desk', '--no-passphrase', '--key', key, '--cert', certificate);
      cli('encrypt', '-r', certificate, join(work, 'call.callsre'));
      expect(cli('decrypt', '-k', key, '-o', '-', join(work, 'call.callsre.sealed'))).toBe('what was said');
    });
  });
});
