/**
 * Sessions shown in documentation, run as they are written: fenced blocks of `console` in which commands begin with `$ `, and
 * what they print follows.
 */

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { CALLSEAL } from './cli.ts';

export interface ConsoleStep {
  readonly command: string;
  /** What it prints, on either stream. */
  readonly output: string;
  /** In the file, from 1. */
  readonly line: number;
}

/** The steps of all console blocks below a heading, up to the next one of the same level. */
export function stepsBelow(markdown: string, heading: string): ConsoleStep[] {
  const lines = markdown.split('\n');
  const start = lines.indexOf(heading);
  if (start === -1) throw new Error(`there is no heading "${heading}"`);
  const level = /^#+ /.exec(heading)![0];
  const steps: { command: string; output: string[]; line: number }[] = [];
  let inside = false;
  let continued = false;
  for (let index = start + 1; index < lines.length && !(lines[index]!.startsWith(level) && !inside); index += 1) {
    const line = lines[index]!;
    if (line.startsWith('```')) inside = line === '```console';
    else if (!inside) continue;
    else if (continued) steps.at(-1)!.command += `\n${line}`;
    else if (line.startsWith('$ ')) steps.push({ command: line.slice(2), output: [], line: index + 1 });
    else steps.at(-1)!.output.push(line);
    continued = inside && line.endsWith('\\') && (continued || line.startsWith('$ '));
  }
  return steps.map(({ command, output, line }) => ({ command, output: output.join('\n'), line }));
}

/** One bash, in which `callseal` is the real one. */
export class ConsoleSession {
  readonly #shell: ChildProcessWithoutNullStreams;
  #seen = '';

  constructor(cwd: string, env: NodeJS.ProcessEnv) {
    this.#shell = spawn('bash', [], { cwd, env: { ...process.env, ...env }, detached: true });
    this.#shell.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.#seen += text;
    });
    this.#shell.stdin.write(`exec 2>&1\ncallseal() { '${process.execPath}' '${CALLSEAL}' "$@"; }\n`);
  }

  /** Runs one command to its end. */
  async run(command: string): Promise<{ output: string; status: number }> {
    const end = /<end of step: (\d+)>\n$/;
    this.#seen = '';
    this.#shell.stdin.write(`{ ${command}\n} < /dev/null; printf '<end of step: %d>\\n' $?\n`);
    while (!end.test(this.#seen)) {
      if (this.#shell.exitCode !== null) throw new Error(`the shell ended: ${this.#seen}`);
      await new Promise((resolve) => this.#shell.stdout.once('data', resolve));
    }
    const status = Number(end.exec(this.#seen)![1]);
    return { output: this.#seen.replace(end, '').replace(/\n$/, ''), status };
  }

  end(): void {
    this.#shell.stdin.end();
  }
}

/** What differs from run to run: ids, times, versions of what is about; and in the same place in every run. */
const VARIABLE: readonly [pattern: RegExp, stands: string][] = [
  [/\b[0-9a-f]{8}…/g, '([0-9a-f]{8})…'],
  [/\b[0-9a-f]{40,64}\b/g, '([0-9a-f]{40,64})'],
  [/\b[0-9a-f]{32}\b/g, '([0-9a-f]{32})'],
  [/\b\d{4}-\d\d-\d\d(?: \d\d:\d\d:\d\d UTC)?/g, '\\d{4}-\\d\\d-\\d\\d(?: \\d\\d:\\d\\d:\\d\\d UTC)?'],
  [/\S+@\S+ {2}/g, '\\S+@\\S+  '],
];

/**
 * Compares what is documented with what was printed. Ids and times may differ; each id of the document is given the one
 * that stands in its place.
 *
 * @returns null when they agree; else the first line that differs
 */
export function differenceOf(documented: string, printed: string, ids: Map<string, string>): string | null {
  const [expected, found] = [documented.split('\n'), printed.split('\n')];
  for (let index = 0; index < Math.max(expected.length, found.length); index += 1) {
    const [line, real] = [expected[index], found[index]];
    if (line === undefined || real === undefined) return `"${line ?? 'nothing'}" against "${real ?? 'nothing'}"`;
    const shown = [...line.matchAll(/\b[0-9a-f]{8}(?=…)|\b[0-9a-f]{32}\b|\b[0-9a-f]{40,64}\b/g)].map(([id]) => id);
    const match = patternOf(line).exec(real);
    if (match === null) return `"${line}" against "${real}"`;
    for (const [place, id] of shown.entries()) ids.set(id, match[place + 1]!);
  }
  return null;
}

function patternOf(line: string): RegExp {
  const pieces: string[] = [];
  let rest = line;
  while (rest !== '') {
    const next = VARIABLE.map(([pattern, stands]) => ({ at: rest.search(pattern), pattern, stands }))
      .filter(({ at }) => at >= 0)
      .sort((a, b) => a.at - b.at)[0];
    if (next === undefined) break;
    pieces.push(escaped(rest.slice(0, next.at)), next.stands);
    rest = rest.slice(next.at).replace(new RegExp(`^(?:${next.pattern.source})`), '');
  }
  return new RegExp(`^${pieces.join('')}${escaped(rest)}$`);
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}
