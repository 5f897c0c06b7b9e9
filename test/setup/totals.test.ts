import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { copyProject, runScript } from './project-copy.ts';

let root: string;

beforeEach(() => {
  root = copyProject(['package.json', 'vitest.config.ts', 'scripts/test.mjs', 'scripts/check.mjs']);
  mkdirSync(join(root, 'test'));
});

afterEach(() => rmSync(root, { recursive: true }));

function suite(name: string, body: string): void {
  writeFileSync(join(root, `test/${name}.test.ts`), `import { expect, it } from 'vitest';\n${body}\n`);
}

/** Of tests alone: what is named leaves out the checks, with which `test/totals.test.ts` deals. */
async function totals(args: string[] = ['test/']) {
  const { status, lines } = await runScript(root, 'scripts/test.mjs', args);
  return { status, last: lines.at(-1), lines };
}

const PASSING = "it('adds', () => expect(1 + 1).toBe(2));";

describe('scripts/test.mjs', () => {
  it('ends with the totals of a good run', async () => {
    suite('one', PASSING);
    expect(await totals()).toMatchObject({ status: 0, last: '1 passed, 0 failed' });
  });

  it('lists skipped tests by their names, which say what they miss', async () => {
    suite('one', `${PASSING}\nit.skip('opens a token (missed without SoftHSM)', () => {});\nit.todo('later');`);
    const { status, last, lines } = await totals();
    expect({ status, last }).toEqual({ status: 0, last: '1 passed, 0 failed, 2 skipped' });
    expect(lines).toContain('skipped: opens a token (missed without SoftHSM)');
    expect(lines).toContain('skipped: later');
  });

  it('counts a failed test', async () => {
    suite('one', `${PASSING}\nit('fails', () => expect(1).toBe(2));`);
    expect(await totals()).toMatchObject({ status: 1, last: '1 passed, 1 failed' });
  });

  it('counts a file that cannot be loaded', async () => {
    suite('one', PASSING);
    suite('two', "throw new Error('not today');");
    const { status, last, lines } = await totals();
    expect({ status, last }).toEqual({ status: 1, last: '1 passed, 1 failed' });
    expect(lines.at(-2)).toMatch(/^failed: .*two\.test\.ts: not today/);
  });

  it('counts an error outside any test', async () => {
    suite(
      'one',
      `${PASSING}\nsetTimeout(() => { throw new Error('late'); }, 0);\nit('waits', () => new Promise((done) => setTimeout(done, 50)));`,
    );
    expect(await totals()).toMatchObject({ status: 1, last: '2 passed, 1 failed' });
  });

  it('counts a crash of the process that runs a test', async () => {
    suite('one', "it('dies', () => { process.kill(process.pid, 'SIGKILL'); });");
    const { status, last } = await totals();
    expect(status).toBe(1);
    expect(last).toMatch(/^0 passed, [1-9]\d* failed/);
  });

  it('does not call a run without any test a success', async () => {
    const { status, last, lines } = await totals();
    expect({ status, last }).toEqual({ status: 1, last: '0 passed, 1 failed' });
    expect(lines.at(-2)).toBe('failed: no test ran');
  });

  it('hands its arguments to vitest', async () => {
    suite('one', PASSING);
    suite('two', "it('fails', () => expect(1).toBe(2));");
    expect(await totals(['test/one.test.ts'])).toMatchObject({ status: 0, last: '1 passed, 0 failed' });
  });
});
