/**
 * Where keys and passphrases are while they are used, and after: a process does what the package can do, and its memory and
 * its JavaScript heap are searched for every secret of it, in every form, in pieces of 8 bytes.
 */

import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, expect, it } from 'vitest';

import { ByteSearch } from './helpers/byte-search.ts';
import { secretsInSnapshot, WHOLE_STRINGS } from './helpers/heap-snapshot.ts';
import { memoryNeedles, type Secret, secretsOf } from './helpers/known-secrets.ts';
import { DIST } from './helpers/native-child.ts';
import { type MemoryFind, searchProcess } from './helpers/process-memory.ts';
import { startTalkingChild } from './helpers/talking-child.ts';
import { tempDir } from './helpers/temp.ts';
import { makeRoundFiles, PASSPHRASE, wholeRound } from './helpers/whole-round.ts';

const NEVER_LEAKED = 'K3wZ8rTq1Vb6Ym9Xh2Jd';
const PLANTED: Secret[] = [{ name: 'planted', bytes: Buffer.from(NEVER_LEAKED) }];

/** `stop(word)` says where the process is, and waits until somebody has looked. */
const STOPS = `
  import { setFlagsFromString, writeHeapSnapshot } from 'node:v8';
  import { setTimeout as pause } from 'node:timers/promises';
  setFlagsFromString('${WHOLE_STRINGS}');
  async function stop(word) {
    const keepAlive = setInterval(() => {}, 1000);
    const looked = new Promise((resolve) => process.once('SIGUSR2', resolve));
    process.stdout.write(word + '\\n');
    await looked;
    clearInterval(keepAlive);
  }
  async function collect() {
    for (let i = 0; i < 8; i++) {
      gc();
      await pause(20);
    }
  }
`;

const OPTIONS = { NODE_OPTIONS: '--expose-gc' };

/** How often each secret was found, by its name. */
function tally(finds: readonly MemoryFind[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { name, where } of finds) {
    const key = `${name} in ${where}`;
    counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
}

it('finds what is planted in memory, and in strings of the JavaScript heap in any form', async () => {
  const snapshot = join(tempDir(), 'planted.heapsnapshot');
  const forms = ['utf8', 'hex', 'base64', 'base64url'] as const;
  for (const form of forms) {
    const text = Buffer.from(`ab${NEVER_LEAKED}cd`).toString(form);
    const child = startTalkingChild(
      `${STOPS}
      globalThis.kept = { text: process.argv[2].split('').reverse().join('') };
      process.argv.splice(2);
      writeHeapSnapshot(${JSON.stringify(snapshot)});
      await stop('planted');`,
      [[...text].reverse().join('')],
      OPTIONS,
    );
    expect(await child.next()).toBe('planted');
    expect(secretsInSnapshot(snapshot, PLANTED), form).not.toEqual([]);
    if (form === 'utf8') {
      const found = searchProcess(child.process.pid!, new ByteSearch(memoryNeedles(PLANTED)));
      expect(found.map(({ name }) => name)).toContain('planted');
    }
    child.process.kill('SIGKILL');
  }
});

/** Secrets of keys that are held while the process is looked at. */
const HELD = [
  ...['d', 'p', 'q', 'dp', 'dq', 'qi'].flatMap((number) => [
    `${number} of the recipient key, lowest byte first`,
    `${number} of the installation key, lowest byte first`,
  ]),
  'd of the signer key, lowest byte first',
  'message key of a file',
  'data key of a file',
  'key key of master key 0',
  'working key 0',
  'passphrase',
];

it('keeps secrets out of the JavaScript heap, and leaves none in memory', { timeout: 240_000 }, async () => {
  const files = await makeRoundFiles();
  const snapshot = join(files.directory, 'in-use.heapsnapshot');
  const child = startTalkingChild(
    `${wholeRound(files)}${STOPS}
    await (async () => {
      const held = await useKeys(1);
      await stop('in use');
      writeHeapSnapshot(${JSON.stringify(snapshot)});
      await letGo(held);
    })();
    await collect();
    await stop('let go');`,
    [],
    OPTIONS,
  );
  const told = await child.next();
  expect(told, told === null ? (await child.end()).stderr : '').toBe('in use');
  const secrets = await secretsOf(files);
  const search = new ByteSearch(memoryNeedles(secrets));
  const inUse = searchProcess(child.process.pid!, search);
  expect(HELD.filter((name) => !inUse.some((find) => find.name === name))).toEqual([]);

  child.process.kill('SIGUSR2');
  expect(await child.next()).toBe('let go');
  const after = tally(searchProcess(child.process.pid!, search));
  child.process.kill('SIGKILL');
  console.log(`${secrets.length} secrets: ${inUse.length} pieces in memory in use, ${Object.keys(after).length} after`);
  expect(after).toEqual({});
  expect(secretsInSnapshot(snapshot, secrets)).toEqual([]);
});

const terminals: ReturnType<typeof spawn>[] = [];
afterAll(() => {
  for (const terminal of terminals) terminal.kill('SIGKILL');
});

it('leaves nothing of a passphrase that was typed', { timeout: 60_000 }, async () => {
  const script = join(tempDir(), 'prompt.mjs');
  writeFileSync(
    script,
    `${STOPS}
    import { Passphrase } from '${DIST}index.js';
    const passphrase = Passphrase.prompt('Passphrase: ', { confirm: true });
    await stop('pid ' + process.pid);
    passphrase.destroy();
    await collect();
    await stop('destroyed');`,
  );
  const line = `'${process.execPath}' '${script}'`;
  const terminal = spawn('script', ['--quiet', '--flush', '--command', line, '/dev/null'], {
    env: { ...process.env, ...OPTIONS },
  });
  terminals.push(terminal);
  let screen = '';
  terminal.stdout.setEncoding('utf8').on('data', (text: string) => {
    screen += text;
  });
  const shows = async (pattern: RegExp): Promise<RegExpExecArray> => {
    for (;;) {
      const match = pattern.exec(screen);
      if (match !== null) return match;
      if (terminal.exitCode !== null) throw new Error(`it ended: ${screen}`);
      await pause(20);
    }
  };
  for (const question of [/Passphrase: /, /Again: /]) {
    await shows(question);
    await pause(300); // until echo is off
    terminal.stdin.write(`${PASSPHRASE}\n`);
  }
  const pid = Number((await shows(/pid (\d+)/))[1]);
  const search = new ByteSearch(memoryNeedles([{ name: 'passphrase', bytes: Buffer.from(PASSPHRASE) }]));
  expect(searchProcess(pid, search)).not.toEqual([]);
  process.kill(pid, 'SIGUSR2');
  await shows(/destroyed/);
  const after = tally(searchProcess(pid, search));
  process.kill(pid, 'SIGKILL');
  expect(after).toEqual({});
});
