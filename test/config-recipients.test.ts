import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { encryptionRecipients, parseClientProperties } from '../lib/config/index.ts';
import { CallsealError } from '../lib/errors.ts';

const CONFIG = '/etc/lumenvox/client_property.conf';

/** What a configuration text names, whether or not the files exist. */
function report(text: string) {
  return encryptionRecipients(parseClientProperties(text, CONFIG), { onError: 'report', checkFiles: false });
}
/** The paths named by a value of LOGGING_ENCRYPTION_KEY. */
function pathsIn(value: string) {
  return report(`LOGGING_ENCRYPTION_KEY = ${value}\n`).recipients.map(({ path }) => path);
}
/** The problems of a value of LOGGING_ENCRYPTION_KEY: severity, rule, line, column. */
function problemsIn(value: string) {
  const { problems } = report(`LOGGING_ENCRYPTION_KEY=${value}`);
  return problems.map(({ severity, rule, line, column }) => [severity, rule, line, column]);
}
function messageOf(value: string) {
  return report(`LOGGING_ENCRYPTION_KEY = ${value}`)
    .problems.map(({ message }) => message)
    .join('\n');
}
function thrownBy(text: string): CallsealError {
  try {
    encryptionRecipients(parseClientProperties(text, CONFIG), { checkFiles: false });
  } catch (error) {
    if (error instanceof CallsealError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('the list of certificates', () => {
  it('is the one of the vendor example, with line and column of each', () => {
    const fixture = fileURLToPath(new URL('fixtures/config/client_property.conf', import.meta.url));
    const { recipients } = encryptionRecipients(fixture, { checkFiles: false });
    expect(recipients.map(({ path }) => path)).toEqual([
      '/customer/cert/file.crt',
      '/etc/lumenvox/www/certs/lumenvox.crt',
    ]);
    const lines = readFileSync(fixture, 'utf8').split('\n');
    for (const { path, line, column } of recipients) expect(lines[line - 1]?.slice(column - 1)).toMatch(path);
  });

  it('counts in any section and in none', () => {
    for (const head of ['', '[GLOBAL]\n', '[SRE]\nA = 1\n', '[UNKNOWN]\n']) {
      expect(report(`${head}LOGGING_ENCRYPTION_KEY = /a.crt`).recipients).toHaveLength(1);
    }
  });

  it('is the last one, if given twice', () => {
    const { recipients, problems } = report('LOGGING_ENCRYPTION_KEY = /a\n[S]\nLOGGING_ENCRYPTION_KEY = /b,/c\n');
    expect(recipients).toMatchObject([
      { path: '/b', line: 3 },
      { path: '/c', line: 3 },
    ]);
    expect(problems).toMatchObject([{ severity: 'warning', rule: 'given-twice', line: 1 }]);
  });

  it('allows blanks around items', () => {
    expect(pathsIn('\t /a.crt ,\t/b c.crt  ')).toEqual(['/a.crt', '/b c.crt']);
  });

  it('allows the value on the next line, as in the vendor example for Windows', () => {
    expect(report('LOGGING_ENCRYPTION_KEY = \r\n  /a.crt,/b.crt\r\nA = 1\r\n')).toMatchObject({
      recipients: [
        { path: '/a.crt', line: 2, column: 3 },
        { path: '/b.crt', line: 2, column: 10 },
      ],
      problems: [],
    });
  });

  it('goes on below a line that ends with a comma', () => {
    expect(report('LOGGING_ENCRYPTION_KEY = /a.crt , \n /b.crt,\n"/c,d.crt"\nA = 1\n')).toMatchObject({
      recipients: [
        { path: '/a.crt', line: 1, column: 26 },
        { path: '/b.crt', line: 2, column: 2 },
        { path: '/c,d.crt', line: 3, column: 2 },
      ],
      problems: [],
    });
  });

  it('takes quoted items literally, either quote, commas and all', () => {
    expect(pathsIn(`"/a, b.crt",'/c "d".crt' , "/e;f #g $HOME *.crt"`)).toEqual([
      '/a, b.crt',
      '/c "d".crt',
      '/e;f #g $HOME *.crt',
    ]);
    expect(problemsIn(`"/a, b.crt",'/c "d".crt' , "/e;f #g $HOME *.crt"`)).toEqual([]);
    expect(pathsIn("/o'brien.crt,/b's.crt")).toEqual(["/o'brien.crt", "/b's.crt"]);
  });
});

describe('nobody to encrypt for', () => {
  it.each([
    ['absent', 'A = 1\n', 0, 'is not set'],
    ['empty', 'A = 1\nLOGGING_ENCRYPTION_KEY =\n', 2, 'names no certificate'],
    ['empty with a section below', 'LOGGING_ENCRYPTION_KEY =\n[S]\n', 1, 'names no certificate'],
    ['empty with a setting below', 'LOGGING_ENCRYPTION_KEY =\nA = /a.crt\n', 1, 'names no certificate'],
    ['empty with a comment below', 'LOGGING_ENCRYPTION_KEY =\n# /a.crt\n', 1, 'names no certificate'],
    ['default', 'LOGGING_ENCRYPTION_KEY = default\n', 1, 'stands for no encryption'],
    ['default on the next line', 'LOGGING_ENCRYPTION_KEY =\ndefault\n', 1, 'stands for no encryption'],
    ['default the second time', 'LOGGING_ENCRYPTION_KEY = /a\nLOGGING_ENCRYPTION_KEY = default', 2, 'no encryption'],
    ['nothing but commas', 'LOGGING_ENCRYPTION_KEY = , ,""', 1, 'names no certificate'],
  ])('is an error: %s', (_, text, line, reason) => {
    const { recipients, problems } = report(text);
    expect(recipients).toEqual([]);
    const problem = problems.find(({ rule }) => rule === 'not-configured');
    expect(problem).toMatchObject({ severity: 'error', line, setting: 'LOGGING_ENCRYPTION_KEY' });
    expect(problem?.message).toContain(reason);
    expect(problem?.message).toContain('LOGGING_ENCRYPTION_KEY = /customer/cert/file.crt,');
    const error = thrownBy(text);
    expect(error).toMatchObject({ code: 'ERR_CONFIG', path: CONFIG });
    expect(error.line).toBe(line === 0 ? undefined : line);
    expect(error.message).toBe(`${CONFIG}${line === 0 ? '' : `:${line}`}: ${problem?.message}`);
  });
});

describe('mistakes in the list', () => {
  it('empty items are warnings, each with its place', () => {
    expect(problemsIn('/a,,/b,')).toEqual([
      ['warning', 'empty-item', 1, 27],
      ['warning', 'empty-item', 1, 31],
    ]);
    expect(problemsIn(',/a,""')).toEqual([
      ['warning', 'empty-item', 1, 24],
      ['warning', 'empty-item', 1, 29],
    ]);
    expect(pathsIn('/a,,/b,')).toEqual(['/a', '/b']);
  });

  it.each(['# c', '[S]', 'B = 1', ''])('a comma at the end is an empty item when %j follows', (line) => {
    expect(problemsIn(`/a,\n${line}\n`)).toEqual([['warning', 'empty-item', 1, 27]]);
    expect(pathsIn(`/a,\n${line}\n`)).toEqual(['/a']);
  });

  it('";" is an error that says to write a comma, once a line', () => {
    expect(problemsIn('/a;/b;/c')).toEqual([['error', 'separator', 1, 26]]);
    expect(messageOf('/a;/b')).toContain('write a comma');
  });

  it('a comment behind the value is an error that says where to put it', () => {
    for (const value of ['/a # Mary', '/a\t#Mary', '"/a" # Mary', '/a,# Mary', '/a, #']) {
      expect(problemsIn(value)).toMatchObject([['error', 'inline-comment', 1, expect.any(Number)]]);
      expect(messageOf(value)).toContain('a line of its own');
    }
    expect(pathsIn('/a#b.crt')).toEqual(['/a#b.crt']);
  });

  it.each([
    ['C:\\Program Files\\LumenVox\\Engine\\www\\certs\\lumenvox.crt', 'write /etc/lumenvox/www/certs/lumenvox.crt'],
    ['C:\\certs\\customer.crt', '"/etc/lumenvox/www/certs/customer.crt"'],
    ['c:/certs/customer.crt', '"/etc/lumenvox/www/certs/customer.crt"'],
    ['C:customer.crt', 'copy the certificate'],
    ['\\\\server\\share\\customer.crt', '"/etc/lumenvox/www/certs/customer.crt"'],
    ['certs\\customer.crt', '"/etc/lumenvox/www/certs/customer.crt"'],
    ['"C:\\certs\\customer.crt"', '"/etc/lumenvox/www/certs/customer.crt"'],
    ['C:\\certs\\', '"/etc/lumenvox/www/certs/NAME.crt"'],
  ])('a Windows path is an error with a proposal: %s', (value, proposal) => {
    expect(problemsIn(value)).toMatchObject([['error', 'windows-path', 1, value.startsWith('"') ? 25 : 24]]);
    expect(messageOf(value)).toContain('is a Windows path, and this system is Linux');
    expect(messageOf(value)).toContain(proposal);
    expect(pathsIn(`${value},/a`)).toEqual(['/a']);
  });

  it('the vendor example for Windows is two errors, on the line the paths are on', () => {
    const { problems } = report(
      'LOGGING_ENCRYPTION_KEY = \r\n' +
        'C:\\certs\\customer.crt,C:\\Program Files\\LumenVox\\Engine\\www\\certs\\lumenvox.crt\r\n',
    );
    expect(problems).toMatchObject([
      { severity: 'error', rule: 'windows-path', line: 2, column: 1 },
      { severity: 'error', rule: 'windows-path', line: 2, column: 23 },
    ]);
  });

  it('a relative path is an error that proposes the absolute one beside the configuration', () => {
    expect(problemsIn('certs/a.crt')).toEqual([['error', 'relative-path', 1, 24]]);
    expect(messageOf('certs/a.crt')).toContain('"/etc/lumenvox/certs/a.crt"');
    expect(messageOf('../a.crt')).toContain('"/etc/a.crt"');
    expect(problemsIn('" /a.crt"')).toEqual([['error', 'relative-path', 1, 25]]);
  });

  it.each([
    '~/a.crt',
    '~mary/a.crt',
    '$HOME/a.crt',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: this is what an operator writes
    '${HOME}/a.crt',
    '/certs/$HOST.crt',
    '%ProgramFiles%/a.crt',
    '"~/a.crt"',
  ])('nothing is expanded: %s', (value) => {
    expect(problemsIn(value)).toMatchObject([['error', 'not-expanded', 1, expect.any(Number)]]);
    expect(messageOf(value)).toContain('in full');
  });

  it.each(['/certs/*.crt', '/certs/?.crt', '/certs/[ab].crt'])('a pattern is an error: %s', (value) => {
    expect(problemsIn(value)).toEqual([['error', 'glob', 1, 24]]);
    expect(messageOf(value)).toContain('name each certificate');
    expect(pathsIn(`"${value}"`)).toEqual([value]);
  });

  it('quotes that do not match are errors', () => {
    expect(problemsIn('"/a,/b')).toEqual([['error', 'quote', 1, 24]]);
    expect(problemsIn(`/a,'/b"`)).toEqual([['error', 'quote', 1, 27]]);
    expect(problemsIn('"/a"b,/c')).toEqual([['error', 'quote', 1, 28]]);
    expect(problemsIn('"/a,\n/b"')).toMatchObject([['error', 'quote', 1, 24]]);
    expect(problemsIn('“/a.crt”')).toEqual([['error', 'quote', 1, 24]]);
    expect(messageOf('"/a,/b')).toContain('one pair of quotes around the whole path');
  });

  it('"default" beside a path is an error', () => {
    expect(problemsIn('default,/a')).toEqual([['error', 'default-in-list', 1, 24]]);
  });

  it('characters nobody sees are errors that name the character', () => {
    for (const character of ['\u00a0', '\u200b', '\u202e', '\ufeff', '\u0007', '\u2003']) {
      expect(problemsIn(`/a${character}.crt`)).toEqual([['error', 'invisible-character', 1, 24]]);
    }
    expect(messageOf('/a\u00a0.crt')).toContain('U+00A0');
    expect(messageOf('/a\u0007.crt')).toContain('"/a\\u{7}.crt"');
    expect(pathsIn('"/a\u00a0.crt"')).toEqual(['/a\u00a0.crt']);
    expect(problemsIn('"/a\u0007.crt"')).toEqual([['error', 'invisible-character', 1, 25]]);
  });

  it('a path longer than Linux opens is an error, and a list longer than any is cut off', () => {
    expect(problemsIn(`/${'a'.repeat(4095)}`)).toEqual([['error', 'path-too-long', 1, 24]]);
    expect(problemsIn(`/${'é'.repeat(2048)}`)).toEqual([['error', 'path-too-long', 1, 24]]);
    expect(problemsIn(`/${'a'.repeat(4094)}`)).toEqual([]);
    const list = Array.from({ length: 4096 }, (_, index) => `/${index}`);
    expect(problemsIn(list.join(','))).toEqual([]);
    expect(problemsIn([...list, '/more', '/still more'].join(','))).toMatchObject([
      ['error', 'too-many-items', 1, 24 + list.join(',').length + 1],
    ]);
  });

  it('the same path twice is a warning that names both places, and counts once', () => {
    const { recipients, problems } = report('LOGGING_ENCRYPTION_KEY = /a/b,\n/c,/a//./b');
    expect(recipients.map(({ path }) => path)).toEqual(['/a/b', '/c']);
    expect(problems).toMatchObject([{ severity: 'warning', rule: 'duplicate', line: 2, column: 4 }]);
    expect(problems[0]?.message).toContain('line 1, column 26');
  });

  it('another setting inside the list is an error that quotes nothing of it', () => {
    for (const value of [
      '/a, PASSWORD = hunter2',
      '/a PASSWORD=hunter2',
      'password =hunter2',
      '/a.crtPASSWORD = hunter2 $X',
      '/a*.crt AUTHENTICATION_PASSWORD hunter2',
      'hunter2',
    ]) {
      expect(problemsIn(value)).toMatchObject([['error', expect.any(String), 1, expect.any(Number)]]);
      expect(messageOf(value)).not.toContain('hunter2');
    }
    expect(problemsIn('/a, PASSWORD = hunter2')).toEqual([['error', 'setting-in-list', 1, 28]]);
  });

  it('several are reported at once, in order, and the first is thrown with the lines of the others', () => {
    const text = 'LOGGING_ENCRYPTION_KEY = a.crt,\n~/b.crt,/ok,\n/c*\nstray\n';
    expect(report(text).problems.map(({ rule, line }) => [rule, line])).toEqual([
      ['relative-path', 1],
      ['not-expanded', 2],
      ['glob', 3],
      ['unknown-line', 4],
    ]);
    const error = thrownBy(text);
    expect(error).toMatchObject({ code: 'ERR_CONFIG', path: CONFIG, line: 1 });
    expect(error.message).toMatch(/^\/etc\/lumenvox\/client_property\.conf:1: "a\.crt" is not an absolute path/);
    expect(error.message).toMatch(/\(more errors on lines 2, 3, 4\)$/);
  });
});

it('a hundred problems are listed at most, and an error among the rest still is one', () => {
  const text = `${'stray\n'.repeat(150)}LOGGING_ENCRYPTION_KEY = ${','.repeat(150)}rel`;
  const { problems } = report(text);
  const more = problems.filter(({ rule }) => rule === 'more-problems');
  expect(problems).toHaveLength(202);
  expect(more).toMatchObject([
    { severity: 'warning', message: expect.stringContaining('50 more problems') },
    { severity: 'error', message: expect.stringContaining('51 more problems') },
  ]);
  expect(thrownBy(text).message).toBe(`${CONFIG}: ${more[1]?.message}`);
});

it('a list with warnings only is returned with them', () => {
  const parsed = parseClientProperties('LOGGING_ENCRYPTION_LEVEL = 2\nLOGGING_ENCRYPTION_KEY = /a,', CONFIG);
  const { recipients, problems } = encryptionRecipients(parsed, { checkFiles: false });
  expect(recipients).toEqual([{ path: '/a', line: 2, column: 26, origin: `${CONFIG}:2` }]);
  expect(problems.map(({ severity, rule }) => [severity, rule])).toEqual([
    ['note', 'not-interpreted'],
    ['warning', 'empty-item'],
  ]);
});
