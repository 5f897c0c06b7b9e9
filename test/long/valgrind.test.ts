/**
 * A whole round of keys, files, streams, CMS messages and records in Node, under valgrind's memcheck: what the sanitizers cannot
 * see, as they cannot run with the RTLD_DEEPBIND that the addon needs.
 */

import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

import { memcheck } from '../helpers/memcheck.ts';
import { isInstalled } from '../helpers/native-build.ts';
import { tempDir } from '../helpers/temp.ts';
import { makeRoundFiles, wholeRound } from '../helpers/whole-round.ts';

/** An addon that reads what it has not written. */
const CARELESS = `
#include <stdlib.h>
void* napi_register_module_v1(void* env, void* exports) {
  int* number = malloc(sizeof(int));
  int found = *number == 42 ? 1 : 0;
  free(number);
  return found ? 0 : exports;
}`;

if (!isInstalled('valgrind')) {
  it.skip('the addon in Node was not looked at for invalid memory, because valgrind is not installed', () => {});
} else {
  it('finds nothing in the addon, nor in the OpenSSL that it calls', async () => {
    const script = join(tempDir(), 'round.mjs');
    const round = wholeRound(await makeRoundFiles());
    writeFileSync(script, `${round}\nawait letGo(await useKeys(1));\nconsole.log('done');`);
    const { status, stdout, stderr, errors, others } = await memcheck(script);
    console.log(`valgrind: ${errors.length} errors of ours, ${others} of Node's own`);
    expect(errors).toEqual([]);
    expect(stdout, stderr).toBe('done\n');
    expect(status).toBe(0);
  });

  it('would see a decision by what was never written', async () => {
    const addon = join(tempDir(), 'callseal_control.node');
    const options = ['-x', 'c', '-', '-shared', '-fPIC', '-O0', '-o', addon];
    execFileSync('g++', options, { input: CARELESS });
    const script = join(tempDir(), 'control.cjs');
    writeFileSync(script, `require(${JSON.stringify(addon)});`);
    const { errors } = await memcheck(script);
    expect(errors.join()).toMatch(/uninitialised/);
  });
}
