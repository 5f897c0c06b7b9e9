/** What a key store loads, and that it leaves the crypto module alone. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CALLSEAL } from './helpers/cli.ts';
import { run } from './helpers/native-build.ts';
import { DIST, inNode, scriptFile } from './helpers/native-child.ts';
import { tempDir } from './helpers/temp.ts';

const STORE_PACKAGES = ['kysely', 'libsql', 'pg'];

/** Which of the stores' packages node loads for a script: its coverage report lists every script. */
async function loadedBy(...args: string[]): Promise<string[]> {
  const directory = tempDir();
  const { status, stderr } = await run(process.execPath, args, { NODE_V8_COVERAGE: directory });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  const reports = readdirSync(directory).map((name) => JSON.parse(readFileSync(join(directory, name), 'utf8')));
  const urls = reports.flatMap(({ result }: { result: { url: string }[] }) => result.map(({ url }) => url));
  expect(urls.length).toBeGreaterThan(0);
  return STORE_PACKAGES.filter((name) => urls.some((url) => url.includes(`/node_modules/${name}/`)));
}

describe('loading', () => {
  it('of call files brings no database along', async () => {
    expect(await loadedBy(CALLSEAL, '--version')).toEqual([]);
    expect(await loadedBy(scriptFile(`import '${DIST}index.js'; import '${DIST}keys/stores/open-store.js';`))).toEqual(
      [],
    );
  });

  it('of one kind of store does not bring the other along', async () => {
    const opening = (url: string) =>
      scriptFile(`
        import { openStore } from '${DIST}keys/stores/open-store.js';
        await openStore(${JSON.stringify(url)}, { create: false }).catch(() => {});
      `);
    const missing = join(tempDir(), 'keys.db');
    expect(await loadedBy(opening(`sqlite:${missing}`))).toEqual(['kysely', 'libsql']);
    expect(await loadedBy(opening(`postgres://nobody@/x?host=${tempDir()}`))).toEqual(['kysely', 'pg']);
  });
});

describe('the crypto module', () => {
  const work = (file: string) => `
    const { openStore } = await import('${DIST}keys/stores/open-store.js');
    const store = await openStore('sqlite:${file}');
    await store.transaction(async () => {});
  `;

  it.each([
    ['before', (file: string) => `${work(file)}; const opened = await roundTrip();`],
    ['after', (file: string) => `let opened = await roundTrip(); ${work(file)}; opened &&= await roundTrip();`],
  ])('stays isolated when SQLite is loaded %s it', async (_when, body) => {
    const found = await inNode<{ opened: boolean; path: string; libcrypto: string; revision: number }>(`
      ${body(join(tempDir(), 'keys.db'))}
      const { isolation, libcrypto } = native().status();
      report({ opened, path: isolation.libcryptoResolvesTo, libcrypto: libcrypto.path, revision: await store.readRevision() });
    `);
    expect(found).toMatchObject({ opened: true, path: found.libcrypto, revision: 1 });
    expect(found.libcrypto).toMatch(/libcrypto\.so\.3$/);
  });

  it('stays isolated when PostgreSQL is loaded before it', async () => {
    const found = await inNode<{ opened: boolean; code: string }>(`
      const { openStore } = await import('${DIST}keys/stores/open-store.js');
      const code = await openStore('postgres://nobody@/x?host=${tempDir()}').catch((error) => error.code);
      report({ opened: await roundTrip(), code });
    `);
    expect(found).toEqual({ opened: true, code: 'ERR_STORE_UNAVAILABLE' });
  });
});
