/**
 * Pages of documentation as the tests see them: fenced blocks by kind. A block that cannot be run says why on the line before
 * it, where readers of the page do not see it: `<!-- not run: changes the system -->`.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ConsoleStep, consoleSteps } from './console-session.ts';
import { PROJECT } from './native-build.ts';

export interface DocBlock {
  /** What stands behind the fence, such as `console`. */
  readonly kind: string;
  readonly text: string;
  /** Of its fence, from 1. */
  readonly line: number;
  /** Why it is not run; null when it is. */
  readonly excuse: string | null;
}

/** All pages: those of the root, and of docs/. */
export const PAGES: readonly string[] = [
  ...['README.md', 'SECURITY.md', 'CONTRIBUTING.md'],
  ...readdirSync(join(PROJECT, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
  'examples/README.md',
];

export function readPage(page: string): string {
  return readFileSync(join(PROJECT, page), 'utf8');
}

export function blocksOf(markdown: string): DocBlock[] {
  const pattern = /(?:^<!-- not run: (.*) -->\n\n?)?^```(\w*)\n([\s\S]*?)^```$/gm;
  return [...markdown.matchAll(pattern)].map(({ 0: all, 1: excuse, 2: kind, 3: text, index }) => ({
    kind: kind!,
    text: text!,
    line: markdown.slice(0, index + all.indexOf('```')).split('\n').length,
    excuse: excuse ?? null,
  }));
}

/** A file that a page shows: its first line is a comment with its name. */
export interface DocFile {
  readonly name: string;
  readonly text: string;
}

export function fileOf({ text }: DocBlock): DocFile | null {
  const [, name, content] = /^(?:#|\/\/) (\S+\.\w+)\n([\s\S]*)$/.exec(text) ?? [];
  return name === undefined ? null : { name, text: content! };
}

/** One command, what it prints when the page says so, and its place in the page. */
export interface DocStep extends Omit<ConsoleStep, 'output'> {
  readonly output: string | null;
  readonly excuse: string | null;
  /** The heading that it is below. */
  readonly section: string;
}

/** The commands of a block: of `console` with their output, of `sh` one a line (`\` at its end goes on) without. */
export function stepsOf(block: DocBlock, page: string): DocStep[] {
  const before = page.split('\n').slice(0, block.line);
  const section = before.findLast((line) => /^##+ /.test(line)) ?? '';
  const markdown = `\`\`\`console\n${block.kind === 'sh' ? prompted(block.text) : block.text}\`\`\``;
  return consoleSteps(markdown, '$#').map((step) => ({
    ...step,
    line: block.line + step.line - 1,
    output: block.kind === 'sh' ? null : step.output,
    excuse: block.excuse,
    section,
  }));
}

function prompted(script: string): string {
  let continued = false;
  const lines = script.split('\n').map((line) => {
    const begins = !continued && line !== '' && !line.startsWith('#');
    continued = line.endsWith('\\');
    return begins ? `$ ${line}` : line;
  });
  return lines.filter((line) => !line.startsWith('#')).join('\n');
}
