/** An agent among people and programs that mean it harm, and things that go wrong for others. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { Gate } from '../lib/agent/back-off.ts';
import { writeAtomically } from '../lib/atomic-file.ts';
import { cleanDirectory } from '../lib/callfile/seal.ts';
import { eventually } from './helpers/agent.ts';
import { startAgentChild } from './helpers/agent-child.ts';
import { contentOf, opened, quickDir, startAgent, writeFiles } from './helpers/agents.ts';
import { CALLSEAL } from './helpers/cli.ts';
import { makeParties, type Parties } from './helpers/parties.ts';

let parties: Parties;
const isRoot = process.getuid?.() === 0;

beforeAll(async () => {
  parties = await makeParties();
});

describe('an agent', () => {
  it('is not led to other directories by links that take the place of those it has read', async () => {
    const dir = quickDir();
    const elsewhere = quickDir();
    const inside = join(dir, 'inside');
    mkdirSync(inside);
    writeFiles(inside, 3);
    const victims = writeFiles(elsewhere, 3);
    const { agent, recorder, supply } = startAgent(null, { directories: [dir], rescan: 3_600_000 });
    await recorder.until(() => agent.state().queueLength === 3);
    renameSync(inside, join(quickDir(), 'away'));
    symlinkSync(elsewhere, inside);
    supply.set(parties.recipients);
    await recorder.until(() => recorder.failures.length > 0 && agent.state().working === 0);
    expect(recorder.sealedFiles).toEqual([]);
    for (const path of victims) expect(readFileSync(path, 'utf8')).toBe(contentOf(path));
    expect(readdirSync(elsewhere)).toHaveLength(3);
  });

  it('seals a file whose name leaves no room for the suffix', async () => {
    const dir = quickDir();
    const path = join(dir, 'é'.repeat(127)); // 254 bytes
    writeFileSync(path, 'a call');
    const { recorder } = startAgent(parties.recipients, { directories: [dir] });
    await recorder.until(() => recorder.sealedFiles.length === 1);
    expect(readdirSync(dir)).toEqual([`${'é'.repeat(124)}.sealed`]);
    expect(await opened(recorder.sealedFiles[0]!.output, parties.keys)).toBe('a call');
  });

  it('takes another name when a link to a call file has the first', async () => {
    const dir = quickDir();
    const { recorder } = startAgent(parties.recipients, { directories: [dir] });
    const [first] = writeFiles(dir, 1, 'first');
    await recorder.until(() => recorder.sealedFiles.length === 1);
    symlinkSync(`${first}.sealed`, join(dir, 'second.sealed'));
    writeFileSync(join(dir, 'second'), 'a call');
    await recorder.until(() => recorder.sealedFiles.length === 2);
    expect(recorder.sealedFiles[1]!.output).toBe(join(dir, 'second.1.sealed'));
    expect(recorder.failures).toEqual([]);
  });

  it('says that a name is none, for as long as the file is there', async () => {
    const dir = quickDir();
    const name = Buffer.concat([Buffer.from(`${dir}/`), Buffer.from([0x61, 0xff])]);
    writeFileSync(name, 'a call');
    const { agent, recorder } = startAgent(parties.recipients, { directories: [dir] });
    await recorder.until(() => recorder.alarms.has(`names:${dir}`));
    renameSync(name, join(dir, 'better'));
    agent.wake();
    await recorder.until(() => recorder.sealedFiles.length === 1);
    agent.wake();
    await recorder.until(() => recorder.alarms.size === 0);
  });

  it('keeps what it writes when it may not give it to the owner for good', async ({ skip }) => {
    if (!isRoot) return skip('only root has capabilities to lose: files of other owners');
    for (const lost of ['-fowner', '-fowner,-dac_override']) {
      const dir = quickDir();
      const child = startAgentChild({
        directories: [dir],
        certificate: parties.mary.certificate,
        quietFor: 0,
        wrapper: ['setpriv', '--bounding-set', lost, '--inh-caps', lost],
      });
      const hidden = join(dir, '.call');
      writeFileSync(hidden, 'a call', { mode: 0o644 });
      chmodSync(dir, 0o777);
      chownSync(hidden, 1234, 1234);
      renameSync(hidden, join(dir, 'call'));
      await child.until((event) => event.what === 'sealed');
      const { uid, mode } = statSync(join(dir, 'call.sealed'));
      expect([uid, mode & 0o7777]).toEqual([0, 0o600]);
      await child.stop();
    }
  });
});

it('a log that cannot be written does not stop the agent, nor its end', async () => {
  const dir = quickDir();
  const full = openSync('/dev/full', 'w');
  const args = [CALLSEAL, 'agent', '-r', parties.mary.certificate, '--watch', dir, '--listen', 'none'];
  const child = spawn(process.execPath, args, { stdio: ['ignore', full, 'pipe'] });
  closeSync(full);
  const ended = once(child, 'exit');
  for (const name of ['one', 'two']) {
    writeFileSync(join(dir, name), name);
    await eventually(() => existsSync(join(dir, `${name}.sealed`)) && !existsSync(join(dir, name)), name);
  }
  child.kill('SIGHUP'); // says something more
  child.kill('SIGTERM');
  expect(await ended).toEqual([0, null]);
});

it('a gate that is given up sets no timer for what fails afterwards', () => {
  const gate = new Gate({ first: 60_000, most: 60_000 }, () => {});
  gate.dispose();
  gate.close();
  expect(gate.closed).toBe(false);
  expect(gate.wide).toBe(false);
});

it('files of an installation are written beside somebody who cleans up', async () => {
  const dir = quickDir();
  let writing = true;
  const cleaning = (async () => {
    while (writing) await cleanDirectory(dir);
  })();
  const names = Array.from({ length: 300 }, (_, index) => `file-${index}`);
  try {
    for (const name of names) {
      await writeAtomically(join(dir, name), { overwrite: false, sync: true }, (file) => file.writeFile(name));
    }
  } finally {
    writing = false;
    await cleaning;
  }
  expect(readdirSync(dir).sort()).toEqual([...names].sort());
});
