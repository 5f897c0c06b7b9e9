/** Which calls of a command are made to fail, and what must hold after each. */

import { cpSync, existsSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';

import type { CommandCase } from './command-cases.ts';
import { commandLine, environmentOf, listingOf, problemsIn, type Template } from './command-folder.ts';
import { FaultHost, type Hosted } from './fault-host.ts';
import type { Fault, Launched } from './fault-launcher.ts';
import { tempDir } from './temp.ts';

/** How each kind of call fails. Others fail with EIO. */
const WAYS: Record<string, readonly Pick<Fault, 'how' | 'sticky'>[]> = {
  open: [{ how: 'EIO' }, { how: 'EMFILE' }, { how: 'EINTR' }],
  read: [{ how: 'EIO' }, { how: 'EINTR' }, { how: 'short' }],
  write: [{ how: 'EIO' }, { how: 'ENOSPC', sticky: true }, { how: 'EINTR' }, { how: 'short' }],
  fsync: [{ how: 'EIO' }, { how: 'ENOSPC' }],
  truncate: [{ how: 'EIO' }, { how: 'EINTR' }],
  fallocate: [{ how: 'ENOSPC' }, { how: 'EINTR' }, { how: 'EOPNOTSUPP' }],
  link: [{ how: 'EIO' }, { how: 'ENOSPC' }],
  rename: [{ how: 'EIO' }, { how: 'ENOSPC' }, { how: 'EINVAL' }],
};

/** Every call of each kind, in every way. `calls` are those of a run in which nothing fails. */
export function faultsFor(calls: Launched['calls']): Fault[] {
  return [...calls].flatMap(([call, count]) =>
    (WAYS[call] ?? [{ how: 'EIO' as const }]).flatMap((way) =>
      Array.from({ length: count }, (_, index): Fault => ({ call, nth: index + 1, ...way })),
    ),
  );
}

export interface FaultOutcome {
  status: number | null;
  stderr: string;
  /** What failed: `call path`. */
  failed: string[];
  /** The outputs that were there after it. */
  made: string[];
  /** What does not hold; nothing, if all is well. */
  problems: string[];
}

export class FaultRuns {
  readonly #template: Template;
  readonly #dir = tempDir();
  readonly #host = new FaultHost();
  #runs = 0;

  constructor(template: Template) {
    this.#template = template;
  }

  /** The calls of a run in which nothing fails. */
  async count(each: CommandCase): Promise<Launched['calls']> {
    const root = this.#fresh();
    const before = listingOf(root);
    const { status, stderr, calls } = await this.#launch(root, each);
    const problems = await problemsIn(root, before, each);
    if (status !== (each.ends ?? 0) || problems.length > 0)
      throw new Error(`${status}: ${stderr}${problems.join('; ')}`);
    rmSync(root, { recursive: true });
    return calls;
  }

  async withFault(each: CommandCase, fault: Fault): Promise<FaultOutcome> {
    const root = this.#fresh();
    const before = listingOf(root);
    const { status, stdout, stderr, failed, open } = await this.#launch(root, each, fault);
    const problems = await problemsIn(root, before, each);
    // A close that was made to fail did not happen; SQLite closes its files when statements are collected.
    const lasting =
      fault.call === 'close' ? [] : open.filter((path) => each.loose?.test(relative(root, path)) !== true);
    problems.push(...lasting.map((path) => `${path} stays open`));
    const outputs = Object.keys(each.outputs ?? {});
    const isThere = (name: string): boolean => existsSync(join(root, name));
    const made = outputs.filter(isThere);
    if (status === (each.ends ?? 0)) {
      for (const name of outputs) if (!isThere(name)) problems.push(`it ended well, without ${name}`);
    } else {
      problems.push(...problemsOfMessage(status, `${stderr}${stdout}`, fault));
      const again = await this.#launch(root, each);
      const exists = again.status === 13 && outputs.some((name) => before.has(name) === false && isThere(name));
      if (again.status !== (each.ends ?? 0) && !exists)
        problems.push(`the next run ends with ${again.status}: ${again.stderr}`);
      problems.push(...(await problemsIn(root, before, each)).map((text) => `after the next run: ${text}`));
    }
    rmSync(root, { recursive: true });
    return {
      status,
      stderr,
      failed,
      made,
      problems: problems.filter((problem) => !isToldToRemove(problem, stderr, fault)),
    };
  }

  #fresh(): string {
    this.#runs += 1;
    const root = join(this.#dir, String(this.#runs), 'root');
    cpSync(this.#template.root, root, { recursive: true, preserveTimestamps: true });
    return root;
  }

  #launch(root: string, each: CommandCase, fault?: Fault): Promise<Hosted> {
    const input = each.input === undefined ? undefined : join(root, each.input);
    return this.#host.run({
      root,
      args: commandLine(each, this.#template.words),
      env: environmentOf(root),
      input,
      fault,
    });
  }
}

/** A file whose own removal failed stays: the operator is told its name. */
function isToldToRemove(problem: string, stderr: string, { call }: Fault): boolean {
  const [, name] = /(\S+) was left behind$/.exec(problem) ?? [];
  const told = [`cannot remove ./${name}`, `cannot remove ${name}`];
  return call === 'unlink' && name !== undefined && told.some((words) => stderr.includes(words));
}

/** SQLite names no errno. */
const SQLITE_SAYS = /the disk failed to read|there is no space for|may not be written|cannot be opened/;

/** An error says of which command it is, and what the system said. */
function problemsOfMessage(status: number | null, said: string, fault: Fault): string[] {
  const problems: string[] = [];
  if (status === null || status === 1 || status >= 124) problems.push(`ended with ${status}`);
  if (!/^callseal: [a-z -]+: \S/m.test(said) && !said.includes('"error"')) problems.push('said nothing');
  if (/unexpected failure|undefined|\[object|^ +at /m.test(said))
    problems.push('said what only programmers understand');
  // Where `mkdir` with its parents fails, Node tells what its look at the directory that is not there said.
  const ofMkdir = fault.call === 'mkdir' && said.includes('ENOENT');
  const told = said.includes(fault.how) || SQLITE_SAYS.test(said) || ofMkdir;
  if (fault.how !== 'short' && !told) problems.push(`does not say ${fault.how}`);
  return problems;
}
