/**
 * Sessions shown in documentation, run as they are written: fenced blocks of `console` in which commands begin with a prompt
 * such as `$ `, and what they print follows. A line of `…` stands for any lines.
 */

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { CALLSEAL } from './cli.ts';

export interface ConsoleStep {
  readonly command: string;
  /** `$`, or another that the page uses. */
  readonly prompt: string;
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
  const after = lines.findIndex((line, index) => index > start && line.startsWith(level));
  return consoleSteps(markdown).filter(({ line }) => line > start && (after === -1 || line <= after));
}

/** The steps of all console blocks of a page. */
export function consoleSteps(markdown: string, prompts = '$'): ConsoleStep[] {
  const steps: { command: string; prompt: string; output: string[]; line: number }[] = [];
  let inside = false;
  let continued = false;
  for (const [index, line] of markdown.split('\n').entries()) {
    const begins = prompts.includes(line.charAt(0)) && line.charAt(1) === ' ';
    if (line.startsWith('```')) inside = line === '```console';
    else if (!inside) continue;
    else if (continued) steps.at(-1)!.command += `\n${line}`;
    else if (begins) steps.push({ command: line.slice(2), prompt: line.charAt(0), output: [], line: index + 1 });
    else steps.at(-1)!.output.push(line);
    continued = inside && line.endsWith('\\') && (continued || begins);
  }
  return steps.map(({ output, ...step }) => ({ ...step, output: output.join('\n') }));
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

  /** Ends it, and what runs in its background. */
  end(): void {
    try {
      process.kill(-this.#shell.pid!, 'SIGKILL');
    } catch {
      // It has ended.
    }
  }
}

/** Any lines, or none. */
const ELISION = '…';

/** What differs from run to run: ids, times, versions of what is about; and in the same place in every run. */
const VARIABLE: readonly [pattern: RegExp, stands: string][] = [
  [/\b[0-9a-f]{8}…/g, '([0-9a-f]{8})…'],
  [/\b[0-9a-f]{40,64}\b/g, '([0-9a-f]{40,64})'],
  [/^[0-9a-f]{8}(?=: )/g, '[0-9a-f]{8}'],
  [/\b[0-9a-f]{32}\b/g, '([0-9a-f]{32})'],
  [/\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g, '[0-9a-f-]{36}'],
  [/\b\d{4}-\d\d-\d\dT[\d:.]+Z/g, '\\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z'],
  [/\b\d{4}-\d\d-\d\d(?: \d\d:\d\d:\d\d UTC)?/g, '\\d{4}-\\d\\d-\\d\\d(?: \\d\\d:\\d\\d:\\d\\d UTC)?'],
  [/\S+@\S+ {2}/g, '\\S+@\\S+  '],
  [/ …$/g, ' .*'],
];

/**
 * Compares what is documented with what was printed. Ids and times may differ; each id of the document is given the one
 * that stands in its place.
 *
 * @returns null when they agree; else the first line that differs
 */
export function differenceOf(documented: string, printed: string, ids: Map<string, string>): string | null {
  const [expected, found] = [documented.split('\n'), printed.split('\n')];
  let left = false;
  while (expected.length > 0 || (found.length > 0 && !left)) {
    const line = expected.shift();
    if (line === ELISION) {
      left = true;
      continue;
    }
    const pattern = line === undefined ? undefined : patternOf(line);
    if (left) while (found.length > 0 && !pattern?.test(found[0]!)) found.shift();
    left = false;
    const real = found.shift();
    const match = pattern?.exec(real ?? '');
    if (line === undefined || real === undefined || match === null) {
      return `"${line ?? 'nothing'}" against "${real ?? 'nothing'}"`;
    }
    const shown = [...line.matchAll(/\b[0-9a-f]{8}(?=…)|\b[0-9a-f]{32}\b|\b[0-9a-f]{40,64}\b/g)].map(([id]) => id);
    for (const [place, id] of shown.entries()) ids.set(id, match![place + 1]!);
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
