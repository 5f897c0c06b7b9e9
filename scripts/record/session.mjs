/** The session that is recorded: every command really runs, on a pseudo-terminal of util-linux `script`. */

import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const CALLSEAL = fileURLToPath(new URL('../../bin/callseal', import.meta.url));
const PASSPHRASE = 'correct horse\n';
/** Until echo is off behind a prompt. */
const TYPING_DELAY = 300;
const COLUMNS = 104;
/** One minute of 8 kHz µ-law. */
const RECORDING_BYTES = 480_000;

/** What is typed at the prompt, and how many times it asks for the passphrase. */
const STEPS = [
  { typed: 'callseal keygen --subject /O=MyCompany/CN=Mary --key mary.key --cert mary.crt', asks: 2 },
  { typed: 'callseal encrypt -v -r mary.crt call.callsre', asks: 0 },
  { typed: 'callseal inspect call.callsre.sealed', asks: 0 },
  { typed: 'callseal decrypt -v -k mary.key -o opened.callsre call.callsre.sealed', asks: 1 },
  { typed: 'cmp call.callsre opened.callsre && echo the same', asks: 0 },
];

/**
 * @param {string} place an empty directory
 * @returns {Promise<{ typed: string, screen: string }[]>} `screen` with its escape sequences
 */
export async function runSession(place) {
  const bin = join(place, 'bin');
  const work = join(place, 'work');
  for (const dir of [bin, work]) mkdirSync(dir);
  writeFileSync(join(bin, 'callseal'), `#!/bin/sh\nexec '${process.execPath}' '${CALLSEAL}' "$@"\n`);
  chmodSync(join(bin, 'callseal'), 0o755);
  writeFileSync(join(work, 'call.callsre'), Buffer.alloc(RECORDING_BYTES, 'speech '));
  const env = { PATH: `${bin}:${process.env.PATH}`, HOME: work, TERM: 'xterm-256color', LC_ALL: 'C.UTF-8' };
  const steps = [];
  for (const { typed, asks } of STEPS) steps.push({ typed, screen: await onTerminal(typed, asks, { cwd: work, env }) });
  return steps;
}

async function onTerminal(line, asks, options) {
  const command = `stty cols ${COLUMNS}; ${line}`;
  const child = spawn('script', ['--quiet', '--return', '--flush', '--command', command, '/dev/null'], options);
  let screen = '';
  let [asked, seen] = [0, 0];
  child.stdout.setEncoding('utf8').on('data', async (text) => {
    screen += text;
    if (asked === asks || !/(passphrase|again)[^\n]*: $/i.test(screen.slice(seen))) return;
    asked += 1;
    seen = screen.length;
    await pause(TYPING_DELAY);
    child.stdin.write(PASSPHRASE);
  });
  const status = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (status !== 0) throw new Error(`${line} ended with ${status}: ${screen}`);
  return screen;
}
