/**
 * Every page of the documentation, run as it stands: each command of a page in order, in a folder of the page's own that stands
 * for the root of its machine, with what the page shows of its output. What cannot run here says why, and is skipped by
 * that name. docs/operations.md and docs/keys.md need machines, servers and tokens around them: they have tests of their own.
 */

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CALLSEAL } from './helpers/cli.ts';
import { ConsoleSession, differenceOf } from './helpers/console-session.ts';
import { blocksOf, type DocStep, fileOf, PAGES, readPage, stepsOf } from './helpers/doc-pages.ts';
import { PROJECT } from './helpers/native-build.ts';
import { startPostgres } from './helpers/postgres.ts';
import { tempDir } from './helpers/temp.ts';

/** Pages that other tests type; here they are only read. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  'docs/operations.md': 'operations-walkthrough',
  'docs/keys.md': 'keys-walkthrough',
};

/** Kinds of blocks with commands, those of code (`docs-examples.test.ts`), and those that are neither. */
const COMMANDS = ['console', 'sh'];
const OTHERS = ['js', 'ts', 'ini', 'yaml', 'json', 'text', 'mermaid', 'markdown'];

/** Programs that pages use and that may not be there: what needs one is skipped by that name. */
const GUESTS = ['gpg', 'age', 'age-keygen', 'jq', 'sqlite3', 'psql', 'curl'];

const has = (program: string): boolean => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
const missing = GUESTS.filter((program) => !has(program));

/** A program that a step needs and that is not there. */
function missed({ command }: DocStep): string | undefined {
  return missing.find((name) => new RegExp(`(?:^|[|&(;] ?)${name} `, 'm').test(command));
}

/** Why a step is not run: what the page says, or a program that it needs, or that a step before it in its section needs. */
function excuseOf(step: DocStep, steps: readonly DocStep[]): string | null {
  const before = steps.filter(({ line, section }) => section === step.section && line <= step.line);
  const program = before.map(missed).find((name) => name !== undefined);
  return step.excuse ?? (program === undefined ? null : `${program} is not installed`);
}

/** What a person types when Callseal asks for the passphrase of a key. */
const TYPED = `callseal() {
  case " $* " in *" --no-passphrase "* | *-passphrase-*) ;; *" -k "* | *" keygen "*) set -- "$@" --passphrase-file "$HOME/.typed" ;; esac
  '${process.execPath}' '${CALLSEAL}' "$@"
}`;

describe.each(PAGES)('%s', (page) => {
  const markdown = readPage(page);
  const blocks = blocksOf(markdown);
  const elsewhere = ELSEWHERE[page];
  const steps = elsewhere
    ? []
    : blocks.filter(({ kind }) => COMMANDS.includes(kind)).flatMap((block) => stepsOf(block, markdown));
  const database = /postgres:\/\/[^\s'"`]*/.exec(steps.map(({ command }) => command).join('\n'))?.[0];
  const ids = new Map<string, string>();
  let session: ConsoleSession;
  let root: string;
  let url: string | undefined;

  beforeAll(async () => {
    if (steps.every((step) => excuseOf(step, steps) !== null)) return;
    root = realpathSync(tempDir());
    const home = join(root, 'home/mary');
    for (const directory of ['home/mary', 'etc/lumenvox', 'etc/callseal', 'var/lumenvox/responses', 'srv']) {
      mkdirSync(join(root, directory), { recursive: true });
    }
    writeFileSync(join(home, '.typed'), 'correct horse battery staple\n');
    if (database !== undefined) {
      const server = await startPostgres();
      url = server.url(await server.createDatabase());
    }
    for (const { name, text } of blocks.map(fileOf).filter((file) => file !== null)) {
      const path = name.startsWith('/') ? join(root, name) : join(home, name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, here(text));
    }
    session = new ConsoleSession(home, { HOME: home, GNUPGHOME: join(home, '.gnupg') });
    await session.run(TYPED);
  });

  afterAll(async () => {
    // gpg leaves an agent behind.
    if (session !== undefined && has('gpgconf')) await session.run('gpgconf --kill all');
    session?.end();
  });

  /** With the places of the page on this machine. */
  function here(text: string): string {
    const placed = text.replace(/(?<![\w/])\/(etc|var|srv)(?=\/)/g, `${root}/$1`);
    const linked = placed.replaceAll(
      'npm install callseal',
      `mkdir -p node_modules && ln -s '${PROJECT}' node_modules/callseal`,
    );
    return database === undefined ? linked : linked.replaceAll(database, url!);
  }

  function there(output: string): string {
    return (url === undefined ? output : output.replaceAll(url, database!)).replaceAll(root, '');
  }

  it('has its commands where this test sees them', () => {
    const kinds = new Set(blocks.map(({ kind }) => kind));
    expect([...kinds].filter((kind) => !COMMANDS.includes(kind) && !OTHERS.includes(kind))).toEqual([]);
    const outside = markdown.replaceAll(/^```\w*\n[\s\S]*?^```$/gm, '');
    expect(
      outside.match(/^(?: {4}|\t)(?:callseal|npm|npx|node|openssl|apt|sudo|createdb|createuser|psql) .*$/gm),
    ).toBeNull();
    expect(outside.match(/^ *```/gm)).toBeNull();
  });

  if (elsewhere !== undefined) {
    it('is run by its own test', () => {
      expect(readFileSync(join(PROJECT, `test/${elsewhere}.test.ts`), 'utf8')).toContain(page);
    });
  }

  it('leads to what is there', () => {
    for (const [, target, anchor] of markdown.matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]*))?\)/g)) {
      const file = target === '' ? page : join(dirname(page), target!);
      const isPage = file.endsWith('.md');
      expect(existsSync(join(PROJECT, file)), file).toBe(true);
      if (isPage && anchor !== undefined) expect(anchorsOf(readPage(file)), `${file}#${anchor}`).toContain(anchor);
    }
  });

  // One step after the other, in one shell: a step that fails makes those after it fail.
  for (const step of steps) {
    const name = `line ${step.line}: ${step.command.split('\n')[0]}`;
    const excuse = excuseOf(step, steps);
    if (excuse !== null) {
      it.skip(`${name} (not run: ${excuse})`, () => {});
      continue;
    }
    it(name, async () => {
      const run = await session.run(here(step.command));
      if (step.output !== null) expect(differenceOf(step.output, there(run.output), ids)).toBeNull();
      expect(run.status, run.output).toBe(0);
    });
  }
});

/** The anchors of a page's headings, as the pages of GitHub and npm make them. */
function anchorsOf(markdown: string): string[] {
  return [...markdown.matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replaceAll(/[^\w -]/g, '')
      .replaceAll(' ', '-'),
  );
}
