/** The manual page: whole, and such as man, groff and mandoc read without a word. */

import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { buildProgram, EVERY_COMMAND } from '../lib/cli/commands.ts';
import { describeProgram, everyCommand } from '../lib/cli/definition.ts';
import { ENVIRONMENT, environmentAsMarkdown } from '../lib/cli/environment.ts';
import { EXIT_CODES } from '../lib/cli/exit-codes.ts';
import { manualPage } from '../lib/cli/manual/manual.ts';
import { escaped } from '../lib/cli/manual/roff.ts';
import { version } from '../lib/version.ts';
import { tempDir } from './helpers/temp.ts';

const ROOT = join(import.meta.dirname, '..');
const PAGE = join(ROOT, 'dist/man/callseal.1');

/** Bold and underlined letters are printed twice, with a backspace between. */
const OVERSTRUCK = new RegExp(`.${String.fromCharCode(8)}`, 'g');

/** As a reader sees it, on lines that nothing is broken over. */
let text = '';

beforeAll(() => {
  const env = { ...process.env, MANWIDTH: '1000', MANPAGER: 'cat', LC_ALL: 'C.UTF-8' };
  text = execFileSync('mandoc', ['-T', 'utf8', '-O', 'width=1000', PAGE], { env, encoding: 'utf8' })
    .replaceAll(OVERSTRUCK, '')
    .replaceAll(/[ \n]+/g, ' ');
});

const seen = (words: string): string => words.replaceAll(/\s+/g, ' ').trim();

describe('callseal(1)', () => {
  it('is what the package was built with', async () => {
    expect(readFileSync(PAGE, 'utf8')).toBe(await manualPage(version()));
  });

  it('is put by npm where man looks', () => {
    const { bin, man } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    const [dir, prefix] = [tempDir(), tempDir()];
    for (const path of [bin.callseal, man[0]]) cpSync(join(ROOT, path), join(dir, 'package', path));
    writeFileSync(join(dir, 'package/package.json'), JSON.stringify({ name: 'callseal', version: '0.0.0', bin, man }));
    execFileSync('tar', ['czf', 'callseal.tgz', 'package'], { cwd: dir });
    const options = ['--global', '--prefix', prefix, '--offline', '--no-audit', '--loglevel=error'];
    execFileSync('npm', ['install', ...options, join(dir, 'callseal.tgz')], { stdio: ['ignore', 'ignore', 'pipe'] });
    expect(readFileSync(join(prefix, 'share/man/man1/callseal.1'), 'utf8')).toBe(readFileSync(PAGE, 'utf8'));
  });

  it.each([
    ['mandoc', ['-T', 'lint', '-W', 'style']],
    ['groff', ['-ww', '-man', '-Tutf8', '-z']],
  ])('gives %s nothing to complain of', (program, args) => {
    const { status, stdout, stderr } = spawnSync(program, [...args, PAGE], { encoding: 'utf8' });
    expect([status, stdout, stderr]).toEqual([0, '', '']);
  });

  it('has every command with its options, arguments and text', async () => {
    for (const command of everyCommand(describeProgram(await buildProgram(EVERY_COMMAND)))) {
      expect(text).toContain(seen(`callseal ${command.path.join(' ')}`));
      for (const { names, value, description } of command.options) {
        const takes = value === null ? '' : ` <${value.name}`;
        expect(text).toContain(seen(`${names.join(', ')}${takes}`));
        expect(text).toContain(seen(description));
      }
      for (const { term, description } of command.arguments) expect(text).toContain(seen(`${term} ${description}`));
      expect(text).toContain(seen(command.text));
    }
  });

  it('has every exit code and variable', () => {
    for (const { code, meaning, errors } of EXIT_CODES) {
      expect(text).toContain(seen(`${code} ${meaning}${errors.length === 0 ? '' : `: ${errors.join(', ')}`}`));
    }
    for (const { names, effect } of ENVIRONMENT) expect(text).toContain(seen(`${names.join(', ')} ${effect}`));
  });

  it('takes nothing of the text for an instruction', () => {
    expect(escaped(".SH\n'br \\fB a-b ~ “ü”")).toBe('\\&.SH\n\\(aqbr \\efB a\\-b \\(ti \\[u201C]\\[u00FC]\\[u201D]');
  });
});

describe('docs/cli.md', () => {
  it('has the table of variables', () => {
    expect(readFileSync(join(ROOT, 'docs/cli.md'), 'utf8')).toContain(environmentAsMarkdown());
  });
});
