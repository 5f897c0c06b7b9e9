/**
 * docs/operations.md, run as it stands, in a folder that stands for the root of both machines: what it says is what happens.
 * A command that cannot run here is listed below, word for word; any other one that does not work fails.
 */

import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CALLSEAL } from './helpers/cli.ts';
import { ConsoleSession, type ConsoleStep, consoleSteps, differenceOf } from './helpers/console-session.ts';
import { startPostgres } from './helpers/postgres.ts';
import { PROMTOOL } from './helpers/promtool.ts';
import { tempDir } from './helpers/temp.ts';

const PROJECT = join(import.meta.dirname, '..');
const page = readFileSync(join(PROJECT, 'docs/operations.md'), 'utf8');
const unit = readFileSync(join(PROJECT, 'deploy/callseal-agent.service'), 'utf8');
const steps = consoleSteps(page, '$#');

/** Commands that are not run, and why. */
const NOT_RUN: Readonly<Record<string, string>> = {
  'apt-get install -y g++ make cmake libssl-dev openssl curl jq': 'changes the system',
  'npm install -g --allow-scripts=callseal callseal': 'changes the system; install-tarball.test.ts installs a package',
  'callseal fips install': 'changes the system; fips-install.test.ts',
  "stat -c '%U %G %a' /var/lumenvox/responses": 'there is no user lumenvox',
  'systemd-sysusers': 'changes the system',
  'systemctl daemon-reload': 'no systemd',
  'systemctl is-active callseal-agent': 'no systemd',
  'usermod -aG lumenvox callseal': 'changes the system',
  'systemctl reload prometheus': 'no systemd',
  'runuser -u postgres -- createuser --pwprompt callseal': 'the server of this test has its user',
  'runuser -u postgres -- createdb --owner callseal jobs': 'the server of this test has its database',
};

/** Looking changes nothing, and the agent takes its time: tried again until it is as the page says. */
const LOOKS = /^(?:ls|curl|journalctl|callseal inspect) /;
const PATIENCE = 40_000;

const EXEC_START = /^ExecStart=(.*)$/m.exec(unit)![1]!;
const LOG = 'agent.log';

let root: string;
let queue: string;
/** By prompt: root on the recording host, and Mary on her machine. */
let sessions: Record<string, ConsoleSession>;
const ids = new Map<string, string>();

beforeAll(async () => {
  const server = await startPostgres();
  queue = server.url(await server.createDatabase());
  root = realpathSync(tempDir());
  for (const directory of [
    'root',
    'home/mary',
    'var/lumenvox/responses',
    'etc/lumenvox',
    'etc/prometheus',
    'srv/calls',
  ]) {
    mkdirSync(join(root, directory), { recursive: true });
  }
  const mary = join(root, 'home/mary');
  const host = join(root, 'root');
  writeFileSync(join(mary, 'passphrase'), 'correct horse battery staple\n');
  writeFileSync(join(root, 'etc/lumenvox/client_property.conf'), '[GLOBAL]\n');
  for (const [name, content] of namedFiles()) {
    for (const path of name.startsWith('/') ? [join(root, name)] : [join(host, name), join(mary, name)]) {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, onThisMachine(content));
    }
  }
  sessions = { '#': new ConsoleSession(host, { HOME: host }), $: new ConsoleSession(mary, { HOME: mary }) };
  // What Mary types when she is asked for it.
  await sessions.$!.run(`callseal() {
    case " $* " in *" -k "* | " keygen "*) set -- "$@" --passphrase-file passphrase ;; esac
    '${process.execPath}' '${CALLSEAL}' "$@"
  }`);
}, 60_000);

afterAll(() => {
  for (const session of Object.values(sessions)) session.end();
});

/** Blocks that begin with a comment that is a file's name: what is in that file. */
function namedFiles(): [name: string, content: string][] {
  return [...page.matchAll(/^```\w+\n(?:#|\/\/) (\S+\.\w+)\n([\s\S]*?)^```$/gm)].map(([, name, text]) => [
    name!,
    text!,
  ]);
}

/** With the paths of the page below this test's root. */
function onThisMachine(text: string): string {
  return text.replace(/(?<![\w/])\/(etc|var|srv)(?=\/)/g, `${root}/$1`);
}

/** What is typed here for a command of the page. */
function here(command: string): string {
  const agent = `${EXEC_START} -c /etc/lumenvox/client_property.conf --watch /var/lumenvox/responses --listen 127.0.0.1:0`;
  const settings = unit.match(/^Environment=.*$/gm)!.map((line) => line.replace('Environment=', ''));
  const replaced = [
    ['systemctl enable --now callseal-agent', `${settings.join(' ')} ${agent} > '${LOG}' 2>&1 &`],
    ['journalctl -u callseal-agent -o cat', `cat '${LOG}'`],
    ['http://127.0.0.1:9465', `http://$(grep -o '127.0.0.1:[0-9]*' '${LOG}' | tail -1)`],
    ['runuser -u lumenvox -- ', ''],
    ['$(npm root -g)/callseal', PROJECT],
    ['npm install callseal', `mkdir -p node_modules && ln -s '${PROJECT}' node_modules/callseal`],
    ['promtool ', `'${PROMTOOL}' `],
    ['scp ', 'cp '],
    ["'root@ivr-7:/var/lumenvox/responses/*.sealed'", '/var/lumenvox/responses/*.sealed'],
    ['root@ivr-7:/', '/'],
    ['root@ivr-7:', `'${root}/root/'`],
    ['postgres://callseal@db.example/jobs', queue],
  ].reduce((text, [documented, real]) => text.replaceAll(documented!, () => real!), command);
  return onThisMachine(replaced).replaceAll(`'${LOG}'`, `'${root}/root/${LOG}'`);
}

function there(output: string): string {
  return output.replaceAll(queue, 'postgres://callseal@db.example/jobs').replaceAll(root, '');
}

/** Runs a step; what is not as the page says, or null. */
async function tried({ command, output, prompt }: ConsoleStep): Promise<string | null> {
  const run = await sessions[prompt]!.run(here(command));
  const difference = differenceOf(output, there(run.output), ids);
  return difference ?? (run.status === 0 ? null : `exit code ${run.status}: ${run.output}`);
}

const has = (program: string): boolean => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
const missing = [...['curl', 'jq'].filter((program) => !has(program)), ...(PROMTOOL === undefined ? ['promtool'] : [])];

/** Why a command is not run, or undefined. */
function excuse(command: string): string | undefined {
  const program = missing.find((name) => new RegExp(`(?:^|[|] )${name} `).test(command));
  return NOT_RUN[command] ?? (program === undefined ? undefined : `not tried: ${program} is not installed`);
}

describe('docs/operations.md', () => {
  it('lists its sections, in their order', () => {
    const headings = [...page.matchAll(/^## (.*)$/gm)].map(([, heading]) => heading);
    const listed = [...page.matchAll(/^\d+\. \[(.*?)\]\(#(.*?)\)/gm)];
    expect(listed.map(([, name]) => name)).toEqual(headings);
    const anchor = (name: string) =>
      name
        .toLowerCase()
        .replaceAll(/[^\w -]/g, '')
        .replaceAll(' ', '-');
    expect(listed.map(([, , link]) => link)).toEqual(headings.map((name) => anchor(name!)));
  });

  it('has its commands where this test sees them', () => {
    const kinds = new Set([...page.matchAll(/^ *```(\w*)$/gm)].map(([, kind]) => kind).filter((kind) => kind !== ''));
    expect([...kinds].sort()).toEqual(['console', 'ini', 'js', 'yaml']);
    const outside = page.replaceAll(/^```\w[\s\S]*?^```$/gm, '');
    expect(outside.match(/^( {4}|\t| *```).*/gm) ?? []).toEqual([]);
    expect(Object.keys(NOT_RUN).filter((command) => !steps.some((step) => step.command === command))).toEqual([]);
  });

  // One step after the other, in two shells: a step that fails makes those after it fail.
  for (const step of steps) {
    const name = `line ${step.line}: ${step.command.split('\n')[0]}`;
    const reason = excuse(step.command);
    if (reason !== undefined) {
      it.skip(`${name} (${reason})`, () => {});
      continue;
    }
    it(name, { timeout: 60_000 }, async () => {
      const deadline = Date.now() + (LOOKS.test(step.command) ? PATIENCE : 0);
      let wrong = await tried(step);
      while (wrong !== null && Date.now() < deadline) {
        await pause(200);
        wrong = await tried(step);
      }
      expect(wrong).toBeNull();
    });
  }
});

const systemd = has('systemd-analyze');

describe.skipIf(!systemd)('what `systemctl edit` is given (skipped without systemd-analyze)', () => {
  const dropIn = /^```ini\n([\s\S]*?)^```$/m.exec(page)![1]!;

  it.each([
    ['is taken by systemd', dropIn, ''],
    ['would be complained of with a mistake in it', `${dropIn}WatchdogSex=1\n`, 'WatchdogSex'],
  ])('%s', (_, text, complaint) => {
    const directory = tempDir();
    const path = join(directory, 'callseal-agent.service');
    const placed = (lines: string) => lines.replace('ExecStart=callseal', `ExecStart=${CALLSEAL}`);
    writeFileSync(path, placed(unit));
    mkdirSync(`${path}.d`);
    writeFileSync(join(`${path}.d`, 'override.conf'), placed(text));
    const { stderr } = spawnSync('systemd-analyze', ['verify', path], { encoding: 'utf8' });
    expect(stderr).toEqual(complaint === '' ? '' : expect.stringContaining(complaint));
  });
});
