/**
 * Locales that most machines do not have, made from the C library's own definitions, and what makes a process use them
 * in the way in which other native code in it may: Node itself never calls setlocale().
 */

import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { intoPlace } from '../setup/downloads.mjs';
import { CACHE } from '../setup/run.mjs';

const PLACE = join(CACHE, 'locales');
const CHARSETS = { 'tr_TR.UTF-8': 'UTF-8', 'tr_TR.ISO-8859-9': 'ISO-8859-9', 'de_DE.ISO-8859-1': 'ISO-8859-1' };
const SHIM = '#include <locale.h>\n__attribute__((constructor)) static void begin(void) { setlocale(LC_ALL, ""); }\n';

/**
 * @param {'tr_TR.UTF-8' | 'tr_TR.ISO-8859-9' | 'de_DE.ISO-8859-1' | 'C'} name
 * @returns {Promise<Record<string, string>>} environment of a process in this locale
 */
export async function localeEnvironment(name) {
  if (!existsSync(PLACE)) await intoPlace('locales', make);
  return { LC_ALL: name, LANG: name, LOCPATH: PLACE, LD_PRELOAD: join(PLACE, 'setlocale.so') };
}

function make(directory) {
  mkdirSync(directory, { recursive: true });
  for (const [name, charset] of Object.entries(CHARSETS)) {
    const language = name.split('.')[0];
    execFileSync('localedef', ['-i', language, '-f', charset, join(directory, name)], { stdio: 'pipe' });
  }
  const options = ['-shared', '-fPIC', '-x', 'c', '-', '-o', join(directory, 'setlocale.so')];
  execFileSync('cc', options, { input: SHIM, stdio: 'pipe' });
}
