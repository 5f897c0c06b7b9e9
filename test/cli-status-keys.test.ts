/** What `callseal status` says of the key hierarchy. */

import { readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import Libsql from 'libsql';
import { beforeEach, describe, expect, it } from 'vitest';
import { status } from '../lib/status.ts';
import { makeSite, PASSPHRASE, type Site, siteAt, withKey } from './helpers/keys-cli.ts';
import { tempDir } from './helpers/temp.ts';

let site: Site;
let master: string;

beforeEach(async () => {
  site = await makeSite();
  master = (await site.json<{ masterKey: string }>('master create --suite aes/aes/sha256')).masterKey;
  await site.run(withKey(['protect', 'models', '--type', 'a', '--id', '1']), { input: 'secret' });
});

const keysPart = (text: string): string => text.slice(text.indexOf('\nkeys '));

function tamper(sql: string): void {
  const database = new Libsql(join(site.cwd, 'keys.db'));
  database.exec(sql);
  database.close();
}

describe('status of the keys', () => {
  it('is verified with the passphrase at hand', async () => {
    const text = keysPart(await site.ok('status'));
    expect(text).toMatch(/^keys +verified: every row is as it was written$/m);
    expect(text).toMatch(/^installed +RSA 4096 bits, id [0-9a-f]{64}$/m);
    expect(text).toMatch(/^chain +152 bits of strength, approved$/m);
    expect(text).toMatch(/^audit +2 entries, the last at /m);
    expect(text).toMatch(
      new RegExp(`^ {2}${master} +active, current +aes/aes/sha256 +152 bits +yes .* 1 active$`, 'm'),
    );
    expect(text).toMatch(
      /^ {2}models +1, encrypts +1 of 1 +aes\/aes\/sha256 +152 bits +yes .* of 4,294,967,296 messages/m,
    );
  });

  it('is the same as JSON, beside the status of the module', async () => {
    const { keys, ...module } = await site.json<{ keys: Record<string, unknown> }>('status');
    expect(module).toEqual(JSON.parse(JSON.stringify(status())));
    expect(keys).toMatchObject({
      verified: true,
      approved: true,
      strength: 152,
      masters: [{ id: master, current: true }],
      areas: [{ area: 'models', versions: 1, newest: { encrypts: true } }],
      audit: { entries: 2 },
      certificate: null,
    });
  });

  it('shows what the rows say without a passphrase, asks for none, and does not call it verified', async () => {
    const run = await site.run('status');
    expect([run.status, run.stderr]).toEqual([0, '']);
    const text = keysPart(run.stdout.toString());
    expect(text).toMatch(/^keys +not verified: .*no passphrase was given/m);
    expect(text).toMatch(new RegExp(`^ {2}${master} +active, current +aes/aes/sha256 +yes `, 'm'));
    expect(text).toMatch(/^ {2}models +1, active +65,536$/m);
    const elsewhere = await siteAt(tempDir(), String(site.env.CALLSEAL_STORE)).run('status --json');
    expect(JSON.parse(elsewhere.stdout.toString()).keys).toMatchObject({ verified: false, masters: [{ id: master }] });
    for (const name of readdirSync(site.cwd).filter((each) => each.startsWith('keys.db'))) {
      renameSync(join(site.cwd, name), join(site.cwd, 'state', name));
    }
    const unnamed = await site.run('status', { env: { CALLSEAL_STORE: '' } });
    expect(keysPart(unnamed.stdout.toString())).toMatch(new RegExp(`^ {2}${master} +active, current`, 'm'));
  });

  it('names what is not approved and what is disabled', async () => {
    await site.ok('master rotate --suite 3des/3des/sha256');
    await site.ok(`master disable ${master} --yes`);
    const text = keysPart(await site.ok('status'));
    expect(text).toMatch(/^chain +112 bits of strength, not approved for new data$/m);
    expect(text).toMatch(/^! a 3DES working key serves 8 MiB/m);
    expect(text).toContain(`! master key ${master} is disabled`);
  });

  it('ends with 17 when a row was altered, and names it', async () => {
    tamper(`update callseal_working_keys set reserved = 0`);
    const run = await site.run(withKey('status'));
    expect([run.status, run.stderr]).toEqual([17, expect.stringContaining('area models, version 1')]);
    const json = await site.run(withKey('status --json'));
    expect(JSON.parse(json.stdout.toString())).toMatchObject({ exitCode: 17, error: { code: 'ERR_KEY_SUBSTITUTED' } });
    expect((await site.run('status')).status).toBe(0);
  });

  it('does not fail over a suite that is none when nothing is verified', async () => {
    tamper('update callseal_master_keys set suite = 99');
    expect(keysPart((await site.run('status')).stdout.toString())).toContain('unknown (99)');
  });

  it('ends with the code of what is wrong with the store or the passphrase', async () => {
    const missing = await site.run(withKey('status --store sqlite:/no/such/keys.db'));
    expect(missing.status).toBe(18);
    const wrong = await site.run(['status', '--passphrase-env', 'WRONG'], { env: { WRONG: `not ${PASSPHRASE}` } });
    expect(wrong.status).toBe(6);
  });
});
