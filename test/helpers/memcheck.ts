/** Node under valgrind's memcheck, and what it says about our code and the OpenSSL that it calls. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { PROJECT, run } from './native-build.ts';
import { tempDir } from './temp.ts';

export interface MemcheckReport {
  status: number | null;
  stdout: string;
  stderr: string;
  /** Errors with a frame of ours, or of the system's OpenSSL: kind, what, and stack. */
  errors: string[];
  /** Errors of Node and V8 alone. */
  others: number;
}

const OPTIONS = [
  '--tool=memcheck',
  '--leak-check=full',
  '--show-leak-kinds=definite',
  '--num-callers=40',
  '--error-limit=no',
  // Node maps code; without compiling JavaScript it does not change any.
  '--smc-check=all-non-file',
  `--suppressions=${join(PROJECT, 'native/test/valgrind.supp')}`,
];
const NODE_OPTIONS = ['--jitless', '--no-expose-wasm', '--no-warnings'];

/** Node has an OpenSSL of its own, inside itself: libcrypto is the one that we call. */
const OURS = /\/(callseal[^/]*\.node|libcrypto\.so[^/]*|fips\.so|legacy\.so)$/;

export async function memcheck(script: string): Promise<MemcheckReport> {
  const report = join(tempDir(), 'report.xml');
  const xml = ['--xml=yes', `--xml-file=${report}`];
  const outcome = await run('valgrind', [...OPTIONS, ...xml, process.execPath, ...NODE_OPTIONS, script]);
  const all = readFileSync(report, 'utf8').match(/<error>[\s\S]*?<\/error>/g) ?? [];
  const errors = all.filter((error) => valuesOf(error, 'obj').some((object) => OURS.test(object)));
  return { ...outcome, errors: errors.map(describe), others: all.length - errors.length };
}

function valuesOf(xml: string, element: string): string[] {
  return [...xml.matchAll(new RegExp(`<${element}>([^<]*)</${element}>`, 'g'))].map(([, value]) => value!);
}

function describe(error: string): string {
  const what = [...valuesOf(error, 'what'), ...valuesOf(error, 'text')].join('; ');
  return [`${valuesOf(error, 'kind')[0]}: ${what}`, ...valuesOf(error, 'fn').slice(0, 15)].join('\n  ');
}
