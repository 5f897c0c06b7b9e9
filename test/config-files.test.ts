import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { encryptionRecipients } from '../lib/config/index.ts';
import { CallsealError } from '../lib/errors.ts';

let folder: string;
let config: string;
let mary: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'callseal-config-'));
  config = join(folder, 'client_property.conf');
  mary = join(folder, 'mary.crt');
  writeFileSync(mary, 'never opened here');
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** Writes the list on line 3 of a configuration. */
function configure(list: string): void {
  writeFileSync(config, `[GLOBAL]\n# list\nLOGGING_ENCRYPTION_KEY = ${list}\n`);
}

/** The error of a list, which must name file and line 3. */
function errorOf(list: string): { message: string; rule: string | undefined } {
  configure(list);
  const { problems } = encryptionRecipients(config, { onError: 'report' });
  const error = problems.find(({ severity }) => severity === 'error');
  const thrown = thrownError();
  expect(thrown).toMatchObject({ code: 'ERR_CONFIG', path: config, line: 3 });
  expect(thrown.message).toBe(`${config}:3: ${error?.message}`);
  return { message: thrown.message, rule: error?.rule };
}

function thrownError(): CallsealError {
  try {
    encryptionRecipients(config);
  } catch (error) {
    if (error instanceof CallsealError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('a certificate path', () => {
  it('to a regular file is taken, links and odd names included', () => {
    const odd = join(folder, 'an odd, näme #1.crt');
    const link = join(folder, 'link.crt');
    writeFileSync(odd, '');
    symlinkSync(mary, link);
    configure(`${mary}, "${odd}",\n${link}`);
    const { recipients, problems } = encryptionRecipients(config);
    expect(recipients.map(({ path, line }) => [path, line])).toEqual([
      [mary, 3],
      [odd, 3],
      [link, 4],
    ]);
    expect(problems).toEqual([]);
  });

  it('to nothing is an error that proposes the file with a similar name', () => {
    const { message, rule } = errorOf(`${mary},${join(folder, 'Marry.crt')}`);
    expect(rule).toBe('not-found');
    expect(message).toContain('Marry.crt" does not exist');
    expect(message).toContain(`write "${mary}" if that is the one meant`);
  });

  it('to nothing similar is an error that names the directory', () => {
    expect(errorOf(join(folder, 'fred-2031.pem')).message).toContain(`write the path of one in "${folder}"`);
  });

  it('through a missing directory is an error that names the first one missing, or a similar one', () => {
    mkdirSync(join(folder, 'certs'));
    const similar = errorOf(join(folder, 'cert/deep/mary.crt'));
    expect(similar.message).toContain(`write "${join(folder, 'certs/deep/mary.crt')}"`);
    const missing = errorOf(join(folder, 'elsewhere/deep/mary.crt'));
    expect(missing.message).toContain(`there is no directory "${join(folder, 'elsewhere')}"`);
  });

  it('through a file is an error that says so', () => {
    const { message, rule } = errorOf(join(mary, 'x.crt'));
    expect(rule).toBe('not-found');
    expect(message).toContain('a part of it is a file');
  });

  it('that is really two is an error that asks for the comma', () => {
    expect(errorOf(`${mary} ${mary}`).message).toContain('write a comma between them');
  });

  it('with quotes in its middle is an error that says where they go', () => {
    expect(errorOf(`${folder}/"mary".crt`).message).toContain('quotes must enclose the whole path');
  });

  it('in quotes with a variable is an error that says it is not expanded', () => {
    expect(errorOf(`"${folder}/$NAME.crt"`).message).toContain('not expanded');
  });

  it('to a directory, device or FIFO is an error', () => {
    expect(errorOf(folder)).toMatchObject({ rule: 'not-a-file' });
    expect(errorOf(folder).message).toContain('is a directory; name each certificate in it');
    const fifo = join(folder, 'fifo');
    execFileSync('mkfifo', [fifo]);
    for (const path of [fifo, '/dev/null']) expect(errorOf(path)).toMatchObject({ rule: 'not-a-file' });
  });

  it('that leads in circles is an error that names the cause', () => {
    const loop = join(folder, 'loop');
    symlinkSync(loop, loop);
    const { message, rule } = errorOf(loop);
    expect(rule).toBe('not-readable');
    expect(message).toContain('ELOOP');
  });

  it.skipIf(process.getuid?.() === 0)(
    'to a file closed to this user is an error (missed as root, who may read all)',
    () => {
      chmodSync(mary, 0);
      expect(errorOf(mary)).toMatchObject({ rule: 'not-readable' });
      expect(errorOf(mary).message).toContain('chmod a+r');
      const closed = join(folder, 'closed');
      mkdirSync(closed, { mode: 0 });
      expect(errorOf(join(closed, 'x.crt'))).toMatchObject({ rule: 'not-readable' });
      expect(errorOf(join(closed, 'x.crt')).message).toContain('chmod a+x');
    },
  );

  it('is not looked for when the configuration is for another host', () => {
    configure('/no/such/file.crt');
    expect(encryptionRecipients(config, { checkFiles: false }).recipients).toHaveLength(1);
  });

  it('that is wrong costs the others nothing when problems are reported', () => {
    configure(`${join(folder, 'absent')},${mary}`);
    const { recipients, problems } = encryptionRecipients(config, { onError: 'report' });
    expect(recipients.map(({ path }) => path)).toEqual([mary]);
    expect(problems).toMatchObject([{ severity: 'error', rule: 'not-found', line: 3, column: 26 }]);
  });
});
