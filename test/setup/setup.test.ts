import { appendFileSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { copyProject, runScript } from './project-copy.ts';

const PARTS = [
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'tsconfig.build.json',
  'CMakeLists.txt',
  'cmake',
  'lib',
  'desk',
  'native',
  'scripts',
  'dist',
  'build/Release/callseal.node',
  'build/Testing/callseal_testing.node',
  '.fips',
  '.cache/setup',
];

const IN_PLACE = 'set-up: everything for build is in place';

let root: string;

beforeAll(async () => {
  root = copyProject(PARTS);
  // Everything is there after `npm test`; run by hand with sources changed since, this catches up first.
  const { status, lines } = await runScript(root, 'scripts/setup.mjs', ['build']);
  expect(lines.join('\n')).toMatch(/^set-up: /);
  expect(status).toBe(0);
}, 600_000);

afterAll(() => rmSync(root, { recursive: true }));

const setUp = () => runScript(root, 'scripts/setup.mjs', ['build']);

/** The names of the steps that were run, without their times. */
const stepsOf = (lines: string[]) => lines.flatMap((line) => /^set-up: (.*) … \d+\.\d s$/.exec(line)?.[1] ?? []);

describe('set-up', () => {
  it('does nothing, and says so in one line, when all is there', async () => {
    const times = () => readdirSync(join(root, 'dist')).map((file) => statSync(join(root, 'dist', file)).mtimeMs);
    const before = times();
    expect(await setUp()).toEqual({ status: 0, lines: [IN_PLACE] });
    expect(times()).toEqual(before);
  });

  it('makes again only what is missing', async () => {
    const output = join(root, 'dist/errors.js');
    const bytes = readFileSync(output);
    rmSync(output);
    expect(stepsOf((await setUp()).lines)).toEqual(['TypeScript build']);
    expect(readFileSync(output).equals(bytes)).toBe(true);
  });

  it('makes again what is made from a changed source, once', async () => {
    appendFileSync(join(root, 'lib/errors.ts'), '\nexport const added = 1;\n');
    expect(stepsOf((await setUp()).lines)).toEqual(['TypeScript build']);
    expect(readFileSync(join(root, 'dist/errors.js'), 'utf8')).toContain('added = 1');
    expect((await setUp()).lines).toEqual([IN_PLACE]);
  });

  it('shows what a failed step printed, and tries it again the next time', async () => {
    const source = join(root, 'lib/errors.ts');
    const right = readFileSync(source, 'utf8');
    appendFileSync(source, '\nexport const wrong: number = "text";\n');
    for (const _attempt of [1, 2]) {
      const { status, lines } = await setUp();
      expect(status).toBe(1);
      expect(lines).toContain('set-up: TypeScript build … failed');
      expect(lines.join('\n')).toMatch(
        /ended with \d+ \(\.cache\/setup\/typescript\.log\):\n[\s\S]*errors\.ts.*TS2322/,
      );
    }
    rmSync(source);
    appendFileSync(source, right);
    expect((await setUp()).status).toBe(0);
  });

  it('does everything once when two run at the same time', async () => {
    rmSync(join(root, 'dist/errors.js'));
    const outcomes = await Promise.all([setUp(), setUp()]);
    expect(outcomes.map((outcome) => outcome.status)).toEqual([0, 0]);
    expect(outcomes.flatMap((outcome) => stepsOf(outcome.lines))).toEqual(['TypeScript build']);
    expect(outcomes.map((outcome) => outcome.lines.at(-1))).toContain(IN_PLACE);
  });

  it('refuses an unknown target and says which there are', async () => {
    const { status, lines } = await runScript(root, 'scripts/setup.mjs', ['everything']);
    expect(status).toBe(1);
    expect(lines).toEqual(['set-up: usage: node scripts/setup.mjs [build|demo|test|coverage]']);
  });
});
