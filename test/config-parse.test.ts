import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { formatProblem, parseClientProperties } from '../lib/config/index.ts';

const FIXTURE = fileURLToPath(new URL('fixtures/config/client_property.conf', import.meta.url));
const fixture = readFileSync(FIXTURE, 'utf8');

const parse = (text: string) => parseClientProperties(text, 'test.conf');
const problemsOf = (text: string) => parse(text).problems.map(({ severity, rule, line }) => ({ severity, rule, line }));
const valuesOf = (text: string) => parse(text).settings.map(({ name, value }) => [name, value]);

describe('a whole configuration', () => {
  it('is read section by section, with every setting, value and line', () => {
    const { sections, settings, path } = parseClientProperties(fixture, FIXTURE);
    expect(path).toBe(FIXTURE);
    expect(sections.map(({ name }) => name)).toEqual(['GLOBAL', 'SRE', 'TTS', 'STREAM', 'GRAMMAR', 'AUTHENTICATION']);
    const lines = fixture.split('\n');
    expect(sections.map(({ name, line }) => lines[line - 1] === `[${name}]`)).not.toContain(false);
    const rendered = settings.map(({ section, name, value, line }) => {
      expect(lines[line - 1]).toMatch(new RegExp(`^${name} =`));
      return `${section}/${name}=${value}`;
    });
    expect(rendered).toEqual([
      'GLOBAL/LOGGING_VERBOSITY=1',
      'GLOBAL/RESPONSE_FILE_PATH=',
      'GLOBAL/LOGGING_ENCRYPTION_KEY=/customer/cert/file.crt,/etc/lumenvox/www/certs/lumenvox.crt',
      'GLOBAL/LOGGING_ENCRYPTION_LEVEL=default',
      'SRE/SRE_SERVERS=10.0.0.11:5730;10.0.0.12:5730',
      'SRE/DECODE_TIMEOUT=20000',
      'SRE/SAVE_SOUND_FILES=1',
      'TTS/TTS_SERVERS=127.0.0.1:7579',
      'TTS/LOG_TTS_EVENTS=0',
      'TTS/VOICE-GENDER=default',
      'STREAM/STREAM_PARM_DETECT_BARGE_IN=1',
      'STREAM/STREAM_PARM_BARGE_IN_TIMEOUT=-1',
      'GRAMMAR/GRAMMAR_CACHE_PATH=/var/cache/grammars, mounted = yes',
      'AUTHENTICATION/AUTHENTICATION_USERNAME=example-user',
      'AUTHENTICATION/AUTHENTICATION_PASSWORD=example#pass=word;not-real',
    ]);
  });

  it('has nothing to complain about but the level nobody can interpret', () => {
    const { problems } = parseClientProperties(fixture, FIXTURE);
    expect(problems).toMatchObject([
      { severity: 'note', rule: 'not-interpreted', setting: 'LOGGING_ENCRYPTION_LEVEL' },
    ]);
  });

  it('keeps values out of JSON and of inspected objects', () => {
    const parsed = parseClientProperties(fixture, FIXTURE);
    const printed = JSON.stringify(parsed) + inspect(parsed, { depth: 9, showHidden: true });
    expect(printed).toContain('AUTHENTICATION_PASSWORD');
    expect(printed).not.toContain('not-real');
    expect(printed).not.toContain('example-user');
  });
});

describe('lines', () => {
  it('may be settings before any section', () => {
    expect(parse('A = 1\n[S]\nB = 2').settings.map(({ section }) => section)).toEqual([undefined, 'S']);
  });

  it('keep everything behind the first "=" but the blanks around it', () => {
    expect(valuesOf('\t A  =\t b = c # d ; e \t\nEMPTY =\n')).toEqual([
      ['A', 'b = c # d ; e'],
      ['EMPTY', ''],
    ]);
  });

  it('continue a value that is empty or ends with a comma, and nothing else', () => {
    const { settings, problems } = parse('A =\n  x\nB = 1,\n2,\n3\nC = 1\nstray');
    expect(settings.map(({ name, value, line, lastLine }) => ({ name, value, line, lastLine }))).toEqual([
      { name: 'A', value: 'x', line: 1, lastLine: 2 },
      { name: 'B', value: '1,\n2,\n3', line: 3, lastLine: 5 },
      { name: 'C', value: '1', line: 6, lastLine: 6 },
    ]);
    expect(settings[0]?.parts).toEqual([
      { text: '', line: 1, column: 4 },
      { text: 'x', line: 2, column: 3 },
    ]);
    expect(problems).toMatchObject([{ severity: 'warning', rule: 'unknown-line', line: 7 }]);
  });

  it.each([
    ['setting', 'B = 2'],
    ['section', '[S]'],
    ['comment', '# x'],
    ['blank line', ''],
  ])('end an unfinished value when they are a %s', (_, line) => {
    expect(valuesOf(`A = x,\n${line}\nstray`)[0]).toEqual(['A', 'x,']);
    expect(valuesOf(`A =\n${line}\nstray`)[0]).toEqual(['A', '']);
  });

  it('that are nothing known are reported without being quoted', () => {
    const { problems } = parse('AUTHENTICATION_PASSWORD hunter2\n= hunter2\n/etc/hunter2 = x\n');
    expect(problems.map(({ rule, line }) => [rule, line])).toEqual([1, 2, 3].map((line) => ['unknown-line', line]));
    expect(JSON.stringify(problems)).not.toContain('hunter2');
  });

  it('that may go on with the list of certificates are errors when they do not', () => {
    const key = 'LOGGING_ENCRYPTION_KEY = /a.crt';
    expect(problemsOf(`${key}\n/b.crt`)).toEqual([{ severity: 'error', rule: 'unknown-line', line: 2 }]);
    expect(problemsOf(`${key},\n# Mary\n/b.crt`)).toEqual([{ severity: 'error', rule: 'unknown-line', line: 3 }]);
    expect(problemsOf(`${key}\n\n/b.crt`)).toEqual([{ severity: 'error', rule: 'unknown-line', line: 3 }]);
    expect(problemsOf(`${key}\n[S]\n/b.crt`)).toEqual([{ severity: 'warning', rule: 'unknown-line', line: 3 }]);
  });

  it('with LOGGING_ENCRYPTION_KEY and no "=" are errors', () => {
    for (const line of ['LOGGING_ENCRYPTION_KEY: /a.crt', 'LOGGING_ENCRYPTION_KEY /a.crt', 'Logging_Encryption_Keys']) {
      expect(problemsOf(`A = 1\n${line}`)).toEqual([{ severity: 'error', rule: 'missing-equals', line: 2 }]);
    }
  });

  it('that open a section badly are reported and open it', () => {
    const { sections, problems } = parse('[ S ]\n[T\n[U] # x');
    expect(sections.map(({ name }) => name)).toEqual(['S', 'T', 'U']);
    expect(problems.map(({ rule, line }) => [rule, line])).toEqual([2, 3].map((line) => ['section-line', line]));
  });
});

describe('names', () => {
  it('given twice: the warning names both lines', () => {
    const { problems } = parse(
      'LOGGING_ENCRYPTION_KEY = /a\n[S]\nLOGGING_ENCRYPTION_KEY = /b\nLOGGING_ENCRYPTION_KEY = /c\n',
    );
    expect(problems.map(({ severity, rule, line }) => [severity, rule, line])).toEqual([
      ['warning', 'given-twice', 1],
      ['warning', 'given-twice', 3],
    ]);
    for (const problem of problems) {
      expect(problem.message).toContain(`line ${problem.line}`);
      expect(problem.message).toContain('line 4');
    }
  });

  it.each([
    'logging_encryption_key',
    'LOGGING-ENCRYPTION-KEY',
    'LOGGING ENCRYPTION KEY',
    'LOGGING_ENCRYPTION_KEYS',
    'LOGGING_ENCRYPTION_KEY_FILE',
    'LOGING_ENCRYPTION_KEY',
    'LOGGING_ENCRYPT_KEY',
    'LOGGING_ENCRYPTION',
    'LOGGING_ENCRYTPION_KEY',
    '\u00a0LOGGING_ENCRYPTION_KEY',
    '\ufeffLOGGING_ENCRYPTION_KEY',
  ])('that resemble the real one are reported: %j', (name) => {
    expect(problemsOf(`A = 1\n${name} = /a.crt`)).toEqual([{ severity: 'warning', rule: 'similar-name', line: 2 }]);
    expect(problemsOf(`LOGGING_ENCRYPTION_KEY = /b.crt\n${name} = /a.crt`)).toEqual([
      { severity: 'note', rule: 'similar-name', line: 2 },
    ]);
  });

  it.each(['ENCRYPTION_KEY', 'LOGGING_VERBOSITY', 'LOGGING_ENCRYPTION_MODE', 'LOGGING_KEY'])(
    'that are others stay unmentioned: %s',
    (name) => {
      expect(problemsOf(`${name} = x`)).toEqual([]);
    },
  );

  it('commented out are noted only when the setting is absent', () => {
    const comment = '# # LOGGING_ENCRYPTION_KEY = /a.crt\n#LOGGING_ENCRYPTION_KEY=/a.crt\n';
    expect(problemsOf(comment)).toEqual([{ severity: 'note', rule: 'commented-out', line: 2 }]);
    expect(problemsOf(`${comment}LOGGING_ENCRYPTION_KEY = /b.crt`)).toEqual([]);
  });
});

describe('formatProblem', () => {
  it('renders file, line, severity and message, and no line for the file as a whole', () => {
    const problem = { severity: 'warning', rule: 'given-twice', line: 12, message: 'text' } as const;
    expect(formatProblem('/etc/a.conf', problem)).toBe('/etc/a.conf:12: warning: text');
    expect(formatProblem('/etc/a.conf', { ...problem, line: 0 })).toBe('/etc/a.conf: warning: text');
    expect(formatProblem('/etc/\u001b[31m.conf', problem)).toBe('/etc/\\u{1b}[31m.conf:12: warning: text');
  });
});

it('lists a hundred problems at most, and an error among the rest still counts as one', () => {
  const { problems } = parse(`${'stray\n'.repeat(150)}LOGGING_ENCRYPTION_KEY = /a\nstray`);
  expect(problems).toHaveLength(101);
  expect(problems.at(-1)).toMatchObject({ severity: 'error', rule: 'more-problems', line: 0 });
  expect(problems.at(-1)?.message).toContain('51 more');
});
