/** docs/keys.md, "From licence request to a re-encrypted table", run as it stands: what it says is what happens. */

import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConsoleSession, differenceOf, stepsBelow } from './helpers/console-session.ts';
import { startPostgres } from './helpers/postgres.ts';
import { SOFTHSM_MODULE, SoftHsm } from './helpers/softhsm.ts';
import { tempDir } from './helpers/temp.ts';

const DOCUMENT = new URL('../docs/keys.md', import.meta.url);
const markdown = readFileSync(DOCUMENT, 'utf8');
const steps = stepsBelow(markdown, '## From licence request to a re-encrypted table');
const tokenFrom = markdown.split('\n').indexOf('### The installation key in a token') + 1;

/** A `sqlite3` for hosts without the program. */
const SQLITE3 = `#!/usr/bin/env node
import { createRequire } from 'node:module';
const Libsql = createRequire(${JSON.stringify(import.meta.url)})('libsql');
const [, , file, sql] = process.argv;
const database = new Libsql(file);
database.exec(sql);
database.close();
`;

let session: ConsoleSession;
/** What stands in the document, and what it is here. */
let places: [documented: string, real: string][];
const ids = new Map<string, string>();

beforeAll(async () => {
  const server = await startPostgres();
  const database = await server.createDatabase();
  const cwd = realpathSync(tempDir());
  const programs = join(tempDir(), 'bin');
  mkdirSync(programs);
  if (!isOnPath('sqlite3')) {
    writeFileSync(join(programs, 'sqlite3'), SQLITE3);
    writeFileSync(join(programs, 'package.json'), '{"type":"module"}');
    chmodSync(join(programs, 'sqlite3'), 0o755);
  }
  places = [
    ['/usr/lib/softhsm/libsofthsm2.so', SOFTHSM_MODULE ?? 'none'],
    ['/srv/voice', cwd],
    ['postgres://voice@db.example/voice', server.url(database)],
    ['postgres://db.example:5432/voice', `postgres://127.0.0.1:${server.port}/${database}`],
  ];
  const token = SOFTHSM_MODULE === null ? {} : { SOFTHSM2_CONF: new SoftHsm().configuration };
  session = new ConsoleSession(cwd, { ...token, PATH: `${process.env.PATH}:${programs}` });
});

afterAll(() => session.end());

function isOnPath(program: string): boolean {
  try {
    execFileSync('sh', ['-c', `command -v ${program}`]);
    return true;
  } catch {
    return false;
  }
}

/** The command with this run's places and ids; an id may be named by its first eight digits. */
function here(command: string): string {
  const placed = places.reduce((text, [documented, real]) => text.replaceAll(documented, real), command);
  return placed.replace(/\b[0-9a-f]{8}\b/g, (digits) => {
    const found = [...ids].find(([documented]) => documented.startsWith(digits));
    return found === undefined ? digits : found[1].slice(0, 8);
  });
}

function there(output: string): string {
  return [...places].reverse().reduce((text, [documented, real]) => text.replaceAll(real, documented), output);
}

describe('docs/keys.md', () => {
  it('shows every command of the key hierarchy', () => {
    const shown = steps.map(({ command }) => command).join('\n');
    for (const command of [
      ...['request', 'install', 'show', 'export', 'import', 'verify-backup'].map((name) => `installation ${name}`),
      ...['list', 'create', 'rotate', 'disable', 'enable', 'remove'].map((name) => `master ${name}`),
      ...['list', 'rotate', 'remove'].map((name) => `working ${name}`),
      ...['audit list', 'audit verify', 'protect', 'unprotect', 'reencrypt', 'status'],
    ]) {
      expect(shown).toContain(`callseal ${command} `.trimEnd());
    }
  });

  // One step after the other, in one shell: a step that fails makes those after it fail.
  for (const { command, output, line } of steps) {
    const name = `line ${line}: ${command.split('\n')[0]}`;
    if (line > tokenFrom && SOFTHSM_MODULE === null) {
      it.skip(`${name} (not tried: SoftHSM is not installed)`, () => {});
      continue;
    }
    it(name, async () => {
      const run = await session.run(here(command));
      expect(differenceOf(output, there(run.output), ids)).toBeNull();
      expect(run.status).toBe(0);
    });
  }
});
