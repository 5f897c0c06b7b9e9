/** A FIPS module is loaded only from where nobody but root and this user could have put another. */

import {
  chmodSync,
  chownSync,
  copyFileSync,
  cpSync,
  lchownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { findFipsModule, readFipsDirectory } from '../lib/fips/discover.ts';
import { findExposure } from '../lib/fips/ownership.ts';

const REPOSITORY = join(import.meta.dirname, '..');
const { modulePath: realModule } = findFipsModule();

/** Any user and group that is neither root's nor this process's. */
const OTHER = 65534;

let scratch: string;
let above: string;
let dir: string;

beforeEach(() => {
  scratch = realpathSync(mkdtempSync(join(tmpdir(), 'callseal-test-')));
  above = join(scratch, 'above');
  dir = putModule(join(above, 'fips'));
});

afterEach(() => {
  rmSync(scratch, { recursive: true });
});

function putModule(directory: string): string {
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  copyFileSync(realModule, join(directory, 'fips.so'));
  writeFileSync(join(directory, 'fipsmodule.cnf'), '[fips_sect]\nmodule-mac = 00\n');
  for (const file of readdirSync(directory)) chmodSync(join(directory, file), 0o644);
  return directory;
}

const read = (directory = dir) => readFipsDirectory(directory, 'environment');

function expectRefused(path: string, message: string, attempt: () => unknown = read): void {
  expect(attempt).toThrow(`${path}: ${message}`);
  expect(attempt).toThrow(expect.objectContaining({ code: 'ERR_FIPS_UNAVAILABLE', path }));
}

const PLACES: [string, () => string][] = [
  ['the module', () => join(dir, 'fips.so')],
  ['its configuration', () => join(dir, 'fipsmodule.cnf')],
  ['its directory', () => dir],
  ['a directory above', () => above],
];

describe('a module that every user could replace', () => {
  it.each(PLACES)('is refused because of %s', (_what, place) => {
    chmodSync(place(), 0o757);
    expectRefused(place(), 'every user may write it');
    expect(read).toThrow(`run \`chmod o-w ${place()}\``);
    chmodSync(place(), 0o755);
    expect(read()).toMatchObject({ modulePath: join(dir, 'fips.so') });
  });

  it('is accepted below a sticky directory, and not in one', () => {
    chmodSync(above, 0o1777);
    expect(read()).not.toBeNull();
    chmodSync(dir, 0o1757);
    expectRefused(dir, 'every user may write it');
  });

  it('is refused when a link leads to it through such a directory', () => {
    const way = join(scratch, 'way');
    mkdirSync(way);
    symlinkSync('../above', join(way, 'relative'));
    symlinkSync(join(way, 'relative/fips'), join(scratch, 'absolute'));
    const linked = join(scratch, 'absolute');
    expect(read(linked)).toMatchObject({ modulePath: join(linked, 'fips.so') });
    chmodSync(way, 0o757);
    expectRefused(way, 'every user may write it', () => read(linked));
    expect(() => read(linked)).toThrow(`(it leads to ${join(linked, 'fips.so')})`);
    chmodSync(way, 0o755);
    chmodSync(above, 0o757);
    expectRefused(above, 'every user may write it', () => read(linked));
  });
});

it('what does not exist, or loops, is not exposed', () => {
  symlinkSync('loop', join(scratch, 'loop'));
  expect(findExposure(join(scratch, 'none/below'), join(scratch, 'loop'), '/')).toBeNull();
  expect(findExposure(join(dir, 'fips.so/below'))).toBeNull();
});

describe.skipIf(process.geteuid?.() !== 0)(
  'owners and groups (missed unless run by root, who alone may give files away)',
  () => {
    it.each(PLACES)('a module is refused when another user owns %s', (_what, place) => {
      chownSync(place(), OTHER, 0);
      expectRefused(place(), `it belongs to user ${OTHER}, and this process runs as user 0`);
      expect(read).toThrow(`run \`chown root ${place()}\``);
    });

    it.each(PLACES)('a module is refused when a group may write %s, unless it is that of root', (_what, place) => {
      chmodSync(place(), 0o775);
      expect(read()).not.toBeNull();
      chownSync(place(), 0, OTHER);
      expectRefused(place(), `group ${OTHER} may write it`);
      expect(read).toThrow(`run \`chmod g-w ${place()}\``);
      chmodSync(place(), 0o777);
      expect(read).toThrow(`run \`chmod go-w ${place()}\``);
    });

    it('a module is refused when another user owns a link to it', () => {
      const link = join(scratch, 'link');
      symlinkSync(dir, link);
      lchownSync(link, OTHER, OTHER);
      expectRefused(link, `it belongs to user ${OTHER}`, () => read(link));
      expect(() => read(link)).toThrow(`run \`chown -h root ${link}\``);
    });

    it('the module inside a checkout is as safe as the checkout, for its owner and for root', async () => {
      const root = join(scratch, 'checkout');
      cpSync(join(REPOSITORY, 'lib/fips'), join(root, 'lib/fips'), { recursive: true });
      cpSync(join(REPOSITORY, 'lib/errors.ts'), join(root, 'lib/errors.ts'));
      const module = join(putModule(join(root, '.fips')), 'fips.so');
      const { findFipsModule: find } = (await import(
        join(root, 'lib/fips/discover.ts')
      )) as typeof import('../lib/fips/discover.ts');
      for (const path of [scratch, root, dirname(module), module, join(root, '.fips/fipsmodule.cnf')]) {
        chownSync(path, OTHER, OTHER);
      }
      vi.stubEnv('CALLSEAL_FIPS_DIR', undefined);
      try {
        expect(find()).toMatchObject({ modulePath: module, origin: 'package' });
        vi.stubEnv('CALLSEAL_FIPS_DIR', dirname(module));
        expect(find).toThrow(expect.objectContaining({ code: 'ERR_FIPS_UNAVAILABLE', path: scratch }));
        expect(find).toThrow(`run \`chown root ${scratch}\``);
        vi.stubEnv('CALLSEAL_FIPS_DIR', undefined);
        process.seteuid?.(OTHER);
        expect(find()).toMatchObject({ modulePath: module, origin: 'package' });
      } finally {
        process.seteuid?.(0);
        vi.unstubAllEnvs();
      }
    });
  },
);
