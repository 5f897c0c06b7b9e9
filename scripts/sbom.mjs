#!/usr/bin/env node
/**
 * Writes the bill of materials of what an installation brings, `callseal-VERSION.cdx.json` (CycloneDX), by `npm sbom`, and
 * adds what is used and not brought: the system's OpenSSL. `npm run sbom [DIRECTORY]`; needs package.json and
 * package-lock.json only.
 */

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

const OPENSSL = {
  'bom-ref': 'system:openssl',
  type: 'library',
  name: 'openssl',
  version: '3.x',
  scope: 'required',
  description:
    'libcrypto and FIPS provider of the operating system, 3.0 or newer. Not part of the package: `callseal status` names ' +
    'the files, versions and digests of those in use.',
  purl: 'pkg:generic/openssl',
  licenses: [{ license: { id: 'Apache-2.0' } }],
};

const manifest = read('package.json');
const bill = billOf(manifest, read('package-lock.json'));
bill.components.push(OPENSSL);
bill.dependencies.find(({ ref }) => ref === bill.metadata.component['bom-ref']).dependsOn.push(OPENSSL['bom-ref']);
bill.dependencies.push({ ref: OPENSSL['bom-ref'], dependsOn: [] });
const path = resolve(process.argv[2] ?? '.', `callseal-${manifest.version}.cdx.json`);
writeFileSync(path, `${JSON.stringify(bill, null, 2)}\n`);
console.log(`made ${path}: ${bill.components.length} components`);

/**
 * npm's own, of a project that has nothing for development: `--omit dev` leaves out packages that production needs, too,
 * when tools for development share them (npm 11).
 */
function billOf({ devDependencies, scripts, ...project }, lock) {
  const { devDependencies: _, ...root } = lock.packages[''];
  const used = Object.entries(lock.packages).filter(([place, { dev }]) => place !== '' && !dev);
  const packages = Object.fromEntries([['', root], ...used]);
  const directory = mkdtempSync(join(tmpdir(), 'callseal-sbom-'));
  // npm names the project after its directory.
  const place = join(directory, project.name);
  try {
    mkdirSync(place);
    writeFileSync(join(place, 'package.json'), JSON.stringify(project));
    writeFileSync(join(place, 'package-lock.json'), JSON.stringify({ ...lock, packages }));
    const args = ['sbom', '--sbom-format', 'cyclonedx', '--sbom-type', 'application', '--package-lock-only'];
    return JSON.parse(execFileSync('npm', args, { cwd: place, stdio: ['ignore', 'pipe', 'inherit'] }).toString());
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function read(name) {
  return JSON.parse(readFileSync(join(ROOT, name), 'utf8'));
}
