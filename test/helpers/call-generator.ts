/**
 * A recording host: a process that writes response files in the ways that such hosts do, and keeps a journal of those it
 * finished, for who looks after them later.
 */

import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startTalkingChild, type TalkingChild } from './talking-child.ts';

export interface GeneratorOptions {
  /** Where response files go. */
  directory: string;
  /** Outside of it, on the same file system: files that are written elsewhere, and the journal. */
  workplace: string;
  seconds: number;
  /** Files a second. */
  rate: number;
  /** Bytes of a file at most. */
  largest: number;
}

export interface Generator {
  child: TalkingChild;
  /** Waits until it is done. SHA-256 of all finished files by path, and the paths of those it deleted unfinished. */
  end(): Promise<{ finished: Map<string, string>; deleted: string[] }>;
}

const SCRIPT = `
  import { createHash, randomBytes } from 'node:crypto';
  import { appendFileSync, closeSync, mkdirSync, openSync, renameSync, unlinkSync, writeFileSync, writeSync } from 'node:fs';
  import { setTimeout as sleep } from 'node:timers/promises';
  const { directory, workplace, seconds, rate, largest } = JSON.parse(process.argv[2]);
  const pool = randomBytes(1 << 20);
  let serial = 0;
  let underWay = 0;
  const folders = [directory];
  const fresh = () => {
    const offset = Math.floor(Math.random() * (pool.length - largest));
    const bytes = pool.subarray(offset, offset + Math.floor(Math.random() * largest));
    serial += 1;
    const folder = folders[Math.floor(Math.random() * folders.length)];
    return { name: 'call-' + serial + '.callsre', path: folder + '/call-' + serial + '.callsre', bytes };
  };
  let lines = '';
  const finished = (path, bytes) => {
    lines += createHash('sha256').update(bytes).digest('hex') + ' ' + path + '\\n';
  };
  const writeSlowly = async (path, bytes, deleted) => {
    const fd = openSync(path, 'w');
    const part = Math.ceil(bytes.length / 5);
    for (let count = 0; count < 5; count += 1) {
      writeSync(fd, bytes.subarray(count * part, (count + 1) * part));
      await sleep(20 + Math.random() * 60);
      if (deleted && count === 2) unlinkSync(path);
    }
    closeSync(fd);
    if (deleted) lines += '- ' + path + '\\n';
    else finished(path, bytes);
  };
  const make = async () => {
    const { name, path, bytes } = fresh();
    const way = Math.random();
    if (way < 0.7) {
      writeFileSync(path, bytes);
      finished(path, bytes);
    } else if (way < 0.8) {
      await writeSlowly(path, bytes, false);
    } else if (way < 0.9) {
      writeFileSync(workplace + '/' + name, bytes);
      renameSync(workplace + '/' + name, path);
      finished(path, bytes);
    } else if (way < 0.95) {
      await writeSlowly(path, bytes, true);
    } else {
      const folder = directory + '/line-' + (serial % 40) + '/day-' + (serial % 3);
      mkdirSync(folder, { recursive: true });
      if (!folders.includes(folder)) folders.push(folder);
      writeFileSync(folder + '/' + name, bytes);
      finished(folder + '/' + name, bytes);
    }
  };
  const began = performance.now();
  for (let made = 0; ; ) {
    const elapsed = (performance.now() - began) / 1000;
    if (elapsed > seconds) break;
    for (; made < elapsed * rate; made += 1) {
      underWay += 1;
      void make().finally(() => { underWay -= 1; });
    }
    appendFileSync(workplace + '/journal', lines);
    lines = '';
    await sleep(10);
  }
  while (underWay > 0) await sleep(10);
  appendFileSync(workplace + '/journal', lines);
`;

export function startGenerator(options: GeneratorOptions): Generator {
  if (!existsSync(options.workplace)) mkdirSync(options.workplace);
  const child = startTalkingChild(SCRIPT, [JSON.stringify(options)], {});
  const end = async () => {
    const { status, stderr } = await child.end();
    if (status !== 0) throw new Error(`the generator ended with ${status}: ${stderr}`);
    const finished = new Map<string, string>();
    const deleted: string[] = [];
    for (const line of readFileSync(join(options.workplace, 'journal'), 'utf8').trimEnd().split('\n')) {
      const space = line.indexOf(' ');
      const path = line.slice(space + 1);
      if (line.startsWith('-')) deleted.push(path);
      else finished.set(path, line.slice(0, space));
    }
    return { finished, deleted };
  };
  return { child, end };
}
