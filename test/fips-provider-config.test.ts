import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CallsealError } from '../lib/errors.ts';
import { parseProviderConfig, readProviderConfig } from '../lib/fips/provider-config.ts';

/** As OpenSSL 3.0 writes it, shortened. */
const WRITTEN = `[fips_sect]
activate = 1
install-version = 1
conditional-errors = 1
security-checks = 1
module-mac = F2:81:4B
install-mac = 41:9C:38
install-status = INSTALL_SELF_TEST_KATS_RUN
`;

const parse = (text: string) => parseProviderConfig(text, '/etc/ssl/fipsmodule.cnf');

describe('parseProviderConfig', () => {
  it('returns what fipsinstall wrote, without the section and without activate', () => {
    expect(parse(WRITTEN)).toBe(WRITTEN.split('\n').slice(2).join('\n'));
  });

  it('keeps stricter settings that were added by hand', () => {
    expect(parse(`# pedantic\n${WRITTEN}\n  tdes-encrypt-disabled=1\n`)).toMatch(/^tdes-encrypt-disabled = 1$/m);
  });

  it.each([
    ['an included file', '.include /etc/ssl/more.cnf', 9],
    ['an included file, the older way', '.include = /etc/ssl/more.cnf', 9],
    ['a pragma', '.pragma = dollarid:on', 9],
    ['a variable', 'security-checks2 = $ENV::X', 9],
    ['a variable in braces', `x = \${y}`, 9],
    ['a quotation', 'x = "1"', 9],
    ['an escape', 'x = \\x', 9],
    ['a continued line', 'x = 1\\', 9],
    ['a comment after a value', 'x = 1 # one', 9],
    ['a key of another section', 'other_sect::x = 1', 9],
    ['a line without a value', 'x', 9],
    ['a line without a key', '= x', 9],
    ['a control character', 'x = a\u0000b', 9],
    ['a module to load', 'module = /tmp/other.so', 9],
    ['a provider to pose as', 'identity = default', 9],
    ['a setting made twice', 'security-checks = 0', 9],
    ['a second section', '[other_sect]', 9],
    ['a name with blanks', '[a b]', 9],
  ])('refuses %s, and names the line', (_what, line, number) => {
    const attempt = () => parse(`${WRITTEN}${line}\n`);
    expect(attempt).toThrow(`/etc/ssl/fipsmodule.cnf:${number}: `);
    expect(attempt).toThrow(expect.objectContaining({ code: 'ERR_FIPS_UNAVAILABLE', line: number }));
  });

  it.each([
    ['conditional-errors', '0'],
    ['security-checks', '0'],
    ['security-checks', 'no'],
    ['security-checks', ''],
    ['pbkdf2-lower-bound-check', '0'],
  ])('refuses %s = %s, which switches off what the module checks', (key, value) => {
    const line = `${key} = ${value}`;
    const attempt = () => parse(`[fips_sect]\n${line}\nmodule-mac = 00\n`);
    expect(attempt).toThrow(
      `/etc/ssl/fipsmodule.cnf:2: \`${line}\` switches off a check of the FIPS module; have it written again by`,
    );
    expect(attempt).toThrow(expect.objectContaining({ code: 'ERR_FIPS_UNAVAILABLE', line: 2 }));
  });

  it('lets the checks of choice be off, as fipsinstall writes them', () => {
    const written = 'tls1-prf-ems-check = 0\nno-short-mac = 0\ndrbg-no-trunc-md = 0\npbkdf2-lower-bound-check = 1\n';
    expect(parse(`[fips_sect]\nmodule-mac = 00\n${written}`)).toBe(`module-mac = 00\n${written}`);
  });

  it('refuses settings before any section', () => {
    expect(() => parse('module-mac = 00\n[fips_sect]\n')).toThrow('fipsmodule.cnf:1: ');
  });

  it('refuses a file without a MAC', () => {
    expect(() => parse('[fips_sect]\nactivate = 1\n')).toThrow('holds no module-mac');
  });

  it('lets nothing through that OpenSSL would read as anything but a value', () => {
    const line = fc.oneof(
      fc.string(),
      fc.constantFrom('.include x', '[s]', 'a = $x', 'a = \\', 'b = "c', 'a=1;b=2', 'c = 1\r', '#', ''),
      fc.tuple(fc.string(), fc.string()).map(([key, value]) => `${key}=${value}`),
    );
    fc.assert(
      fc.property(fc.array(line, { maxLength: 6 }), (lines) => {
        let body: string;
        try {
          body = parse(`[fips_sect]\nmodule-mac = 00\n${lines.join('\n')}`);
        } catch (error) {
          expect(error).toBeInstanceOf(CallsealError);
          return;
        }
        expect(body).toMatch(/^([a-z][a-z0-9-]* = [A-Za-z0-9:_.-]*\n)+$/);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('readProviderConfig', () => {
  let scratch: string;
  beforeEach(() => {
    scratch = mkdtempSync(join(tmpdir(), 'callseal-test-'));
  });
  afterEach(() => rmSync(scratch, { recursive: true }));

  it('reads a file', () => {
    const path = join(scratch, 'fipsmodule.cnf');
    writeFileSync(path, WRITTEN);
    expect(readProviderConfig(path)).toBe(parse(WRITTEN));
  });

  it('refuses a directory, a file that is not there and one that is far too long', () => {
    const long = join(scratch, 'long.cnf');
    writeFileSync(long, `${WRITTEN}${'#\n'.repeat(40_000)}`);
    expect(() => readProviderConfig(scratch)).toThrow(/not a file written by `openssl fipsinstall`/);
    expect(() => readProviderConfig(long)).toThrow(/not a file written by `openssl fipsinstall`/);
    expect(() => readProviderConfig(join(scratch, 'none.cnf'))).toThrow(/cannot be read \(ENOENT\)/);
  });
});
