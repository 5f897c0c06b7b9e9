/** A key store on a PostgreSQL server with TLS: who it is, is verified, unless the URL says otherwise. */

import { beforeEach, describe, expect, it } from 'vitest';
import { refusalOf } from './helpers/errors.ts';
import { type PostgresServer, startPostgres } from './helpers/postgres.ts';
import { startStoreChild } from './helpers/store-child.ts';
import { masterRow } from './helpers/store-rows.ts';
import { opening } from './helpers/stores.ts';
import { makeCa } from './helpers/tls.ts';

const PASSWORD = 'only over TLS';
/** An address of this host that does not look like one, so that the rules for other hosts hold. */
const FAR = '0.0.0.0';

const ca = makeCa('The right CA');
const otherCa = makeCa('Another CA');

const access = ['local all postgres trust', 'hostssl all keys all scram-sha-256', 'hostssl all postgres all trust'];
const named = await startPostgres({ access, tls: ca.issue('DNS:localhost', `IP:${FAR}`) });
const misnamed = await startPostgres({ access, tls: ca.issue('DNS:db.example') });
const plain = await startPostgres();

let database: string;

beforeEach(async () => {
  database = await named.createDatabase();
  await misnamed.query('postgres', `create database ${database}`);
  await plain.query('postgres', `create database ${database}`);
});

const url = (server: PostgresServer, host: string, query: string) => server.url(database, { host, query });
const trusting = (file: string) => `sslrootcert=${encodeURIComponent(file)}`;

/** Whether the store's connections are encrypted, as the server sees them. */
const isEncrypted = async (server: PostgresServer) => {
  const rows = await server.query(
    database,
    `select distinct ssl from pg_stat_ssl join pg_stat_activity using (pid) where application_name = 'callseal'`,
  );
  expect(rows).toHaveLength(1);
  return rows[0]?.ssl;
};

describe('another host', () => {
  it('is verified by default', async () => {
    const store = await opening(url(named, FAR, trusting(ca.path)));
    await store.transaction((writer) => writer.writeMaster(masterRow()));
    expect(await store.readMasters()).toHaveLength(1);
    expect(await isEncrypted(named)).toBe(true);
    expect(store.description).toBe(`postgres://postgres@${FAR}:${named.port}/${database}`);
  });

  it.each<[string, () => string, RegExp]>([
    ['whose CA is not known', () => url(named, FAR, ''), /unknown CA; name it with sslrootcert=FILE/],
    ['whose CA is another', () => url(named, FAR, trusting(otherCa.path)), /unknown CA|nobody vouches/],
    ['that has another name', () => url(misnamed, FAR, trusting(ca.path)), /for another host name/],
    ['that has no TLS', () => url(plain, FAR, trusting(ca.path)), /TLS switched off/],
    [
      'that is not known, where only its name may differ',
      () => url(named, FAR, `sslmode=verify-ca&${trusting(otherCa.path)}`),
      /unknown CA|nobody vouches/,
    ],
  ])('%s is refused', async (_which, urlOf, words) => {
    const { code, message } = await refusalOf(() => opening(urlOf()));
    expect(code).toBe('ERR_STORE_UNAVAILABLE');
    expect(message).toMatch(words);
  });

  it('is trusted as far as the URL says, and the description repeats it', async () => {
    const byCa = await opening(url(misnamed, FAR, `sslmode=verify-ca&${trusting(ca.path)}`));
    expect(byCa.description).toMatch(/ \(encrypted, but without a check of the server's name: sslmode=verify-ca\)$/);
    const anybody = await opening(url(misnamed, FAR, 'sslmode=require'));
    expect(anybody.description).toMatch(/ \(encrypted, but with whichever server answers: sslmode=require\)$/);
    expect(await isEncrypted(misnamed)).toBe(true);
    const open = await opening(url(plain, FAR, 'sslmode=disable'));
    expect(open.description).toMatch(/ \(not encrypted: sslmode=disable\)$/);
    expect(await isEncrypted(plain)).toBe(false);
  });

  it('is verified when certificates are named for it, as libpq does', async () => {
    const { message } = await refusalOf(() => opening(url(named, FAR, `sslmode=require&${trusting(otherCa.path)}`)));
    expect(message).toMatch(/unknown CA|nobody vouches/);
  });
});

describe('this host', () => {
  it('is verified when the URL says so', async () => {
    await opening(url(named, 'localhost', `sslmode=verify-full&${trusting(ca.path)}`));
    expect(await isEncrypted(named)).toBe(true);
    const { message } = await refusalOf(() =>
      opening(url(misnamed, 'localhost', `sslmode=verify-full&${trusting(ca.path)}`)),
    );
    expect(message).toMatch(/for another host name/);
  });

  it('is reached without TLS otherwise, also by its socket', async () => {
    await opening(url(plain, 'localhost', ''));
    expect(await isEncrypted(plain)).toBe(false);
    await opening(named.socketUrl(database, `sslmode=verify-full&${trusting(ca.path)}`));
    expect(await isEncrypted(named)).toBe(false);
    expect((await refusalOf(() => opening(url(named, 'localhost', '')))).message).toMatch(/pg_hba/);
  });
});

it('a certificate file that cannot be read is named', async () => {
  const { code, message } = await refusalOf(() => opening(url(named, FAR, trusting('/nonexistent/ca.crt'))));
  expect(code).toBe('ERR_IO');
  expect(message).toMatch(/\/nonexistent\/ca\.crt: sslrootcert .*ENOENT/);
});

it('a password is proved for this connection alone, listening works, and no process is kept alive', async () => {
  await named.query(
    database,
    `do $$ begin if not exists (select from pg_roles where rolname = 'keys') then
    create role keys login superuser password '${PASSWORD}'; end if; end $$`,
  );
  const child = startStoreChild(
    named.url(database, { host: FAR, user: 'keys', query: trusting(ca.path) }),
    `
      const store = await openStore(url);
      const waiting = setInterval(() => {}, 1000);
      await new Promise((resolve) => store.onChange(resolve));
      clearInterval(waiting);
      await store.transaction((writer) => writer.writeMaster(counter(1)));
      say(String((await store.readMasters()).length));
    `,
    { PGPASSWORD: PASSWORD },
  );
  expect(await child.end()).toEqual({ status: 0, signal: null, stderr: '', lines: ['1'] });
});
