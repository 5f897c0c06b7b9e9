/** What breaks the isolation from node's own OpenSSL, on purpose. */

import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

import { ADDON } from './native-child.ts';
import { tempDir } from './temp.ts';

const SOURCE = `
  #include <node_api.h>
  #include <openssl/crypto.h>
  NAPI_MODULE_INIT() {
    napi_value version;
    napi_create_string_utf8(env, OpenSSL_version(OPENSSL_VERSION), NAPI_AUTO_LENGTH, &version);
    napi_set_named_property(env, exports, "version", version);
    return exports;
  }
`;

/** Builds an addon that is plainly linked with libcrypto, as most are, and returns its path. */
export function buildPlainAddon(): string {
  const headers = createRequire(import.meta.url)('node-api-headers') as { include_dir: string };
  const addon = join(tempDir(), 'plain.node');
  const options = ['-shared', '-fPIC', '-DNODE_GYP_MODULE_NAME=plain', `-I${headers.include_dir}`];
  execFileSync('g++', ['-x', 'c', '-', ...options, '-o', addon, '-Wl,--no-as-needed', '-lcrypto'], { input: SOURCE });
  return addon;
}

/** A CommonJS file that loads callseal's addon as `require` does, which binds it to node's OpenSSL. */
export function plainRequireOfAddon(): string {
  return preload(`try { require(${JSON.stringify(ADDON)}); } catch {}`);
}

/** A CommonJS file that loads a plainly linked addon, which binds libcrypto's own calls to node's OpenSSL. */
export function loadOfPlainAddon(addon: string): string {
  return preload(`process.dlopen({ exports: {} }, ${JSON.stringify(addon)});`);
}

function preload(source: string): string {
  const path = join(tempDir(), 'preload.cjs');
  writeFileSync(path, source);
  return path;
}
