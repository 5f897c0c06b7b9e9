/**
 * Reads `fipsmodule.cnf`, the file in which `openssl fipsinstall` records the MAC of a FIPS module.
 *
 * What comes out is pasted into an OpenSSL configuration, whose language can include files, expand variables and name
 * modules to load. So nothing passes but what fipsinstall itself writes: one section of plain `key = value` lines.
 */

import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { CallsealError, errnoOf } from '../errors.ts';

/** fipsinstall writes less than 1 KiB; anything much larger is not its work. */
const MAX_BYTES = 64 * 1024;

/**
 * What the module checks unless it is told not to, fips_config(5). fipsinstall writes 1 for all of them, as far as its
 * release knows them; other checks it writes as 0, because they are of choice. OpenSSL 3.0 takes anything but `0` for
 * on, 3.4 takes anything but `1` for off.
 */
const CHECKS: ReadonlySet<string> = new Set(['conditional-errors', 'security-checks', 'pbkdf2-lower-bound-check']);

const KEY = /^[a-z][a-z0-9-]*$/;
const VALUE = /^[A-Za-z0-9:_.-]*$/;

/**
 * The provider section's body: `key = value` lines without `activate`, which whoever loads the module decides.
 *
 * @param path of the file; absolute, because messages repeat it
 * @throws CallsealError ERR_FIPS_UNAVAILABLE, with path and line, for anything but one plain section with a
 *   `module-mac`, and for a setting that switches off a check of the module
 */
export function readProviderConfig(path: string): string {
  return parseProviderConfig(readBounded(path), path);
}

/** As {@link readProviderConfig}, of the file's text. */
export function parseProviderConfig(text: string, path: string): string {
  const settings = new Map<string, string>();
  let sections = 0;
  for (const [index, raw] of text.split('\n').entries()) {
    const refuse = (why: string): never => {
      throw new CallsealError(
        'ERR_FIPS_UNAVAILABLE',
        `${path}:${index + 1}: ${why}; have it written again by \`openssl fipsinstall\` or \`callseal fips install\``,
        { path, line: index + 1 },
      );
    };
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    if (/^\[ *[A-Za-z0-9_]+ *\]$/.test(line)) {
      sections += 1;
      if (sections > 1) refuse('more than one section');
      continue;
    }
    const equals = line.indexOf('=');
    const key = line.slice(0, Math.max(equals, 0)).trim();
    const value = line.slice(equals + 1).trim();
    if (sections === 0 || !KEY.test(key) || !VALUE.test(value)) refuse('not a plain `key = value` line of a section');
    if (key === 'module' || key === 'identity') refuse(`\`${key}\` has no place in a FIPS module's own configuration`);
    if (settings.has(key)) refuse(`\`${key}\` is set twice`);
    if (CHECKS.has(key) && value !== '1') refuse(`\`${key} = ${value}\` switches off a check of the FIPS module`);
    settings.set(key, value);
  }
  if (!settings.has('module-mac')) {
    throw new CallsealError(
      'ERR_FIPS_UNAVAILABLE',
      `${path}: holds no module-mac, so the FIPS module cannot check itself; run \`callseal fips install\``,
      { path },
    );
  }
  settings.delete('activate');
  return [...settings].map(([key, value]) => `${key} = ${value}\n`).join('');
}

function readBounded(path: string): string {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(path, 'r');
    const stat = fstatSync(descriptor);
    if (!stat.isFile() || stat.size > MAX_BYTES) {
      throw new CallsealError('ERR_FIPS_UNAVAILABLE', `${path}: not a file written by \`openssl fipsinstall\``, {
        path,
      });
    }
    return readFileSync(descriptor, 'latin1');
  } catch (error) {
    if (error instanceof CallsealError) throw error;
    const errno = errnoOf(error) ?? 'unknown error';
    throw new CallsealError('ERR_FIPS_UNAVAILABLE', `${path}: cannot be read (${errno})`, { path, cause: error });
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}
