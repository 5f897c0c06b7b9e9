/** The commands of `command-cases.ts` on a disk that is really full, or with a limit to the size of files. */

import { cpSync, existsSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { finish, type Run, start } from './cli.ts';
import type { CommandCase } from './command-cases.ts';
import { commandLine, environmentOf, listingOf, problemsIn, type Template } from './command-folder.ts';
import { FaultHost, type Hosted } from './fault-host.ts';
import { smallDisk } from './files.ts';

const DISK_KIBIBYTES = 12 * 1024;
const BALLAST = 'ballast';
/** In words, or by the system's name. */
const SAYS_FULL = /ENOSPC|no space/i;

/** Takes all room of a file system but so many bytes; whole pages. */
function fill(dir: string, room: number): string {
  const { bavail, bsize } = statfsSync(dir);
  const path = join(dir, BALLAST);
  const length = bavail * bsize - room;
  if (length < 0) throw new Error(`the disk has less than ${room} bytes`);
  writeFileSync(path, Buffer.alloc(length, 1));
  return path;
}

export interface FullOutcome extends Omit<Run, 'stdout'> {
  /** What does not hold; nothing, if all is well. */
  problems: string[];
}

/** Each run has a disk of its own: SQLite's files stay open for a while, and so does the room that they take. */
export class FullDisk {
  readonly #template: Template;
  readonly #host = new FaultHost(undefined, []);

  constructor(template: Template) {
    this.#template = template;
  }

  /** Runs a command with so many bytes of room, then again with enough. */
  async run(each: CommandCase, room: number): Promise<FullOutcome> {
    const disk = smallDisk(DISK_KIBIBYTES);
    if (typeof disk === 'string') throw new Error(disk);
    try {
      return await this.#runOn(disk.dir, each, room);
    } finally {
      disk.release(true);
    }
  }

  async #runOn(disk: string, each: CommandCase, room: number): Promise<FullOutcome> {
    const root = join(disk, 'root');
    cpSync(this.#template.root, root, { recursive: true, preserveTimestamps: true });
    const before = listingOf(root);
    const ballast = fill(disk, room);
    const { status, stdout, stderr } = await this.#launch(root, each);
    rmSync(ballast);
    const problems = await problemsAfter(root, before, each, { status, said: `${stderr}${stdout}` }, SAYS_FULL);
    if (status !== (each.ends ?? 0)) {
      const again = await this.#launch(root, each);
      if (again.status !== (each.ends ?? 0)) problems.push(`the next run ends with ${again.status}: ${again.stderr}`);
      problems.push(...(await problemsIn(root, before, each)).map((text) => `after the next run: ${text}`));
    }
    rmSync(root, { recursive: true });
    return { status, stderr, problems };
  }

  #launch(root: string, each: CommandCase): Promise<Hosted> {
    const input = each.input === undefined ? undefined : join(root, each.input);
    return this.#host.run({ root, args: commandLine(each, this.#template.words), env: environmentOf(root), input });
  }
}

/** What does not hold after a command that may have failed for want of room. */
async function problemsAfter(
  root: string,
  before: ReturnType<typeof listingOf>,
  each: CommandCase,
  { status, said }: { status: number | null; said: string },
  says: RegExp,
): Promise<string[]> {
  const problems = await problemsIn(root, before, each);
  if (status === (each.ends ?? 0)) {
    const missing = Object.keys(each.outputs ?? {}).filter((name) => !existsSync(join(root, name)));
    return [...problems, ...missing.map((name) => `it ended well, without ${name}`)];
  }
  if (status === null || status === 1 || status >= 124) problems.push(`ended with ${status}`);
  if (!says.test(said)) problems.push(`does not say ${says}`);
  if (/unexpected failure|undefined|^ +at /m.test(said)) problems.push('said what only programmers understand');
  return problems;
}

/** Runs a command that may write no file longer than so many bytes. */
export async function withFileLimit(
  template: Template,
  root: string,
  each: CommandCase,
  bytes: number,
): Promise<FullOutcome> {
  cpSync(template.root, root, { recursive: true, preserveTimestamps: true });
  const before = listingOf(root);
  const options = { cwd: root, env: environmentOf(root) };
  const child = start(commandLine(each, template.words), { ...options, wrapper: ['prlimit', `--fsize=${bytes}`] });
  child.stdin.end();
  const { status, stderr } = await finish(child);
  const problems = await problemsAfter(root, before, each, { status, said: stderr }, /EFBIG/);
  return { status, stderr, problems };
}
