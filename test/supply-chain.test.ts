/** What an installation brings: nothing that runs by itself, nothing without a reason, nothing that the bill leaves out. */

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { tempDir } from './helpers/temp.ts';

const ROOT = join(import.meta.dirname, '..');
const read = (name: string): string => readFileSync(join(ROOT, name), 'utf8');

interface LockEntry {
  version: string;
  dev?: boolean;
  link?: boolean;
  resolved?: string;
  integrity?: string;
  hasInstallScript?: boolean;
}

const manifest = JSON.parse(read('package.json')) as { version: string; dependencies: Record<string, string> };
const lock = JSON.parse(read('package-lock.json')) as { packages: Record<string, LockEntry> };
const locked = Object.entries(lock.packages).filter(([place]) => place !== '');
const production = locked.filter(([, { dev }]) => !dev);
const nameOf = (place: string): string => place.replace(/^.*node_modules\//, '');

describe('the lock file', () => {
  it('pins every package by a SHA-512 of its content', () => {
    expect(locked.length).toBeGreaterThan(0);
    for (const [place, { integrity, link, version }] of locked) {
      expect({ place, link, isPinned: /^sha512-/.test(integrity ?? '') }).toEqual({ place, isPinned: true });
      expect(version, place).toMatch(/^\d+\.\d+\.\d+/);
    }
  });

  it('takes no package from outside the registry', () => {
    const tarball = /^https:\/\/[^/]+\/.*\.tgz$/;
    const elsewhere = locked.filter(([, { resolved }]) => resolved !== undefined && !tarball.test(resolved));
    expect(elsewhere.map(([place]) => place)).toEqual([]);
  });

  // Also of development: `npm ci` on a developer's machine runs scripts as well.
  it('has no package that runs a script when it is installed, but our own', () => {
    const running = Object.entries(lock.packages).filter(([, { hasInstallScript }]) => hasInstallScript);
    expect(running.map(([place]) => place)).toEqual(['']);
  });
});

it('every production dependency has its reason in docs/architecture.md', () => {
  const [, table = ''] = read('docs/architecture.md').split('## Dependencies, and why');
  const reasons = new Map<string, string>();
  for (const [, names = '', reason = ''] of table.matchAll(/^\| (.+?) \| (.+) \|$/gm)) {
    for (const [, name = ''] of names.matchAll(/`([^`]+)`/g)) reasons.set(name, reason);
  }
  for (const name of Object.keys(manifest.dependencies)) {
    expect(reasons.get(name)?.length ?? 0, `${name} needs a line under "Dependencies, and why"`).toBeGreaterThan(15);
  }
});

it('the bill of materials names every package that an installation brings, and the OpenSSL that it uses', () => {
  const directory = tempDir();
  execFileSync(process.execPath, [join(ROOT, 'scripts/sbom.mjs'), directory], { stdio: 'pipe' });
  const bill = JSON.parse(readFileSync(join(directory, `callseal-${manifest.version}.cdx.json`), 'utf8'));
  expect(bill).toMatchObject({ bomFormat: 'CycloneDX', metadata: { component: { name: 'callseal' } } });
  const named = (bill.components as { name: string; version: string }[]).map(
    ({ name, version }) => `${name} ${version}`,
  );
  const brought = new Set(production.map(([place, { version }]) => `${nameOf(place)} ${version}`));
  expect(named.sort()).toEqual([...brought, 'openssl 3.x'].sort());
  for (const { name, hashes } of bill.components)
    expect({ name, has: hashes !== undefined }).toEqual({ name, has: name !== 'openssl' });
});
