/** A process is looked at from outside, second by second, and must not grow in the second half of its time. */

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';

import { PROJECT } from './native-build.ts';
import { trendOf } from './trend.ts';

/** Of one moment. */
export interface Sample {
  /** Resident memory in MiB. */
  memory: number;
  descriptors: number;
  threads: number;
}

/** Minutes of each soak: `CALLSEAL_SOAK_MINUTES`, or 5. */
export const SOAK_MINUTES = Number(process.env.CALLSEAL_SOAK_MINUTES ?? 5);

/** What a host does in a day that records as many calls as this a second. */
export const ROUNDS_OF_A_DAY = 24 * 3600;

/** What may be found with 99 % confidence and still be called flat: MiB, descriptors, threads. */
const ALLOWED = { memory: 4, descriptors: 4, threads: 1 };
/** Where chance alone may make more than this of it, nothing has been shown. */
const MOST_NOISE = { memory: 24, descriptors: 60, threads: 2 };

function lookAt(pid: number): Sample {
  const status = readFileSync(`/proc/${pid}/status`, 'latin1');
  return {
    memory: Number(/^VmRSS:\s+(\d+) kB/m.exec(status)![1]) / 1024,
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
    threads: readdirSync(`/proc/${pid}/task`).length,
  };
}

/** Samples of each second until stopped. */
export function lookEachSecond(pid: number): { samples: Sample[]; stop(): void } {
  const samples: Sample[] = [];
  const timer = setInterval(() => {
    try {
      samples.push(lookAt(pid));
    } catch {
      clearInterval(timer); // it has ended
    }
  }, 1000);
  return { samples, stop: () => clearInterval(timer) };
}

/** Fails when memory, descriptors or threads grew in the second half. Keeps what was seen in `.cache/soak/NAME.json`. */
export function expectFlat(name: string, samples: readonly Sample[], done: Record<string, number>): void {
  const half = samples.slice(Math.floor(samples.length / 2));
  const told: string[] = [];
  const grown: string[] = [];
  for (const what of ['memory', 'descriptors', 'threads'] as const) {
    const values = half.map((sample) => sample[what]);
    const { growth, margin } = trendOf(values);
    const level = values.reduce((total, value) => total + value, 0) / values.length;
    told.push(`${what} ${level.toFixed(1)}, ${growth >= 0 ? '+' : ''}${growth.toFixed(2)} ± ${margin.toFixed(2)}`);
    if (growth - margin > ALLOWED[what]) grown.push(`${what} grew`);
    if (margin > MOST_NOISE[what]) grown.push(`${what} is too noisy to tell`);
  }
  const line = `soak ${name}: ${JSON.stringify(done)}; second half of ${samples.length} s: ${told.join('; ')}`;
  const directory = join(PROJECT, '.cache/soak');
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, `${name.replaceAll(/\W+/g, '-')}.json`), JSON.stringify({ line, samples }));
  console.log(line);
  expect(grown, line).toEqual([]);
}
