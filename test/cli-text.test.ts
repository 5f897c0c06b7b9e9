/** The parts of the command line that need no process: text, subjects, names of outputs. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { InputFile } from '../lib/cli/files.ts';
import { describe as describeError } from '../lib/cli/output.ts';
import { decryptedName, encryptedName } from '../lib/cli/outputs.ts';
import { parseSubject } from '../lib/cli/subject.ts';
import { daysUntil, formatBytes, formatInteger, formatValidity, safe, safeJson, safeLines } from '../lib/cli/text.ts';
import { CallsealError } from '../lib/errors.ts';
import { TEMPORARY_NAME } from '../lib/locked-temporary.ts';
import { codeOf } from './helpers/errors.ts';

describe('safe text', () => {
  it('escapes what moves a cursor, reorders or hides', () => {
    expect(safe('a\u001b[31mb\u0007\u009b')).toBe('a\\u{1b}[31mb\\u{7}\\u{9b}');
    expect(safe('x\u202egnp\u2066\u200b\ufeff\u2028')).toBe('x\\u{202e}gnp\\u{2066}\\u{200b}\\u{feff}\\u{2028}');
    expect(safe('a\tb\r\n')).toBe('a\\tb\\r\\n');
    expect(safe('\ud800')).toBe('\\u{d800}');
    expect(safe('Zoë — 録音 🎙')).toBe('Zoë — 録音 🎙');
  });

  it('lets no line pass for a message', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        for (const line of safeLines(`callseal: ${text}`).split('\n').slice(1))
          expect(line.startsWith('  ')).toBe(true);
        expect(safe(text)).not.toMatch(/[\p{Cc}\p{Cs}\u202a-\u202e\u2066-\u2069]/u);
      }),
    );
  });

  it('keeps the meaning of JSON', () => {
    const value = fc.oneof(
      fc.json().map((text) => JSON.parse(text) as unknown),
      fc.string({ unit: 'binary' }),
    );
    fc.assert(
      fc.property(value, (original) => {
        for (const indent of [0, 2]) {
          const text = safeJson(original, indent);
          expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(original)));
          expect(text.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\u202a-\u202e]/u);
        }
      }),
    );
  });
});

describe('what went wrong', () => {
  it('names the file once', () => {
    const said = (message: string, path: string) => describeError(new CallsealError('ERR_IO', message), path);
    expect(said('x.sealed exists already', 'x.sealed')).toBe('x.sealed exists already');
    expect(said('cannot open /a/b+(c).x: gone', '/a/b+(c).x')).toBe('cannot open /a/b+(c).x: gone');
    expect(said('x.sealed exists already', 'x')).toBe('x: x.sealed exists already');
    expect(said('cannot make dir/x', 'x')).toBe('x: cannot make dir/x');
    expect(said('-a is gone', '-a')).toBe('-a is gone');
    expect(said('unexpected end', 'x')).toBe('x: unexpected end');
    expect(describeError(new TypeError('bug'), 'x')).toBe('x: unexpected failure: bug');
  });

  it('takes any name', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ minLength: 1 }), fc.string({ minLength: 1, unit: 'binary' })), (path) => {
        expect(describeError(new CallsealError('ERR_IO', `"${path}" is gone`), path)).toContain(path);
      }),
    );
  });
});

describe('numbers and dates', () => {
  it('are written one way', () => {
    expect([0, 999, 1000, 1_234_567].map(formatInteger)).toEqual(['0', '999', '1,000', '1,234,567']);
    expect([0, 1, 999, 1000, 999_949, 999_950, 5_368_709_120, 2e15].map(formatBytes)).toEqual([
      '0 bytes',
      '1 byte',
      '999 bytes',
      '1.0 kB',
      '999.9 kB',
      '1.0 MB',
      '5.4 GB',
      '2000.0 TB',
    ]);
  });

  it('tell how long a certificate is valid', () => {
    const now = new Date('2026-11-21T12:00:00Z');
    const [past, future] = [new Date('2026-11-01T00:00:00Z'), new Date('2026-12-21T12:00:00Z')];
    expect(formatValidity(past, future, now)).toBe('expires 2026-12-21 (in 30 days)');
    expect(formatValidity(past, new Date('2026-11-20T11:00:00Z'), now)).toBe('expired 2026-11-20 (1 day ago)');
    expect(formatValidity(future, new Date('2027-12-21Z'), now)).toBe(
      'valid from 2026-12-21 (in 30 days) to 2027-12-21',
    );
    expect(daysUntil(new Date('2026-11-21T13:00:00Z'), now)).toBe(0);
    expect(daysUntil(past, now)).toBe(-20);
  });
});

describe('subjects', () => {
  it('are read as openssl reads them', () => {
    expect(parseSubject('/C=US/ST=CA/L=San Diego/O=MyCompany/emailAddress=support@mycompany.com')).toEqual([
      ['C', 'US'],
      ['ST', 'CA'],
      ['L', 'San Diego'],
      ['O', 'MyCompany'],
      ['emailAddress', 'support@mycompany.com'],
    ]);
    expect(parseSubject('/O=A\\/B \\+ C\\\\D/CN=x=y')).toEqual([
      ['O', 'A/B + C\\D'],
      ['CN', 'x=y'],
    ]);
    expect(parseSubject('/2.5.4.3=by number')).toEqual([['2.5.4.3', 'by number']]);
  });

  it.each(['', 'CN=a', '/', '//CN=a', '/CN', '/CN=', '/=a', '/CN=a/', '/CN=a+OU=b', '/CN=a\\', '/C\\N=a'])(
    'refuses %j',
    async (text) => {
      expect(await codeOf(() => parseSubject(text))).toBe('ERR_INVALID_ARGUMENT');
    },
  );

  it('keep every value that was escaped', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), (value) => {
        const escaped = value.replace(/[\\/+]/g, (c) => `\\${c}`);
        expect(parseSubject(`/CN=${escaped}/O=x`)).toEqual([
          ['CN', value],
          ['O', 'x'],
        ]);
      }),
    );
  });
});

describe('names of outputs', () => {
  const file = (path: string, relative = path): InputFile => ({ path, relative, named: true });
  const choice = { suffix: '.sealed', sync: true };

  it('decrypting undoes encrypting', () => {
    const name = fc.stringMatching(/^[a-z.]{1,12}$/).filter((text) => text !== '.' && text !== '..');
    fc.assert(
      fc.property(name, name, (directory, leaf) => {
        const plain = file(`${directory}/${leaf}`, leaf);
        const sealed = encryptedName(plain, choice);
        expect(decryptedName(file(sealed, `${leaf}.sealed`), choice)).toBe(plain.path);
        const below = encryptedName(plain, { ...choice, outputDir: 'out' });
        expect(decryptedName(file(below, `${leaf}.sealed`), { ...choice, outputDir: directory })).toBe(
          `${directory}/${leaf}`,
        );
      }),
    );
  });

  it('never becomes empty', async () => {
    expect(await codeOf(() => decryptedName(file('dir/.sealed', '.sealed'), choice))).toBe('ERR_INVALID_ARGUMENT');
    expect(decryptedName(file('.sealed'), { ...choice, outputDir: 'out' })).toBe('out/.sealed');
  });

  it('knows unfinished ones', () => {
    expect(TEMPORARY_NAME.test('.call.sealed.0123456789abcdef.callseal-tmp')).toBe(true);
    for (const name of [
      'call.0123456789abcdef.callseal-tmp',
      '.call.callseal-tmp',
      '.a.0123456789abcdef.callseal-tmp.x',
    ]) {
      expect(TEMPORARY_NAME.test(name)).toBe(false);
    }
  });
});
