/** `callseal master …`, `audit …` and `store …`: every transition, and every one that is refused. */

import { cpSync } from 'node:fs';
import { join } from 'node:path';
import Libsql from 'libsql';
import { beforeEach, describe, expect, it } from 'vitest';
import { onTerminal } from './helpers/cli.ts';
import { makeSite, PASSPHRASE, type Site, withKey } from './helpers/keys-cli.ts';

interface Master {
  id: string;
  state: string;
  current: boolean;
  suite: string;
  assessment: { approved: boolean };
}

const ENTITY = ['models', '--type', 'claimant', '--id', 'c-41'];

let site: Site;
let first: string;

beforeEach(async () => {
  site = await makeSite();
  first = (await site.json<{ masterKey: string }>('master create')).masterKey;
});

const masters = async (): Promise<Master[]> => (await site.json<{ masterKeys: Master[] }>('master list')).masterKeys;
const protect = (input = 'secret') => site.run(withKey(['protect', ...ENTITY]), { input });
const unprotect = (input: Uint8Array) => site.run(withKey(['unprotect', ...ENTITY]), { input });

describe('master', () => {
  it('create makes the first key of an empty store, and then others beside it', async () => {
    expect(await masters()).toMatchObject([{ id: first, state: 'active', current: true, suite: 'aes/aes/sha256' }]);
    const { masterKey: second } = await site.json<{ masterKey: string }>('master create --suite aes/3des/sha256');
    expect(await masters()).toMatchObject([
      { id: first, current: true },
      { id: second, current: false, suite: 'aes/3des/sha256', assessment: { approved: false } },
    ]);
  });

  it('list says what is approved, how strong a chain is, and what is odd about it', async () => {
    await site.ok('master create --suite 3des/aes/sha256');
    const text = await site.ok('master list');
    expect(text).toMatch(new RegExp(`^${first} +active, current +aes/aes/sha256 +152 bits +yes `, 'm'));
    expect(text).toMatch(/ active +3des\/aes\/sha256 +112 bits +no /);
    expect(text).toContain('the master key is weaker than the working keys it protects');
  });

  it('rotate goes on under another key, and the old one still opens', async () => {
    const sealed = await protect();
    const { masterKey: second } = await site.json<{ masterKey: string }>('master rotate');
    expect(await masters()).toMatchObject([
      { id: first, current: false, state: 'active' },
      { id: second, current: true },
    ]);
    expect((await unprotect(sealed.stdout)).stdout.toString()).toBe('secret');
    await site.ok(`master rotate --to ${first}`);
    expect((await masters()).find(({ current }) => current)?.id).toBe(first);
  });

  it('disable stops everything under the key until enable', async () => {
    const sealed = await protect();
    await site.ok(`master disable ${first} --yes`);
    for (const run of [await unprotect(sealed.stdout), await protect()]) {
      expect([run.status, run.stdout.length]).toEqual([15, 0]);
      expect(run.stderr).toContain(`master key ${first} is disabled`);
    }
    await site.ok(`master enable ${first.slice(0, 8)}`);
    expect((await unprotect(sealed.stdout)).stdout.toString()).toBe('secret');
  });

  it('remove is refused while anything depends on the key', async () => {
    await protect();
    await site.ok('master rotate');
    const inUse = await site.run(withKey(`master remove ${first} --yes`));
    expect([inUse.status, inUse.stderr]).toEqual([15, expect.stringContaining('models: 1')]);
    const { masterKey: spare } = await site.json<{ masterKey: string }>('master create');
    await site.ok(`master remove ${spare} --yes`);
    expect((await masters()).find(({ id }) => id === spare)?.state).toBe('removed');
    expect((await site.run(withKey(`master enable ${spare}`))).status).toBe(15);
    expect((await site.run(withKey(`master rotate --to ${spare}`))).status).toBe(15);
  });

  it('remove is refused for the current key', async () => {
    const run = await site.run(withKey(`master remove ${first} --yes`));
    expect([run.status, run.stderr]).toEqual([15, expect.stringContaining('is the current one')]);
  });

  it.each([
    ['master disable', /missing required argument 'id'/],
    ['master disable 1234 --yes', /"1234" is no id of a master key/],
    ['master disable XYZXYZXY --yes', /is no id of a master key/],
    ['master rotate --suite rot13', /"rot13" is no suite/],
    ['master rotate --suite lumenvox --to 12345678', /cannot be used together/],
    ['master shuffle', /unknown command 'shuffle'/],
  ])('%s is wrong usage', async (words, message) => {
    const run = await site.run(withKey(words));
    expect([run.status, run.stderr]).toEqual([2, expect.stringMatching(message)]);
  });

  it('says that a key is not there', async () => {
    expect((await site.run(withKey('master enable 00000000'))).status).toBe(15);
  });
});

describe('a question', () => {
  it('cannot be asked without a terminal, and says what to add', async () => {
    const run = await site.run(withKey(`master disable ${first}`));
    expect([run.status, run.stderr]).toEqual([2, expect.stringContaining('give --yes')]);
    expect((await masters())[0]!.state).toBe('active');
  });

  it('is answered with yes on a terminal, or nothing is done', async () => {
    const passphrase = { after: /Passphrase for .*: $/, type: `${PASSPHRASE}\n` };
    const asked = /This disables master key .* Type yes to go on: $/;
    const no = await onTerminal(['master', 'disable', first], {
      ...site,
      answers: [passphrase, { after: asked, type: 'no\n' }],
    });
    expect([no.status, (await masters())[0]!.state]).toEqual([2, 'active']);
    expect(no.screen).toContain('not confirmed; nothing was changed');
    const yes = await onTerminal(['master', 'disable', first], {
      ...site,
      answers: [passphrase, { after: asked, type: 'yes\n' }],
    });
    expect([yes.status, (await masters())[0]!.state]).toEqual([0, 'disabled']);
  });
});

describe('a store', () => {
  it('that is empty has no keys to list', async () => {
    const empty = await makeSite();
    const run = await empty.run(withKey('master list'));
    expect([run.status, run.stdout.length]).toEqual([18, 0]);
  });

  it('of another installation key is refused', async () => {
    const other = await makeSite({ ownKey: true });
    await other.ok(['installation', 'request', '--subject', '/CN=other']);
    for (const words of ['master list', 'master create', 'protect a --type b --id c']) {
      const run = await other.run(withKey(`${words} --store ${site.env.CALLSEAL_STORE}`));
      expect([words, run.status]).toEqual([words, 19]);
    }
    expect(await masters()).toHaveLength(1);
  });

  it('that was altered ends with 17', async () => {
    const database = new Libsql(join(site.cwd, 'keys.db'));
    database.exec(`update callseal_master_keys set state = 'disabled'`);
    database.close();
    const run = await site.run(withKey('master list'));
    expect([run.status, run.stderr]).toEqual([17, expect.stringContaining(first)]);
  });

  it('that was put back is refused until it is accepted', async () => {
    const sealed = await protect();
    // Whoever closes the file last leaves nothing beside it.
    cpSync(join(site.cwd, 'keys.db'), join(site.cwd, 'earlier.db'));
    await site.ok(`master disable ${first} --yes`);
    cpSync(join(site.cwd, 'earlier.db'), join(site.cwd, 'keys.db'));
    const refused = await unprotect(sealed.stdout);
    expect([refused.status, refused.stderr]).toEqual([17, expect.stringContaining('callseal store accept-restore')]);
    expect((await site.run(withKey('store accept-restore'))).status).toBe(2);
    await site.ok('store accept-restore --yes');
    expect((await unprotect(sealed.stdout)).stdout.toString()).toBe('secret');
    expect(await site.ok('audit list')).toContain('store.accept-restore');
  });
});

describe('audit', () => {
  it('lists who did what, and proves that it is whole', async () => {
    await protect();
    await site.ok('master rotate');
    const { entries } = await site.json<{ entries: { sequence: number; event: string; actor: string }[] }>(
      'audit list',
    );
    expect(entries.map(({ event }) => event)).toEqual(['store.create', 'working.create', 'master.rotate']);
    expect(await site.json('audit verify')).toEqual({ entries: 3, whole: true });
    const later = await site.ok('audit list --after 2');
    expect(later).toMatch(/^3 {2}.* UTC {2}.*@.* {2}master\.rotate {2}\{.*\}\n$/);
  });

  it('names the entry that was altered', async () => {
    await protect();
    await site.ok('master rotate');
    const database = new Libsql(join(site.cwd, 'keys.db'));
    database.exec(`update callseal_audit set actor = 'nobody' where sequence = 1`);
    database.close();
    const run = await site.run(withKey('audit verify'));
    expect([run.status, run.stderr]).toEqual([17, expect.stringContaining('audit entry 1')]);
  });
});
