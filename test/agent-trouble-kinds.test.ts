/** What a failure of one file is about: that file, its directory, or everything; and so what the operator is told. */

import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import { Directory } from '../lib/agent/directory.ts';
import { callsealError, troubleOf } from '../lib/agent/trouble.ts';
import { CallsealError } from '../lib/errors.ts';
import { tempDir } from './helpers/temp.ts';

const NAME = 'call.wav';
let directory: Directory;

beforeEach(() => {
  const [path, output] = [join(tempDir(), 'calls'), join(tempDir(), 'sealed')];
  for (const each of [path, output]) mkdirSync(each);
  writeFileSync(join(path, NAME), 'a call');
  const events = { reopened: () => {}, reread: () => {}, longestPause: 1 };
  directory = new Directory(path, output, path, events);
});

const failed = (errno: string, path = join(directory.output, 'call.wav.sealed')) =>
  new CallsealError('ERR_IO', `${path}: ${errno}`, { errno, path });

it.each(['EMFILE', 'ENFILE', 'ENOMEM'])('%s is about the process: everything waits', async (errno) => {
  expect(await troubleOf(failed(errno), directory, NAME)).toMatchObject({
    about: 'everything',
    alarm: 'resources',
    remedy: expect.stringContaining('raise the limits'),
  });
});

it.each(['ENOSPC', 'EDQUOT'])('%s is about the disk: its directory waits', async (errno) => {
  expect(await troubleOf(failed(errno), directory, NAME)).toMatchObject({ about: 'directory', alarm: 'disk-full' });
});

it('a file that went is no failure; a directory for its output that went is', async () => {
  for (const errno of ['ENOENT', 'ENOTDIR']) {
    expect(await troubleOf(failed(errno), directory, NAME)).toMatchObject({
      about: 'directory',
      alarm: 'output',
      remedy: 'make that directory',
    });
    expect(await troubleOf(failed(errno), directory, 'gone.wav')).toEqual({ about: 'nothing' });
  }
});

it('a file in the place of the output directory', async () => {
  expect(await troubleOf(failed('ENOTDIR', directory.output), directory, NAME)).toMatchObject({
    about: 'directory',
    alarm: 'output',
    remedy: expect.stringContaining('make it a directory'),
  });
});

it.each(['EACCES', 'EPERM', 'EROFS'])('%s is about the file where both directories can be written', async (errno) => {
  expect(await troubleOf(failed(errno), directory, NAME)).toEqual({ about: 'file' });
  rmSync(directory.output, { recursive: true });
  expect(await troubleOf(failed(errno), directory, NAME)).toMatchObject({
    about: 'directory',
    alarm: 'output',
    remedy: expect.stringContaining('user write there'),
  });
});

it('what the disk cannot read is about the file, wherever the output is', async () => {
  expect(await troubleOf(failed('EIO'), directory, NAME)).toEqual({ about: 'file' });
  rmSync(directory.output, { recursive: true });
  expect(await troubleOf(failed('EIO'), directory, NAME)).toEqual({ about: 'file' });
});

it('an error that is none of ours names the file, and keeps what was said', () => {
  const cause = new TypeError('not a function');
  const error = callsealError(cause, '/calls/1.wav');
  expect(error).toMatchObject({ code: 'ERR_IO', message: '/calls/1.wav: not a function', path: '/calls/1.wav', cause });
  expect(callsealError('odd', '/calls/1.wav').message).toBe('/calls/1.wav: odd');
  expect(callsealError(error, '/elsewhere')).toBe(error);
});
