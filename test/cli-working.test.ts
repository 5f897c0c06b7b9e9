/** `callseal working …`: versions of an area's key. */

import { beforeEach, describe, expect, it } from 'vitest';
import { makeSite, type Site, withKey } from './helpers/keys-cli.ts';

interface Working {
  id: string;
  area: string;
  version: number;
  state: string;
  encrypts: boolean;
  decrypts: boolean;
  budget: { unit: string; reserved: number; limit: number };
}

let site: Site;

beforeEach(async () => {
  site = await makeSite();
});

const working = async (area = ''): Promise<Working[]> =>
  (await site.json<{ workingKeys: Working[] }>(`working list ${area}`.trim())).workingKeys;
const protect = (area: string) =>
  site.run(withKey(['protect', area, '--type', 'user', '--id', '7']), { input: 'secret' });
const unprotect = (area: string, input: Uint8Array) =>
  site.run(withKey(['unprotect', area, '--type', 'user', '--id', '7']), { input });

describe('working', () => {
  it('list shows the versions of each area, and their budgets', async () => {
    await protect('models');
    await protect('features');
    expect(await working()).toMatchObject([
      { area: 'features', version: 1, encrypts: true, budget: { unit: 'messages', limit: 2 ** 32 } },
      { area: 'models', version: 1, encrypts: true },
    ]);
    expect(await working('models')).toMatchObject([{ area: 'models' }]);
    expect(await site.ok('working list models')).toMatch(
      /^models +1 +encrypts +[0-9a-f]{32} .* aes\/aes\/sha256 +152 bits +yes .* of 4,294,967,296 messages \(/m,
    );
    expect(await working('none')).toEqual([]);
  });

  it('list of 3DES keys counts blocks', async () => {
    await site.ok('master create --suite aes/3des/sha256', { env: { CALLSEAL_FIPS: 'off' } });
    const run = await site.run(withKey(['protect', 'models', '--type', 'a', '--id', '1']), {
      input: 'secret',
      env: { CALLSEAL_FIPS: 'off' },
    });
    expect([run.status, run.stderr]).toEqual([0, expect.stringContaining('CALLSEAL_FIPS=off')]);
    expect(await working()).toMatchObject([
      { budget: { unit: 'blocks', limit: 2 ** 20 }, assessment: { approved: false, strength: { chain: 112 } } },
    ]);
    expect(await site.ok('working list')).toMatch(/ aes\/3des\/sha256 +112 bits +no /);
  });

  it('rotate makes a new version that encrypts; the old one only decrypts', async () => {
    const sealed = await protect('models');
    expect(await site.json('working rotate models')).toMatchObject({ area: 'models', version: 2 });
    expect(await working()).toMatchObject([
      { version: 1, state: 'retired', encrypts: false, decrypts: true },
      { version: 2, state: 'active', encrypts: true },
    ]);
    expect((await unprotect('models', sealed.stdout)).stdout.toString()).toBe('secret');
  });

  it('remove is refused while records may need the version, and forced only on purpose', async () => {
    const sealed = await protect('models');
    await site.ok('working rotate models');
    const refused = await site.run(withKey('working remove models 1 --yes'));
    expect([refused.status, refused.stderr]).toEqual([15, expect.stringContaining('callseal reencrypt')]);
    const asked = await site.run(withKey('working remove models 1 --force'));
    expect([asked.status, asked.stderr]).toEqual([2, expect.stringContaining('Records that still need it are lost')]);
    expect((await unprotect('models', sealed.stdout)).status).toBe(0);
    await site.ok('working remove models 1 --force --yes');
    const lost = await unprotect('models', sealed.stdout);
    expect([lost.status, lost.stdout.length]).toEqual([15, 0]);
    expect(await site.ok('audit list')).toContain('"forced":true');
  });

  it('remove takes a version that was never used', async () => {
    await site.ok('master create');
    await site.ok('working rotate models');
    await site.ok('working rotate models');
    await site.ok('working remove models 1 --yes');
    expect((await working())[0]!.state).toBe('removed');
  });

  it.each([
    ['working remove models', 2, /missing required argument 'version'/],
    ['working remove models one --yes', 2, /"one" is no version/],
    ['working remove models 7 --yes', 15, /area models has no keys, and no version 7/],
    ['working rotate Models', 2, /an area has 1 to 64 lower-case letters/],
    ['working list a/b', 2, /an area has/],
  ])('%s ends with %i', async (words, status, message) => {
    await site.ok('master create');
    const run = await site.run(withKey(words));
    expect([run.status, run.stderr]).toEqual([status, expect.stringMatching(message)]);
  });
});
