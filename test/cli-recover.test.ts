/** `callseal decrypt --recover` and `callseal tail`: what is taken of a broken file, and how a script tells. */

import { appendFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { encrypt, Recipients } from '../lib/index.ts';
import { callseal, finish, onTerminal, start } from './helpers/cli.ts';
import { makeKeyPair } from './helpers/keys.ts';
import { mapCallFile } from './helpers/regions.ts';
import { chunksOf } from './helpers/streams.ts';
import { tempDir } from './helpers/temp.ts';

const FULL = 4096 - 32;
const CONTENT = Buffer.from('a caller says something\n'.repeat(800));
let cwd: string;
let sealed: Buffer;
/** Where each segment begins. */
let starts: number[];

beforeAll(async () => {
  cwd = tempDir();
  const { certificate } = makeKeyPair(cwd, { name: 'mary' });
  makeKeyPair(cwd, { name: 'stranger' });
  const recipients = await Recipients.load([certificate]);
  sealed = Buffer.from(await encrypt(CONTENT, { recipients, segmentLength: 4096 }));
  starts = mapCallFile(sealed).segments;
});

let at: (name: string) => string;

beforeEach(() => {
  const dir = tempDir();
  at = (name) => join(dir, name);
  const damaged = Buffer.from(sealed);
  damaged[starts[1]! + 100]! ^= 1;
  writeFileSync(at('whole.sealed'), sealed);
  writeFileSync(at('cut.sealed'), sealed.subarray(0, starts[2]! + 1000));
  writeFileSync(at('damaged.sealed'), damaged);
});

const KEY = ['-k', 'mary_private.key'];
const decrypt = (...args: string[]) => callseal(['decrypt', ...KEY, ...args], { cwd });
const tail = (...args: string[]) => callseal(['tail', ...KEY, ...args], { cwd });
const begun = (segments: number): Buffer => CONTENT.subarray(0, segments * FULL);

describe('decrypt --recover', () => {
  it('writes what is authentic of a file that was cut, says how much is missing, and ends with 22', async () => {
    const strict = await decrypt(at('cut.sealed'));
    expect([strict.status, existsSync(at('cut'))]).toEqual([8, false]);
    expect(strict.stderr).toContain('hint: --recover');
    const run = await decrypt('--recover', at('cut.sealed'));
    expect([run.status, run.stdout.toString()]).toEqual([22, '']);
    expect(run.stderr).toBe(
      `callseal: decrypt: warning: ${at('cut.sealed')}: recovered, incomplete: 8.1 kB decrypted to ${at('cut')}; ` +
        'it ends inside segment 2, of which 1000 bytes cannot be used\n',
    );
    expect(readFileSync(at('cut'))).toEqual(begun(2));
  });

  it('of a damaged file writes what is before the damage, and ends with 7', async () => {
    const run = await decrypt('--recover', at('damaged.sealed'));
    expect(run.status).toBe(7);
    expect(run.stderr).toMatch(/segment 1, at byte \d+, was altered or damaged.*4\.1 kB decrypted to/);
    expect(readFileSync(at('damaged'))).toEqual(begun(1));
  });

  it('of a whole file is like decrypt without it', async () => {
    const run = await decrypt('--recover', at('whole.sealed'));
    expect([run.status, run.stderr]).toEqual([0, '']);
    expect(readFileSync(at('whole'))).toEqual(CONTENT);
  });

  it('writes nothing without the right key, or of a header that is cut', async () => {
    const stranger = ['decrypt', '-k', 'stranger_private.key', '--recover', at('cut.sealed')];
    expect((await callseal(stranger, { cwd })).status).toBe(5);
    writeFileSync(at('head.sealed'), sealed.subarray(0, 200));
    expect((await decrypt('--recover', at('head.sealed'))).status).toBe(8);
    expect(readdirSync(at('.')).filter((name) => !name.endsWith('.sealed'))).toEqual([]);
  });

  it('counts the files of a batch: 22 when some were cut, 20 when some failed', async () => {
    const recovered = await decrypt('--recover', at('whole.sealed'), at('cut.sealed'));
    expect(recovered.status).toBe(22);
    expect(recovered.stderr).toMatch(/cut\.sealed: recovered, incomplete:/);
    expect(recovered.stderr).toMatch(/1 file decrypted \([^)]*\), 1 recovered, incomplete$/m);
    const failed = await decrypt('--recover', '-f', ...['whole', 'cut', 'damaged'].map((name) => at(`${name}.sealed`)));
    expect(failed.status).toBe(20);
    expect(failed.stderr).toMatch(/1 file decrypted \([^)]*\), 1 recovered, incomplete, 1 failed$/m);
  });

  it('does the same through standard input and output', async () => {
    for (const [name, status, segments] of [
      ['cut', 22, 2],
      ['damaged', 7, 1],
      ['whole', 0, 9],
    ] as const) {
      const toStdout = await decrypt('--recover', '-o', '-', at(`${name}.sealed`));
      expect([toStdout.status, toStdout.stdout]).toEqual([status, begun(segments)]);
      const input = readFileSync(at(`${name}.sealed`));
      const fromStdin = await callseal(['decrypt', ...KEY, '--recover', '-o', at(name), '-'], { cwd, input });
      expect(fromStdin.status).toBe(status);
      expect(readFileSync(at(name))).toEqual(begun(segments));
      if (status !== 0) expect(fromStdin.stderr).toContain('standard input: ');
    }
  });
});

describe('tail', () => {
  it('writes what is there, and ends with 0 only when that is all', async () => {
    const whole = await tail(at('whole.sealed'));
    expect([whole.status, whole.stdout, whole.stderr]).toEqual([0, CONTENT, '']);
    const cut = await tail(at('cut.sealed'));
    expect([cut.status, cut.stdout]).toEqual([22, begun(2)]);
    expect(cut.stderr).toMatch(/warning: .*cut\.sealed: incomplete: it ends inside segment 2/);
    const damaged = await tail(at('damaged.sealed'));
    expect([damaged.status, damaged.stdout]).toEqual([7, begun(1)]);
  });

  it('-n writes the end only', async () => {
    expect((await tail('-n', '5000', at('whole.sealed'))).stdout).toEqual(CONTENT.subarray(-5000));
    expect((await tail('--bytes', '10', at('cut.sealed'))).stdout).toEqual(begun(2).subarray(-10));
    expect((await tail('-n', 'many', at('whole.sealed'))).status).toBe(2);
  });

  it('-f waits for the file and follows it until its last segment has come', async () => {
    const child = start(['tail', ...KEY, '-f', at('live.sealed')], { cwd });
    const run = finish(child);
    await new Promise((resolve) => child.stderr.once('data', resolve));
    for (const chunk of chunksOf(sealed, 2000)) {
      appendFileSync(at('live.sealed'), chunk);
      await pause(10);
    }
    const { status, stdout, stderr } = await run;
    expect([status, stdout]).toEqual([0, CONTENT]);
    expect(stderr).toMatch(/^callseal: tail: .*live\.sealed: waiting for it/);
  });

  it('-f ends with 130 after Ctrl-C, with what was there', async () => {
    const child = start(['tail', ...KEY, '-f', at('cut.sealed')], { cwd });
    const run = finish(child);
    await new Promise((resolve) => child.stdout.once('data', resolve));
    await pause(200);
    child.kill('SIGINT');
    const { status, stdout, stderr } = await run;
    expect([status, stdout, stderr]).toEqual([130, begun(2), 'callseal: tail: interrupted\n']);
  });

  it('refuses a terminal, standard input and other outputs', async () => {
    const command = ['tail', ...KEY, at('whole.sealed')];
    const terminal = await onTerminal(command, { cwd });
    expect([terminal.status, terminal.screen]).toEqual([2, expect.stringContaining('not written to a terminal')]);
    expect((await onTerminal([...command, '-o', '-'], { cwd })).screen).toContain('a caller says something');
    for (const args of [['-'], ['-o', 'file', at('whole.sealed')], []]) expect((await tail(...args)).status).toBe(2);
    expect((await tail(at('gone'))).status).toBe(13);
  });
});
