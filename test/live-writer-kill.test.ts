/** Writers that are killed at random, and hundreds of them at once. */

import { randomInt } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';

import { inspect } from '../lib/index.ts';
import { DIST, inNode } from './helpers/native-child.ts';
import { makeParties, type Parties } from './helpers/parties.ts';
import { startTalkingChild } from './helpers/talking-child.ts';
import { tempDir } from './helpers/temp.ts';
import { recoverCallFile } from './independent-decoder.ts';

const SEGMENT = 1024;
const FULL = SEGMENT - 32;
const WRITERS = 8;

let parties: Parties;

beforeAll(async () => {
  parties = await makeParties();
});

/** Byte `at` of what writer `number` writes. */
const byteOf = (number: number, at: number): number => (at * 31 + (at >> 8) * 17 + number) & 0xff;

/**
 * Writes several files for ever, in chunks of any size, and says what is certain: `w FILE BYTES` once a write has resolved,
 * `d FILE BYTES` for what is durable. Said with a system call of its own, so that it does not wait for anything.
 */
const WRITER = `
  import { writeSync } from 'node:fs';
  import { createCallFileWriter, Recipients } from '${DIST}index.js';
  const [dir, certificate, writers, segmentLength] = process.argv.slice(2);
  const recipients = await Recipients.load([certificate]);
  async function record(number) {
    const path = dir + '/' + number;
    const writer = await createCallFileWriter(path, { recipients, segmentLength: Number(segmentLength) });
    for (let at = 0; ; ) {
      const length = 1 + Math.floor(Math.random() * (Math.random() < 0.1 ? 5000 : 400));
      await writer.write(Uint8Array.from({ length }, (_, i) => ((at + i) * 31 + ((at + i) >> 8) * 17 + number) & 0xff));
      at += length;
      writeSync(1, 'w ' + number + ' ' + at + '\\n');
      if (Math.random() < 0.1) {
        await writer.flush();
        writeSync(1, 'd ' + number + ' ' + writer.durableBytes + '\\n');
      }
    }
  }
  for (let number = 0; number < Number(writers); number++) record(number);
`;

/** What a killed child had said of each file. */
function lastWords(lines: readonly string[]): { written: number; durable: number }[] {
  const words = Array.from({ length: WRITERS }, () => ({ written: 0, durable: 0 }));
  for (const line of lines) {
    const [kind, number, bytes] = line.split(' ');
    const word = words[Number(number)]!;
    if (kind === 'w') word.written = Number(bytes);
    else word.durable = Number(bytes);
  }
  return words;
}

describe('a writer that is killed at random', () => {
  it('leaves every full segment of what it had written, and no other byte', { timeout: 120_000 }, async () => {
    let checked = 0;
    for (let round = 0; round < 6; round++) {
      const dir = tempDir();
      const args = [dir, parties.mary.certificate, String(WRITERS), String(SEGMENT)];
      const child = startTalkingChild(WRITER, args, {});
      await child.next();
      await pause(randomInt(120));
      child.process.kill('SIGKILL');
      const { lines, signal } = await child.end();
      expect(signal).toBe('SIGKILL');
      for (const [number, { written, durable }] of lastWords(lines).entries()) {
        if (!readdirSync(dir).includes(String(number))) continue;
        const file = readFileSync(join(dir, String(number)));
        if (written === 0 && file.length === 0) continue;
        const { plaintext, end } = recoverCallFile(file, parties.maryPem);
        expect(end).toBe('truncated');
        expect(plaintext.length).toBeGreaterThanOrEqual(durable);
        expect(plaintext.length).toBeGreaterThanOrEqual(Math.floor(written / FULL) * FULL);
        expect(plaintext.every((byte, at) => byte === byteOf(number, at))).toBe(true);
        expect((await inspect(file)).state).toBe('truncated');
        checked += written > 0 ? 1 : 0;
      }
    }
    expect(checked).toBeGreaterThan(24);
  });
});

describe('two hundred writers at once', () => {
  it('each take little memory, and let go of their files', { timeout: 120_000 }, async () => {
    const dir = tempDir();
    mkdirSync(join(dir, 'calls'));
    const found = await inNode<{ perWriter: number; durable: number; open: number }>(
      `
      const { createCallFileWriter, Recipients } = await import('${DIST}index.js');
      const { readdirSync, readlinkSync } = await import('node:fs');
      const recipients = await Recipients.load([${JSON.stringify(parties.mary.certificate)}]);
      const make = (i) => createCallFileWriter(${JSON.stringify(join(dir, 'calls/'))} + i, { recipients, flushInterval: 200 });
      const settle = async () => {
        for (let i = 0; i < 5; i++) {
          gc();
          await new Promise((resolve) => setImmediate(resolve));
        }
        return process.memoryUsage.rss();
      };
      const packet = new Uint8Array(160).fill(3);
      const work = (writers, packets) => Promise.all(writers.map(async (writer) => {
        for (let i = 0; i < packets; i++) await writer.write(packet);
      }));
      const batch = async (name) => {
        const writers = await Promise.all(Array.from({ length: 200 }, (_, i) => make(name + i)));
        await work(writers, 300);
        return writers;
      };
      const writers = await batch('warm');
      const before = await settle();
      writers.push(...await batch(''));
      const perWriter = (await settle() - before) / 200;
      await Promise.all(writers.map((writer) => writer.flush()));
      const durable = Math.min(...writers.map((writer) => writer.durableBytes));
      await Promise.all(writers.map((writer) => writer.close()));
      const open = readdirSync('/proc/self/fd').filter((fd) => {
        try { return readlinkSync('/proc/self/fd/' + fd).includes('/calls/'); } catch { return false; }
      }).length;
      report({ perWriter, durable, open });
      `,
      { args: ['--expose-gc'] },
    );
    expect(found.perWriter).toBeLessThan(131_072);
    expect(found.durable).toBe(Math.floor((300 * 160) / 4064) * 4064);
    expect(found.open).toBe(0);
    expect(recoverCallFile(readFileSync(join(dir, 'calls/199')), parties.maryPem)).toMatchObject({ end: 'complete' });
    console.log(`a live writer takes ${Math.round(found.perWriter)} bytes of memory`);
  });
});
