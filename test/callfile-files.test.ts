/** What may be read and written: names, kinds, permissions, full disks, links. */

import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chownSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import {
  decrypt,
  decryptFile,
  type EncryptFileOptions,
  encryptFile,
  encryptInPlace,
  inspect,
  KeyRing,
  Recipients,
  verify,
} from '../lib/index.ts';
import { codeOf, refusalOf } from './helpers/errors.ts';
import { readOnlyDirectory, type SmallDisk, smallDisk } from './helpers/files.ts';
import { makeKeyPair } from './helpers/keys.ts';
import { makeParties, type Parties } from './helpers/parties.ts';
import { tempDir } from './helpers/temp.ts';

const plaintext = randomBytes(300_000);
const isRoot = process.getuid?.() === 0;
let parties: Parties;
let options: EncryptFileOptions;
let dir: string;
let input: string;
let output: string;

beforeAll(async () => {
  parties = await makeParties();
  options = { recipients: parties.recipients, sync: false };
});

beforeEach(() => {
  dir = tempDir();
  input = join(dir, 'call.callsre');
  output = join(dir, 'call.callsre.sealed');
  writeFileSync(input, plaintext);
});

async function expectOpens(path: string): Promise<void> {
  expect(Buffer.from(await decrypt(readFileSync(path), parties)).equals(plaintext)).toBe(true);
}

describe('a new output', () => {
  it('is for its owner alone, whatever the umask, and leaves nothing beside it', async () => {
    const umask = process.umask(0);
    try {
      await encryptFile(input, output, { recipients: parties.recipients });
      await decryptFile(output, join(dir, 'again'), { keys: parties.keys });
    } finally {
      process.umask(umask);
    }
    expect(statSync(output).mode & 0o7777).toBe(0o600);
    expect(statSync(join(dir, 'again')).mode & 0o7777).toBe(0o600);
    expect(readdirSync(dir).sort()).toEqual(['again', 'call.callsre', 'call.callsre.sealed']);
    expect(readFileSync(input).equals(plaintext)).toBe(true);
  });

  it('may have a name as long as the system allows', async () => {
    output = join(dir, 'n'.repeat(255));
    await encryptFile(input, output, options);
    await expectOpens(output);
  });
});

describe('an output that exists', () => {
  it('is refused and stays as it is', async () => {
    writeFileSync(output, 'precious');
    expect(await refusalOf(() => encryptFile(input, output, options))).toMatchObject({
      code: 'ERR_OUTPUT_EXISTS',
      path: output,
    });
    expect(readFileSync(output, 'utf8')).toBe('precious');
  });

  it('is replaced when asked for', async () => {
    writeFileSync(output, 'old');
    await encryptFile(input, output, { ...options, overwrite: true });
    await expectOpens(output);
    writeFileSync(join(dir, 'plain'), 'old');
    await decryptFile(output, join(dir, 'plain'), { keys: parties.keys, overwrite: true });
    expect(readFileSync(join(dir, 'plain')).equals(plaintext)).toBe(true);
  });

  it('is refused before anybody is asked for a passphrase', async () => {
    const locked = makeKeyPair(dir, { name: 'mary-locked', passphrase: 'secret' });
    const recipients = await Recipients.load([locked.certificate]);
    await encryptFile(input, output, { recipients });
    const asked: string[] = [];
    const ask = (path: string): null => {
      asked.push(path);
      return null;
    };
    const keys = new KeyRing([{ path: locked.privateKey, passphrases: [ask] }]);
    expect(await codeOf(() => decryptFile(output, input, { keys }))).toBe('ERR_OUTPUT_EXISTS');
    expect(asked).toEqual([]);
  });

  it.each([
    ['a directory', () => mkdirSync(output)],
    ['a FIFO', () => execFileSync('mkfifo', [output])],
    ['a symbolic link', () => symlinkSync(join(dir, 'elsewhere'), output)],
  ])('is never replaced when it is %s', async (_what, make) => {
    make();
    const before = lstatSync(output).ino;
    for (const overwrite of [false, true]) {
      expect(await codeOf(() => encryptFile(input, output, { ...options, overwrite }))).toBe('ERR_OUTPUT_EXISTS');
    }
    expect(lstatSync(output).ino).toBe(before);
    expect(existsSync(join(dir, 'elsewhere'))).toBe(false);
  });

  it('is never replaced when it is a device', async () => {
    expect(await codeOf(() => encryptFile(input, '/dev/null', { ...options, overwrite: true }))).toBe(
      'ERR_OUTPUT_EXISTS',
    );
    expect(statSync('/dev/null').isCharacterDevice()).toBe(true);
  });
});

describe('an output that cannot be written', () => {
  it('in a directory that is not there', async () => {
    const error = await refusalOf(() => encryptFile(input, join(dir, 'no', 'where'), options));
    expect(error).toMatchObject({ code: 'ERR_IO', errno: 'ENOENT' });
  });

  it('below a file', async () => {
    expect(await refusalOf(() => encryptFile(input, join(input, 'below'), options))).toMatchObject({
      code: 'ERR_IO',
      errno: 'ENOTDIR',
    });
  });

  it('in a directory without write permission', async (context) => {
    const disk = readOnlyDirectory();
    if (typeof disk === 'string') return context.skip(`not tested, a read-only directory: ${disk}`);
    try {
      const error = await refusalOf(() => encryptFile(input, join(disk.dir, 'sealed'), options));
      expect(error).toMatchObject({ code: 'ERR_IO', errno: 'EROFS' });
    } finally {
      disk.release();
    }
  });
});

describe('a full disk', () => {
  let disk: SmallDisk | string;

  beforeAll(() => {
    disk = smallDisk(200);
  });

  afterAll(() => {
    if (typeof disk !== 'string') disk.release();
  });

  it('is told, and no part of the output stays', async (context) => {
    if (typeof disk === 'string') return context.skip(`not tested, a full disk: ${disk}`);
    const full = join(disk.dir, 'sealed');
    expect(await refusalOf(() => encryptFile(input, full, options))).toMatchObject({ code: 'ERR_IO', errno: 'ENOSPC' });
    await encryptFile(input, output, options);
    expect(await refusalOf(() => decryptFile(output, full, { keys: parties.keys }))).toMatchObject({
      code: 'ERR_IO',
      errno: 'ENOSPC',
    });
    expect(readdirSync(disk.dir)).toEqual([]);
  });

  it('leaves a file that was to be encrypted in place as it was', async (context) => {
    if (typeof disk === 'string') return context.skip(`not tested, a full disk in place: ${disk}`);
    const path = join(disk.dir, 'call.callsre');
    const small = plaintext.subarray(0, 150_000);
    writeFileSync(path, small);
    expect(await refusalOf(() => encryptInPlace(path, options))).toMatchObject({ code: 'ERR_IO', errno: 'ENOSPC' });
    expect(readdirSync(disk.dir)).toEqual(['call.callsre']);
    expect(readFileSync(path).equals(small)).toBe(true);
  });
});

describe('an input', () => {
  it('that is not there', async () => {
    const error = await refusalOf(() => encryptFile(join(dir, 'none'), output, options));
    expect(error).toMatchObject({ code: 'ERR_IO', errno: 'ENOENT', path: join(dir, 'none') });
    expect(error.message).toContain('no such file');
  });

  it.each([
    ['a directory', () => mkdirSync(join(dir, 'odd'))],
    ['a FIFO', () => execFileSync('mkfifo', [join(dir, 'odd')])],
  ])('that is %s is refused, not waited for', async (_what, make) => {
    make();
    const odd = join(dir, 'odd');
    for (const call of [
      () => encryptFile(odd, output, options),
      () => decryptFile(odd, output, { keys: parties.keys }),
      () => verify(odd, { keys: parties.keys }),
      () => inspect(odd),
    ]) {
      expect(await codeOf(call)).toBe('ERR_INVALID_ARGUMENT');
    }
    expect(existsSync(output)).toBe(false);
  });

  it('that is encrypted already is refused, or nested when asked for', async () => {
    await encryptFile(input, output, options);
    const twice = join(dir, 'twice');
    expect(await refusalOf(() => encryptFile(output, twice, options))).toMatchObject({
      code: 'ERR_ALREADY_ENCRYPTED',
      path: output,
    });
    expect(await codeOf(() => encryptInPlace(output, options))).toBe('ERR_ALREADY_ENCRYPTED');
    await encryptFile(output, twice, { ...options, allowNested: true });
    const once = await decrypt(readFileSync(twice), parties);
    expect(Buffer.from(await decrypt(once, parties)).equals(plaintext)).toBe(true);
  });

  it.each([
    ['text for a path', 7],
    ['an empty path', ''],
    ['a zero byte in a path', 'a\0b'],
  ])('%s', async (_what, path) => {
    for (const call of [
      () => encryptFile(path as string, output, options),
      () => encryptFile(input, path as string, options),
      () => decryptFile(path as string, output, { keys: parties.keys }),
      () => verify(path as string, { keys: parties.keys }),
    ]) {
      expect(await codeOf(call)).toBe('ERR_INVALID_ARGUMENT');
    }
  });
});

describe('in place', () => {
  it('replaces the file, and back', async () => {
    await encryptInPlace(input, { recipients: parties.recipients });
    await expectOpens(input);
    expect(readdirSync(dir)).toEqual(['call.callsre']);
    await decryptFile(input, input, { keys: parties.keys });
    expect(readFileSync(input).equals(plaintext)).toBe(true);
    expect(readdirSync(dir)).toEqual(['call.callsre']);
  });

  it('knows the file under another spelling of its name', async () => {
    await encryptFile(input, relative(process.cwd(), input), options);
    await expectOpens(input);
  });

  it('refuses a symbolic link, on either side', async () => {
    const link = join(dir, 'link');
    symlinkSync(input, link);
    for (const [from, to] of [
      [link, link],
      [input, link],
      [link, input],
    ] as const) {
      const error = await refusalOf(() => encryptFile(from, to, options));
      expect(error).toMatchObject({ code: 'ERR_INVALID_ARGUMENT', path: link });
      expect(error.message).toContain('symbolic link');
    }
    expect(readFileSync(input).equals(plaintext)).toBe(true);
  });

  it('refuses a file with two names, as the other would keep the plaintext', async () => {
    const second = join(dir, 'second');
    linkSync(input, second);
    for (const [from, to] of [
      [input, input],
      [input, second],
    ] as const) {
      const error = await refusalOf(() => encryptFile(from, to, options));
      expect(error.code).toBe('ERR_INVALID_ARGUMENT');
      expect(error.message).toContain('hard links');
    }
    expect(readFileSync(second).equals(plaintext)).toBe(true);
  });

  it('leaves a damaged file as it is', async () => {
    await encryptInPlace(input, options);
    const sealed = readFileSync(input);
    sealed[sealed.length - 1]! ^= 1;
    writeFileSync(input, sealed);
    expect(await codeOf(() => decryptFile(input, input, { keys: parties.keys }))).toBe('ERR_TAMPERED');
    expect(readFileSync(input).equals(sealed)).toBe(true);
    expect(readdirSync(dir)).toEqual(['call.callsre']);
  });

  it('keeps the owner of the file', async (context) => {
    if (!isRoot) return context.skip('not tested, the owner after encryption in place: only root can give files away');
    chownSync(input, 12_345, 12_346);
    await encryptInPlace(input, options);
    expect(statSync(input)).toMatchObject({ uid: 12_345, gid: 12_346 });
  });
});

describe('a file that opens for nobody here', () => {
  it('names those it was encrypted for, and leaves nothing', async () => {
    await encryptFile(input, output, options);
    const keys = new KeyRing([parties.stranger.privateKey]);
    const error = await refusalOf(() => decryptFile(output, join(dir, 'again'), { keys }));
    expect(error).toMatchObject({ code: 'ERR_NO_MATCHING_KEY', path: output });
    expect(error.message).toMatch(/CN=mary.*; certificate .*CN=fred/);
    expect(readdirSync(dir).sort()).toEqual(['call.callsre', 'call.callsre.sealed']);
  });
});
