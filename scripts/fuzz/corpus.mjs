/** What a fuzzer has learnt, in as few and as small files as say it, beside the seeds that people have made. */

import { copyFileSync, cpSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { made, run } from './run.mjs';

/** Bytes of a kept corpus beside its seeds: it is part of the repository, and read by every test run. */
const MOST_BYTES = 40_000;
/** libFuzzer names files after their SHA-1. */
const LEARNT = /^[0-9a-f]{40}$/;

/**
 * Seeds stay, whatever they cover. Of the rest, kept and working, libFuzzer chooses what covers more, smallest first, as
 * far as there is room.
 */
export async function minimise({ program, environment, kept, working }) {
  const merged = `${working}.merged`;
  rmSync(merged, { recursive: true, force: true });
  made(merged);
  const seeds = readdirSync(kept).filter((name) => !LEARNT.test(name));
  for (const name of seeds) cpSync(join(kept, name), join(merged, name));
  const { status, output } = await run(program, ['-merge=1', merged, kept, working], { env: environment });
  if (status !== 0) throw new Error(`merging ${kept} ended with ${status}\n${output.slice(-4000)}`);

  for (const name of readdirSync(kept)) if (LEARNT.test(name)) rmSync(join(kept, name));
  const learnt = readdirSync(merged)
    .filter((name) => LEARNT.test(name))
    .map((name) => ({ name, size: statSync(join(merged, name)).size }))
    .sort((a, b) => a.size - b.size || a.name.localeCompare(b.name));
  let room = MOST_BYTES;
  for (const { name, size } of learnt) {
    room -= size;
    if (room < 0) break;
    copyFileSync(join(merged, name), join(kept, name));
  }
  rmSync(merged, { recursive: true });
}
