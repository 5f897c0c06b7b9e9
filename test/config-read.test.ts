import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  DEFAULT_CONFIG_PATH,
  encryptionRecipients,
  MAX_CONFIG_BYTES,
  parseClientProperties,
  readClientProperties,
} from '../lib/config/index.ts';
import { CallsealError } from '../lib/errors.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'callseal-config-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function write(content: string | Uint8Array): string {
  const path = join(folder, 'client_property.conf');
  writeFileSync(path, content);
  return path;
}

function errorOf(action: () => unknown): CallsealError {
  try {
    action();
  } catch (error) {
    if (error instanceof CallsealError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

const TEXT = '[GLOBAL]\nA = Zürich\nLOGGING_ENCRYPTION_KEY = /a.crt\n';
const EXPECTED = [
  ['A', 'Zürich', 2],
  ['LOGGING_ENCRYPTION_KEY', '/a.crt', 3],
];

function settingsOf(content: string | Uint8Array) {
  return readClientProperties(write(content)).settings.map(({ name, value, line }) => [name, value, line]);
}

function problemsOf(content: string | Uint8Array) {
  return readClientProperties(write(content)).problems.map(({ severity, rule, line }) => [severity, rule, line]);
}

describe('bytes', () => {
  it.each([
    ['LF', TEXT],
    ['CRLF', TEXT.replaceAll('\n', '\r\n')],
    ['lone CR', TEXT.replaceAll('\n', '\r')],
    ['a byte-order mark', `\ufeff${TEXT}`],
    ['a byte-order mark and CRLF', `\ufeff${TEXT.replaceAll('\n', '\r\n')}`],
    ['no line end at the end', TEXT.trimEnd()],
  ])('are read the same with %s', (_, text) => {
    expect(settingsOf(text)).toEqual(EXPECTED);
    expect(settingsOf(text)).toEqual(
      parseClientProperties(text, 'x').settings.map(({ name, value, line }) => [name, value, line]),
    );
  });

  it('with a lone CR are noted once', () => {
    expect(problemsOf(TEXT.replaceAll('\n', '\r'))).toEqual([['note', 'lone-cr', 1]]);
    expect(problemsOf(TEXT.replaceAll('\n', '\r\n'))).toEqual([]);
  });

  it('that are not UTF-8 are errors in the list of certificates and warnings elsewhere', () => {
    expect(problemsOf(Buffer.from('# Zürich\nA = Zürich\n', 'latin1'))).toEqual([
      ['warning', 'encoding', 1],
      ['warning', 'encoding', 2],
    ]);
    const list = Buffer.from('A = 1\nLOGGING_ENCRYPTION_KEY =\n/Zürich.crt\n', 'latin1');
    expect(problemsOf(list)).toEqual([['error', 'encoding', 3]]);
    expect(readClientProperties(write(list)).problems[0]?.message).toContain('save the file as UTF-8');
  });

  it.each([
    ['an overlong form', [0xc0, 0xaf]],
    ['a surrogate', [0xed, 0xa0, 0x80]],
    ['a sequence cut by the line end', [0xe2, 0x82]],
    ['more than U+10FFFF', [0xf4, 0x90, 0x80, 0x80]],
  ])('with %s are not UTF-8', (_, bytes) => {
    const content = Buffer.concat([
      Buffer.from('LOGGING_ENCRYPTION_KEY = /'),
      Buffer.from(bytes),
      Buffer.from('\nB = 1'),
    ]);
    expect(problemsOf(content)).toEqual([['error', 'encoding', 1]]);
    expect(settingsOf(content).map(([name]) => name)).toEqual(['LOGGING_ENCRYPTION_KEY', 'B']);
  });

  it('with a NUL are an error anywhere, because the file is damaged', () => {
    expect(problemsOf('A = 1\n# x\0\n')).toEqual([['error', 'encoding', 2]]);
  });

  it.each([
    ['little-endian with its mark', Buffer.from(`\ufeff${TEXT}`, 'utf16le')],
    ['big-endian with its mark', Buffer.from(`\ufeff${TEXT}`, 'utf16le').swap16()],
    ['little-endian without', Buffer.from(TEXT.replace('ü', 'u'), 'utf16le')],
    ['big-endian without', Buffer.from(TEXT.replace('ü', 'u'), 'utf16le').swap16()],
  ])('in UTF-16, %s, are one error that says how to convert', (_, bytes) => {
    const path = write(bytes);
    const { settings, problems } = readClientProperties(path);
    expect(settings).toEqual([]);
    expect(problems).toMatchObject([{ severity: 'error', rule: 'encoding', line: 1 }]);
    const error = errorOf(() => encryptionRecipients(path));
    expect(error).toMatchObject({ code: 'ERR_CONFIG', path, line: 1 });
    expect(error.message).toBe(`${path}:1: ${problems[0]?.message}`);
    expect(error.message).toContain('iconv -f UTF-16');
  });

  it('of an empty file are read as nothing', () => {
    expect(readClientProperties(write(''))).toMatchObject({ sections: [], settings: [], problems: [] });
    expect(readClientProperties(write('\ufeff'))).toMatchObject({ sections: [], settings: [], problems: [] });
  });

  it('may be as many as the limit and no more', () => {
    const most = Buffer.alloc(MAX_CONFIG_BYTES, '#');
    expect(settingsOf(most)).toEqual([]);
    const path = write(Buffer.concat([most, Buffer.from('#')]));
    const error = errorOf(() => readClientProperties(path));
    expect(error).toMatchObject({ code: 'ERR_CONFIG', path });
    expect(error.message).toContain(`${MAX_CONFIG_BYTES} bytes`);
    expect(errorOf(() => parseClientProperties('#'.repeat(MAX_CONFIG_BYTES + 1), 'x')).code).toBe('ERR_CONFIG');
  });
});

describe('a configuration file that cannot be read', () => {
  it('because it is missing: ERR_CONFIG with the default place', () => {
    for (const path of [join(folder, 'none.conf'), join(write(''), 'none.conf')]) {
      const error = errorOf(() => readClientProperties(path));
      expect(error).toMatchObject({ code: 'ERR_CONFIG', path });
      expect(error.message).toContain(`${path}: does not exist`);
      expect(error.message).toContain(DEFAULT_CONFIG_PATH);
    }
  });

  it('because it is a directory, a device or a FIFO: ERR_CONFIG, without waiting', () => {
    const fifo = join(folder, 'fifo');
    execFileSync('mkfifo', [fifo]);
    for (const path of [folder, '/dev/zero', fifo]) {
      const error = errorOf(() => readClientProperties(path));
      expect(error).toMatchObject({ code: 'ERR_CONFIG', path });
      expect(error.message).toContain('is not a regular file');
    }
  });

  it('because a link leads in circles: ERR_CONFIG', () => {
    const path = join(folder, 'loop');
    symlinkSync(path, path);
    expect(errorOf(() => readClientProperties(path))).toMatchObject({ code: 'ERR_CONFIG', errno: 'ELOOP' });
  });

  it.skipIf(process.geteuid?.() === 0)('for want of permission: ERR_CONFIG (missed as root, who may read all)', () => {
    const path = write(TEXT);
    chmodSync(path, 0);
    expect(errorOf(() => readClientProperties(path))).toMatchObject({ code: 'ERR_CONFIG', errno: 'EACCES', path });
    const closed = join(folder, 'closed');
    mkdirSync(closed, { mode: 0 });
    expect(errorOf(() => readClientProperties(join(closed, 'x')))).toMatchObject({
      code: 'ERR_CONFIG',
      errno: 'EACCES',
    });
  });

  it('because no path was given: ERR_INVALID_ARGUMENT', () => {
    for (const path of ['', 'a\0b', undefined as unknown as string]) {
      expect(errorOf(() => readClientProperties(path)).code).toBe('ERR_INVALID_ARGUMENT');
    }
  });

  it('throws from encryptionRecipients too, even when problems are to be reported', () => {
    const path = join(folder, 'none.conf');
    expect(errorOf(() => encryptionRecipients(path, { onError: 'report' }))).toMatchObject({
      code: 'ERR_CONFIG',
      path,
    });
  });
});

it('the default is the place the vendor documents', () => {
  expect(DEFAULT_CONFIG_PATH).toBe('/etc/lumenvox/client_property.conf');
});

it.skipIf(existsSync(DEFAULT_CONFIG_PATH))('a missing file at that place is told with what goes into it', () => {
  expect(() => readClientProperties(DEFAULT_CONFIG_PATH)).toThrow(
    /does not exist; make it, with a line LOGGING_ENCRYPTION_KEY/,
  );
});
