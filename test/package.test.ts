/** What npm would publish holds everything that an installation needs, and nothing of the tests. */

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..');

/** Everything that may be in the package. What is new comes here on purpose, or stays out. */
const CLASSES = [
  /^(CHANGELOG|README|SECURITY)\.md$|^LICENSE$|^package\.json$/,
  /^bin\/(callseal|package\.json)$/,
  /^dist\/.*\.(js|d\.ts)$/,
  /^dist\/desk\/page\/(index\.html|assets\/[^/]*\.(js|css|svg))$|^dist\/man\/callseal\.1$/,
  /^docs\/[^/]*\.(md|json|png|svg)$/,
  /^deploy\/[^/]*\.(service|sysusers|cron|json|yml)$/,
  /^CMakeLists\.txt$|^native\/(core|addon)\/[^/]*\.(cc|h)$|^scripts\/install\.mjs$/,
  /^prebuilds\/linux-(x64|arm64)\/callseal\.glibc\.node$/,
];
/** Bytes of the packed package without its binaries, and of one of these as it is: twice what they have. */
const PACKED_LIMIT = 1_600_000;
const BINARY_LIMIT = 3_500_000;

describe('the package', () => {
  const listing = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: ROOT,
    stdio: 'pipe',
  });
  const [packed] = JSON.parse(listing.toString()) as [{ size: number; files: { path: string; size: number }[] }];
  const files = packed.files.map(({ path }) => path);
  const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));

  it('holds what its manifest names', () => {
    const [, installer] = manifest.scripts.install.split(' ');
    const entries = Object.values(manifest.exports as Record<string, string | Record<string, string>>);
    const exported = entries.flatMap((entry) => (typeof entry === 'string' ? entry : Object.values(entry)));
    const named = [installer, manifest.bin.callseal, ...manifest.man, ...exported].map((path: string) =>
      path.replace(/^\.\//, ''),
    );
    expect(files).toEqual(expect.arrayContaining(named));
  });

  it('holds every source that the native build takes', () => {
    const sources = execFileSync('git', ['ls-files', 'native/core', 'native/addon', 'CMakeLists.txt'], { cwd: ROOT });
    expect(files).toEqual(expect.arrayContaining(sources.toString().trim().split('\n')));
  });

  it('holds what `callseal bench` runs', () => {
    expect(files).toEqual(expect.arrayContaining(['dist/cli/bench.js', 'dist/bench/host/measure.js']));
  });

  it('holds the page of the desk, with all that it asks for', () => {
    const page = readFileSync(join(ROOT, 'dist/desk/page/index.html'), 'utf8');
    const assets = [...page.matchAll(/(?:src|href)="\/(assets\/[^"]+)"/g)].map(([, path]) => `dist/desk/page/${path}`);
    expect(assets).toHaveLength(3);
    expect(files).toEqual(expect.arrayContaining(['dist/desk/page/index.html', ...assets]));
  });

  it('holds what an operator installs beside the agent', () => {
    const deployed = ['callseal-agent.service', 'callseal.sysusers', 'grafana-dashboard.json', 'prometheus-alerts.yml'];
    expect(files).toEqual(expect.arrayContaining([...deployed.map((name) => `deploy/${name}`), 'docs/operations.md']));
  });

  it('holds nothing of an unknown kind', () => {
    expect(files.filter((path) => !CLASSES.some((pattern) => pattern.test(path)))).toEqual([]);
  });

  it('is small', () => {
    const binaries = packed.files.filter(({ path }) => path.endsWith('.node'));
    for (const { size } of binaries) expect(size).toBeLessThan(BINARY_LIMIT);
    // A binary can be packed to no more than it is.
    const most = PACKED_LIMIT + binaries.reduce((sum, { size }) => sum + size, 0);
    expect(packed.size).toBeLessThan(most);
  });

  it('leaves out tests, the comparison with peers and test hooks', () => {
    expect(files.filter((path) => /^(test|bench|native\/(test|testing|fuzz)|build)\//.test(path))).toEqual([]);
  });
});
