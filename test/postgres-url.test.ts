/** How a PostgreSQL key store is named. */

import { userInfo } from 'node:os';
import { describe, expect, it } from 'vitest';
import { type PostgresTarget, parsePostgresUrl } from '../lib/postgres/url.ts';
import { refusalOf } from './helpers/errors.ts';

const me = userInfo().username;

describe('a URL', () => {
  it.each<[string, Partial<PostgresTarget>]>([
    [
      'postgres://keys@db.example/callseal',
      { host: 'db.example', port: 5432, user: 'keys', password: null, database: 'callseal', schema: 'public' },
    ],
    ['postgresql://keys@db.example', { user: 'keys', database: 'keys' }],
    ['postgres://keys:@db.example/x', { password: '' }],
    [
      'postgres://k%40b:p%3A%2F%40:w@db.example:1234/a%2Fb',
      { user: 'k@b', password: 'p:/@:w', port: 1234, database: 'a/b' },
    ],
    ['postgres:///callseal', { host: '/var/run/postgresql', user: me, database: 'callseal', sslMode: 'disable' }],
    ['postgres://', { host: '/var/run/postgresql', user: me, database: me }],
    ['postgres://keys@/x?host=/run/pg&port=5433', { host: '/run/pg', port: 5433, sslMode: 'disable' }],
    ['postgres://keys@%2Frun%2Fpg:5433/x', { host: '/run/pg', port: 5433, sslMode: 'disable' }],
    ['postgres://keys@[2001:db8::1]:6000/x', { host: '2001:db8::1', port: 6000, sslMode: 'verify-full' }],
    [
      'postgres://keys@db/x?schema=my_keys2&sslrootcert=%2Fetc%2Fca.crt',
      { schema: 'my_keys2', sslRootCert: '/etc/ca.crt' },
    ],
  ])('%s is taken apart', (url, parts) => {
    expect(parsePostgresUrl(url)).toMatchObject(parts);
  });

  it.each([
    ['localhost', 'disable'],
    ['127.0.0.1', 'disable'],
    ['127.8.9.10', 'disable'],
    ['[::1]', 'disable'],
    ['', 'disable'],
    ['10.0.0.1', 'verify-full'],
    ['0.0.0.0', 'verify-full'],
    ['[::ffff:127.0.0.1]', 'verify-full'],
    ['localhost.example', 'verify-full'],
    ['127.0.0.1.example', 'verify-full'],
  ])('on %s has sslmode %s by default', (host, sslMode) => {
    expect(parsePostgresUrl(`postgres://keys@${host}/x`).sslMode).toBe(sslMode);
  });

  it.each(['allow', 'prefer'])('on this host takes sslmode=%s for what it is', (mode) => {
    expect(parsePostgresUrl(`postgres://keys@localhost/x?sslmode=${mode}`).sslMode).toBe('disable');
  });

  it.each([
    ['postgres://keys:S3CRET@db.example:5433/a%2Fb?schema=s', 'postgres://keys@db.example:5433/a%2Fb?schema=s'],
    ['postgres://k%40b:S3CRET@[::1]/x', 'postgres://k%40b@[::1]/x'],
    ['postgres://keys:S3CRET@/x?host=/run/pg&port=1&schema=s', 'postgres://keys@/x?host=/run/pg&port=1&schema=s'],
    ['postgres://keys:S3CRET@db/x?sslmode=disable', 'postgres://keys@db/x (not encrypted: sslmode=disable)'],
  ])('%s is described without its password, and opens the same', (url, description) => {
    expect(parsePostgresUrl(url).description).toBe(description);
    if (!description.includes(' ')) {
      expect(parsePostgresUrl(description)).toEqual({ ...parsePostgresUrl(url), password: null });
    }
  });

  it.each([
    ['postgres://keys:S3CRET@one,two:S3CRET/x', /port|host/],
    ['postgres://keys:S3C/RET@db/x', /percent-encode/],
    ['postgres://keys:S3C@RET@db/x', /percent-encode/],
    ['postgres://keys:S3CRET%@db/x', /percent-encoding in its password/],
    ['postgres://keys:S3CRET%00@db/x', /NUL character in its password/],
    ['postgres://keys:S3CRET@db:0/x', /port/],
    ['postgres://keys:S3CRET@db:65536/x', /port/],
    ['postgres://keys:S3CRET@::1/x', /brackets/],
    ['postgres://keys:S3CRET@db/x?password=S3CRET', /parameter that is not known/],
    ['postgres://keys:S3CRET@db/x?port=1&port=2', /port twice/],
    ['postgres://keys:S3CRET@db/x?schema=My', /schema/],
    ["postgres://keys:S3CRET@db/x?schema=a';drop", /schema/],
    ['postgres://keys:S3CRET@db/x?sslmode=full', /none of disable, require/],
    ['postgres://keys:S3CRET@db/x?sslmode=prefer', /protects from nobody/],
    ['postgres://keys:S3CRET@db/x?sslmode=allow', /protects from nobody/],
    ['postgres://keys:S3CRET@db/x#S3CRET', /postgres:\/\/USER@HOST/],
  ])('%s is refused without showing it', async (url, words) => {
    const { code, message } = await refusalOf(() => parsePostgresUrl(url));
    expect(code).toBe('ERR_INVALID_ARGUMENT');
    expect(message).toMatch(words);
    expect(message).not.toMatch(/S3C|RET@/);
  });
});
