/** Sealing finished files: encrypted, and their plaintext gone; whoever else works on them meanwhile. */

import { spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { writeAtomically } from '../lib/atomic-file.ts';
import { cleanDirectory, sealFile } from '../lib/callfile/seal.ts';
import { decrypt, encryptFile } from '../lib/index.ts';
import { native } from '../lib/native/load.ts';
import { codeOf, refusalOf } from './helpers/errors.ts';
import { outputBegun, smallDisk, sparseFile } from './helpers/files.ts';
import { makeParties, type Parties } from './helpers/parties.ts';
import { tempDir } from './helpers/temp.ts';

/** Long enough for something to happen meanwhile. */
const LONG = 1 << 28;

let parties: Parties;
let dir: string;
let plain: string;
let sealed: string;

beforeAll(async () => {
  parties = await makeParties();
});

beforeEach(() => {
  dir = tempDir();
  plain = join(dir, 'call.callsre');
  sealed = join(dir, 'call.callsre.sealed');
  writeFileSync(plain, 'a call');
});

const seal = (options: Partial<Parameters<typeof sealFile>[2]> = {}) =>
  sealFile(plain, sealed, { recipients: parties.recipients, ...options });

async function opened(path: string): Promise<string> {
  return Buffer.from(await decrypt(readFileSync(path), { keys: parties.keys })).toString();
}

/** Another process that does what the script says with the file, and tells when it has. */
async function otherProcess(script: string): Promise<{ end: () => Promise<void> }> {
  const child = spawn('sh', ['-c', `${script}; echo done; read line`, 'sh', plain], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  await new Promise((resolve) => child.stdout.once('data', resolve));
  const end = async () => {
    child.stdin.end();
    await ended;
  };
  return { end };
}

describe('sealFile', () => {
  it('leaves the encrypted file alone, with the time of the plaintext', async () => {
    utimesSync(plain, 1_500_000_000, 1_500_000_000.25);
    const before = lstatSync(plain, { bigint: true });
    const result = await seal();
    expect(result).toEqual({ inputBytes: 6, outputBytes: lstatSync(sealed).size, leased: true, resumed: false });
    expect(readdirSync(dir)).toEqual(['call.callsre.sealed']);
    const after = lstatSync(sealed, { bigint: true });
    expect([after.mtimeNs, after.mode & 0o7777n, after.uid]).toEqual([before.mtimeNs, 0o600n, before.uid]);
    expect(await opened(sealed)).toBe('a call');
  });

  it('writes to another directory and another file system', async () => {
    const disk = smallDisk(256);
    if (typeof disk === 'string') console.log(`not tested: another file system (${disk})`);
    for (const directory of [tempDir(), ...(typeof disk === 'string' ? [] : [disk.dir])]) {
      writeFileSync(plain, 'a call');
      sealed = join(directory, 'sealed');
      await seal();
      expect([readdirSync(dir), readdirSync(directory)]).toEqual([[], ['sealed']]);
      expect(await opened(sealed)).toBe('a call');
    }
    if (typeof disk !== 'string') disk.release();
  });

  it('refuses a file that another process writes, and leaves it alone', async () => {
    const writer = await otherProcess('exec 3>>"$1"');
    expect(await codeOf(seal)).toBe('ERR_INPUT_BUSY');
    expect(readdirSync(dir)).toEqual(['call.callsre']);
    await writer.end();
    expect((await seal()).leased).toBe(true);
  });

  it('takes a file that another process only reads', async () => {
    const reader = await otherProcess('exec 3<"$1"');
    await seal();
    await reader.end();
    expect(readdirSync(dir)).toEqual(['call.callsre.sealed']);
  });

  it('gives way to a process that opens the file for writing meanwhile, which loses nothing', async () => {
    truncateSync(plain, LONG);
    const job = codeOf(seal);
    await outputBegun(dir);
    const writer = await otherProcess('printf more >> "$1"');
    expect(await job).toBe('ERR_INPUT_BUSY');
    await writer.end();
    expect(readdirSync(dir)).toEqual(['call.callsre']);
    expect(lstatSync(plain).size).toBe(LONG + 4);
  });

  it('never takes a newcomer for the file it has read', async () => {
    truncateSync(plain, LONG);
    const job = codeOf(seal);
    await outputBegun(dir);
    writeFileSync(join(dir, 'new'), 'another call');
    renameSync(join(dir, 'new'), plain);
    expect(await job).toBe('ERR_INPUT_CHANGED');
    expect(readdirSync(dir)).toEqual(['call.callsre']);
    expect(readFileSync(plain, 'utf8')).toBe('another call');
  });

  it('stops when its signal is raised, leaving everything as it was', async () => {
    sparseFile(plain, LONG);
    const controller = new AbortController();
    const job = codeOf(() => seal({ signal: controller.signal }));
    await outputBegun(dir);
    controller.abort();
    expect(await job).toBe('ERR_ABORTED');
    expect(readdirSync(dir)).toEqual(['call.callsre']);
  });

  it('refuses links, which would keep the plaintext', async () => {
    linkSync(plain, join(dir, 'second'));
    expect(await codeOf(seal)).toBe('ERR_INVALID_ARGUMENT');
    plain = join(dir, 'link');
    symlinkSync('second', plain);
    expect(await codeOf(seal)).toBe('ERR_INVALID_ARGUMENT');
    expect(readdirSync(dir)).toEqual(['call.callsre', 'link', 'second']);
  });

  it('refuses call files, and takes what merely begins like one', async () => {
    writeFileSync(plain, 'CALLSEAL is what this recording says');
    await seal();
    expect(await opened(sealed)).toBe('CALLSEAL is what this recording says');
    renameSync(sealed, plain);
    expect(await codeOf(seal)).toBe('ERR_ALREADY_ENCRYPTED');
    expect(readdirSync(dir)).toEqual(['call.callsre']);
  });

  it('leaves the plaintext where there is no room for the output', async (context) => {
    const disk = smallDisk(64);
    if (typeof disk === 'string') return context.skip(`a full disk: ${disk}`);
    truncateSync(plain, 1 << 20);
    sealed = join(disk.dir, 'sealed');
    expect(await refusalOf(seal)).toMatchObject({ code: 'ERR_IO', errno: 'ENOSPC' });
    expect([readdirSync(dir), readdirSync(disk.dir)]).toEqual([['call.callsre'], []]);
    disk.release();
  });

  it('tells a file that is gone', async () => {
    renameSync(plain, join(dir, 'elsewhere'));
    expect(await refusalOf(seal)).toMatchObject({ code: 'ERR_IO', errno: 'ENOENT' });
  });

  it('wants arguments of the right kind', async () => {
    for (const wrong of [{ quietFor: -1 }, { quietFor: Number.NaN }, { quietFor: '5' }, { requireLease: 'yes' }]) {
      expect(await codeOf(() => seal(wrong as never))).toBe('ERR_INVALID_ARGUMENT');
    }
    expect(await codeOf(() => seal({ observed: { ino: 5 } as never }))).toBe('ERR_INVALID_ARGUMENT');
    expect(existsSync(plain)).toBe(true);
  });
});

describe('an output that exists', () => {
  /** As a process leaves both that is killed when the output has its name. */
  async function halfDone(): Promise<void> {
    await encryptFile(plain, sealed, { recipients: parties.recipients });
    const { atime, mtime } = lstatSync(plain);
    utimesSync(plain, atime, mtime);
    utimesSync(sealed, atime, mtime);
    chmodSync(sealed, 0o1600);
  }

  it('is kept when it is of this file, and only the plaintext goes', async () => {
    await halfDone();
    const content = readFileSync(sealed);
    expect(await seal()).toEqual({ inputBytes: 6, outputBytes: content.length, leased: true, resumed: true });
    expect(readdirSync(dir)).toEqual(['call.callsre.sealed']);
    expect(readFileSync(sealed)).toEqual(content);
    expect(lstatSync(sealed).mode & 0o7777).toBe(0o600);
  });

  const others: Record<string, () => void> = {
    'a finished one': () => chmodSync(sealed, 0o600),
    'one of another time': () => utimesSync(sealed, 5, 5),
    'one of another length': () => {
      const { atime, mtime } = lstatSync(plain);
      writeFileSync(plain, 'another call');
      utimesSync(plain, atime, mtime);
    },
    'a truncated one': () => {
      const { atime, mtime } = lstatSync(sealed);
      truncateSync(sealed, lstatSync(sealed).size - 1);
      utimesSync(sealed, atime, mtime);
    },
    'no call file': () => writeFileSync(sealed, 'something'),
  };
  it.each(Object.entries(others))('is not taken for one of this file: %s', async (_, change) => {
    await halfDone();
    change();
    const before = readFileSync(plain, 'utf8');
    expect(await codeOf(seal)).toBe('ERR_OUTPUT_EXISTS');
    expect(readdirSync(dir)).toEqual(['call.callsre', 'call.callsre.sealed']);
    expect(readFileSync(plain, 'utf8')).toBe(before);
  });

  it('is not followed when it is a link', async () => {
    await halfDone();
    renameSync(sealed, join(dir, 'target'));
    symlinkSync('target', sealed);
    expect(await codeOf(seal)).not.toBe('ERR_IO');
    expect(readFileSync(plain, 'utf8')).toBe('a call');
  });
});

describe('cleanDirectory', () => {
  it('removes what the dead have left, gives back what they hid, and leaves the rest', async () => {
    writeFileSync(join(dir, '.x.0123456789abcdef.callseal-tmp'), 'half', { mode: 0o600 });
    writeFileSync(join(dir, '.x.0123456789abcdef.callseal-plain'), 'a call');
    writeFileSync(join(dir, '.call.callsre.0123456789abcdef.callseal-plain'), 'a second call');
    expect(await cleanDirectory(dir)).toEqual({ removed: 1, restored: 2 });
    expect(readdirSync(dir)).toEqual(['call.callsre', 'call.callsre.1', 'x']);
    expect(readFileSync(join(dir, 'call.callsre.1'), 'utf8')).toBe('a second call');
    expect(await codeOf(() => cleanDirectory(join(dir, 'absent')))).toBe('ERR_IO');
    expect(await codeOf(() => cleanDirectory(5 as never))).toBe('ERR_INVALID_ARGUMENT');
  });

  it('leaves what is written as a stream alone', async () => {
    const path = join(dir, 'streamed');
    await writeAtomically(path, { overwrite: false, sync: false }, async (file) => {
      await file.writeFile('half');
      expect(await cleanDirectory(dir)).toEqual({ removed: 0, restored: 0 });
      await file.writeFile(' and half');
    });
    expect(readFileSync(path, 'utf8')).toBe('half and half');
    expect(readdirSync(dir)).toEqual(['call.callsre', 'streamed']);
  });

  it('gives a half-written file no name, whatever mode it is to have', async () => {
    const path = join(dir, 'report.html');
    await writeAtomically(path, { overwrite: false, sync: false, mode: 0o644 }, async (file) => {
      await file.writeFile('half');
      const [half] = readdirSync(dir).filter((name) => name.endsWith('.callseal-tmp'));
      // As a killed writer's: the same mode, and nobody's lock.
      const dead = join(dir, '.other.html.0123456789abcdef.callseal-tmp');
      writeFileSync(dead, 'half', { mode: lstatSync(join(dir, half!)).mode & 0o777 });
      expect(await cleanDirectory(dir)).toEqual({ removed: 1, restored: 0 });
    });
    expect(readdirSync(dir)).toEqual(['call.callsre', 'report.html']);
    expect(lstatSync(path).mode & 0o777).toBe(0o644 & ~process.umask());
  });

  it('disturbs no job of this process', async () => {
    truncateSync(plain, 100 << 20);
    const job = seal();
    let over = false;
    const cleaned = (async () => {
      while (!over) expect(await cleanDirectory(dir)).toEqual({ removed: 0, restored: 0 });
    })();
    await job;
    over = true;
    await cleaned;
    expect(readdirSync(dir)).toEqual(['call.callsre.sealed']);
  });
});

describe('notifyService', () => {
  const LISTENER = `import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1]); print("bound", flush=True); print(s.recv(999).decode(), flush=True)`;

  it('says nothing when nobody listens, and reaches who does', async () => {
    process.env.NOTIFY_SOCKET = '';
    expect(native().notifyService('READY=1')).toBe(false);
    process.env.NOTIFY_SOCKET = join(dir, 'notify');
    expect(await codeOf(() => native().notifyService('READY=1'))).toBe('ERR_IO');
    const listener = spawn('python3', ['-c', LISTENER, process.env.NOTIFY_SOCKET]);
    const lines = createInterface({ input: listener.stdout })[Symbol.asyncIterator]();
    expect((await lines.next()).value).toBe('bound');
    expect(native().notifyService('READY=1\nSTATUS=all is well')).toBe(true);
    expect([(await lines.next()).value, (await lines.next()).value]).toEqual(['READY=1', 'STATUS=all is well']);
    delete process.env.NOTIFY_SOCKET;
  });

  it('takes a text', async () => {
    expect(await codeOf(() => native().notifyService(5 as never))).toBe('ERR_INVALID_ARGUMENT');
  });
});
