import { appendFileSync, chmodSync, existsSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, expect, it } from 'vitest';
import { startAgentChild } from './helpers/agent-child.ts';
import { opened, quickDir, startAgent, writeFiles } from './helpers/agents.ts';
import { DIST } from './helpers/native-child.ts';
import { makeParties, type Parties } from './helpers/parties.ts';
import { startTalkingChild } from './helpers/talking-child.ts';
import { tempDir } from './helpers/temp.ts';

const NOBODY = 65534;
const FAKETIME = ['/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu', '/usr/lib64', '/usr/lib']
  .map((path) => `${path}/faketime/libfaketime.so.1`)
  .find((path) => existsSync(path));

let parties: Parties;
const isRoot = process.getuid?.() === 0;

beforeAll(async () => {
  parties = await makeParties();
});

/** A directory of ours that somebody else may remove files from, who gets no lease on them. */
function leaselessDir(): string {
  const dir = join(quickDir(), 'responses');
  mkdirSync(dir);
  chmodSync(join(dir, '..'), 0o755);
  chmodSync(dir, 0o777);
  return dir;
}

function inAnHour(path: string): void {
  const later = Date.now() / 1000 + 3600;
  utimesSync(path, later, later);
}

it('files from the future, as after a clock was set back, are encrypted where a lease tells that they are finished', async () => {
  const dir = quickDir();
  for (const path of writeFiles(dir, 2)) inAnHour(path);
  const { recorder } = startAgent(parties.recipients, { directories: [dir], quietFor: 3_600_000 });
  await recorder.until(() => recorder.sealedFiles.length === 2);
  expect(recorder.sealedFiles.every(({ age, leased }) => leased && age >= 0)).toBe(true);
});

it('files wait until nobody has written to them for long enough, where no lease is to be had', async ({ skip }) => {
  if (!isRoot) return skip('only root becomes another user: files without a lease');
  const dir = leaselessDir();
  const [old] = writeFiles(dir, 1, 'old');
  utimesSync(old!, 1_700_000_000, 1_700_000_000);
  const present = join(dir, 'present.callsre');
  const future = join(dir, 'future.callsre');
  const write = (part: string): void => {
    for (const path of [present, future]) appendFileSync(path, part);
    inAnHour(future);
  };
  const { certificate } = parties.mary;
  const child = startAgentChild({ directories: [dir], certificate, uid: NOBODY, quietFor: 1500 });
  await child.until(({ what }) => what === 'started');
  write('begin\n');
  const parts = Array.from({ length: 20 }, (_, index) => `part ${index}\n`);
  for (const part of parts) {
    await sleep(100);
    write(part);
  }
  const told = [];
  for (let count = 0; count < 3; count += 1) told.push(await child.until(({ what }) => what === 'sealed'));
  // The old one did not wait for the others.
  expect(told[0]).toMatchObject({ path: old, leased: false });
  for (const path of [present, future]) {
    expect(await opened(`${path}.sealed`, parties.keys)).toBe(`begin\n${parts.join('')}`);
  }
  await child.stop();
});

it('a clock that is set forward makes files look older, which is known for as long as it matters', async ({ skip }) => {
  if (FAKETIME === undefined) return skip('libfaketime is not installed: a clock that is set');
  const setting = join(tempDir(), 'time');
  writeFileSync(setting, '+0');
  const script = `
    import { Clock } from '${DIST}agent/clock.js';
    import { setTimeout as sleep } from 'node:timers/promises';
    import { writeFileSync } from 'node:fs';
    const clock = new Clock(300);
    const set = (time) => writeFileSync('${setting}', time);
    const says = [clock.tooOldBy()];
    set('+1h');
    says.push(Math.round(clock.tooOldBy() / 60_000));
    set('+2h');
    says.push(Math.round(clock.tooOldBy() / 60_000));
    await sleep(400);
    says.push(clock.tooOldBy());
    set('-1h');
    says.push(clock.tooOldBy());
    console.log(JSON.stringify(says));
  `;
  const faketime = {
    LD_PRELOAD: FAKETIME,
    FAKETIME_TIMESTAMP_FILE: setting,
    FAKETIME_NO_CACHE: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
  };
  const { lines, stderr } = await startTalkingChild(script, [], faketime).end();
  expect(lines, stderr).toEqual([JSON.stringify([0, 60, 120, 0, 0])]);
});
