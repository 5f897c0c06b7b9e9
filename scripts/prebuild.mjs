#!/usr/bin/env node
/**
 * Makes `prebuilds/linux-ARCH/callseal.glibc.node`, which the package carries so that an installation compiles nothing.
 *
 * Built from a copy of the sources in `.cache/prebuild`, so that the build under `build/` stays as it is, and from nothing
 * that differs between two machines: with the same compiler and headers the result is the same, byte for byte.
 *
 *   node scripts/prebuild.mjs [OUT] [--arch arm64]   for this machine, or by a cross compiler; OUT instead of the project
 */

import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const ROOT = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');
const SOURCES = ['CMakeLists.txt', 'native/core', 'native/addon'];
/** What the oldest distributions with OpenSSL 3 have, RHEL 9 and Amazon Linux 2023: glibc 2.34, and the C++ library of GCC 11. */
const NEWEST_SYMBOLS = { GLIBC: '2.34', GLIBCXX: '3.4.29', CXXABI: '1.3.13' };

const require = createRequire(import.meta.url);
const place = join(ROOT, '.cache/prebuild');

const { values, positionals } = parseArgs({ options: { arch: { type: 'string' } }, allowPositionals: true });
const arch = values.arch ?? process.arch;
const out = positionals[0] ?? ROOT;

const { strip, objdump, environment } = await toolsFor(arch);
// prebuildify hands its own environment on, and no other.
Object.assign(process.env, environment);
copySources();
await prebuildify({
  cwd: place,
  out,
  arch,
  name: 'callseal',
  napi: true,
  tagLibc: true,
  strip: true,
  stripBin: strip,
  nodeGyp: join(ROOT, 'scripts/prebuild/node-gyp.mjs'),
});
const made = join(out, `prebuilds/linux-${arch}/callseal.glibc.node`);
requireOldSymbols(made);
console.log(`made ${made}`);

async function toolsFor(arch) {
  if (arch === process.arch) return { strip: 'strip', objdump: 'objdump', environment: {} };
  if (arch !== 'arm64') throw new Error(`there is a cross compiler for arm64 only, not for ${arch}`);
  const { arm64Tools } = await import('./prebuild/arm64.mjs');
  return arm64Tools();
}

function copySources() {
  rmSync(place, { recursive: true, force: true });
  mkdirSync(place, { recursive: true });
  for (const source of SOURCES) cpSync(join(ROOT, source), join(place, source), { recursive: true });
  // As much of the manifest as the build reads.
  const { name, version, binary } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  writeFileSync(join(place, 'package.json'), JSON.stringify({ name, version, binary }));
  symlinkSync(join(ROOT, 'node_modules'), join(place, 'node_modules'));
}

function prebuildify(options) {
  return new Promise((resolve, reject) => {
    require('prebuildify')(options, (error) => (error ? reject(error) : resolve()));
  });
}

/** Fails when the binary needs a newer library than {@link NEWEST_SYMBOLS} says. */
function requireOldSymbols(path) {
  const symbols = execFileSync(objdump, ['-T', path], { encoding: 'utf8' });
  const newer = new Set();
  for (const [name, library, version] of symbols.matchAll(/\b(GLIBC|GLIBCXX|CXXABI)_([\d.]+)/g)) {
    if (isNewer(version, NEWEST_SYMBOLS[library])) newer.add(name);
  }
  if (newer.size > 0) throw new Error(`${path} needs ${[...newer].join(', ')}, which the oldest systems do not have`);
}

function isNewer(version, limit) {
  const [a, b] = [version, limit].map((text) => text.split('.').map(Number));
  const index = a.findIndex((number, i) => number !== (b[i] ?? 0));
  return index >= 0 && a[index] > (b[index] ?? 0);
}
