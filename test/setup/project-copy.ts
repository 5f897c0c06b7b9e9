import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, realpathSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const REPOSITORY = join(import.meta.dirname, '../..');

/**
 * Copies parts of this project, set up as it is, to a new temporary directory, so that a test can run and break the
 * set-up without touching what other tests use. Dependencies are linked: they are large, and no test changes them.
 */
export function copyProject(parts: string[]): string {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'callseal-test-')));
  for (const part of parts) {
    if (!existsSync(join(REPOSITORY, part))) continue;
    mkdirSync(dirname(join(root, part)), { recursive: true });
    cpSync(join(REPOSITORY, part), join(root, part), { recursive: true });
  }
  symlinkSync(join(REPOSITORY, 'node_modules'), join(root, 'node_modules'));
  return root;
}

/** How a script ended: its exit code, and its lines on standard output and standard error, in one. */
export interface ScriptOutcome {
  status: number | null;
  lines: string[];
}

/** Runs a script of the copied project, away from the environment of the vitest that runs this test. */
export function runScript(root: string, script: string, args: string[] = []): Promise<ScriptOutcome> {
  const foreign = Object.keys(process.env).filter((name) => /^(VITEST|NODE_ENV|TEST|DEV|PROD|MODE|SSR)/.test(name));
  const env = { ...process.env, ...Object.fromEntries(foreign.map((name) => [name, undefined])), NO_COLOR: '1' };
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [join(root, script), ...args], { cwd: tmpdir(), env });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
      });
    }
    child.on('error', reject);
    child.on('close', (status) => resolve({ status, lines: output.trimEnd().split('\n') }));
  });
}
