/** What npm would publish holds everything that an installation needs, and nothing of the tests. */

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '..');

describe('the package', () => {
  const listing = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    cwd: ROOT,
    stdio: 'pipe',
  });
  const [packed] = JSON.parse(listing.toString()) as [{ files: { path: string }[] }];
  const files = packed.files.map(({ path }) => path);
  const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));

  it('holds what its manifest names', () => {
    const [, installer] = manifest.scripts.install.split(' ');
    const entries = Object.values(manifest.exports as Record<string, string | Record<string, string>>);
    const exported = entries.flatMap((entry) => (typeof entry === 'string' ? entry : Object.values(entry)));
    const named = [installer, manifest.bin.callseal, ...exported].map((path: string) => path.replace(/^\.\//, ''));
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

  it('leaves out tests, the comparison with peers and test hooks', () => {
    expect(files.filter((path) => /^(test|bench|native\/(test|testing|fuzz)|build)\//.test(path))).toEqual([]);
  });
});
