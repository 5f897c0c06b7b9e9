/** Scripts in node processes of their own, against `dist/` and the built addon, so that no loader stands between. */

import { existsSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { PROJECT, run } from './native-build.ts';
import { tempDir } from './temp.ts';

const require = createRequire(import.meta.url);

/** URL of the built TypeScript, with a slash at its end. */
export const DIST = pathToFileURL(join(PROJECT, 'dist/')).href;

if (!existsSync(join(PROJECT, 'dist/native/load.js'))) {
  throw new Error('dist/ is missing: run `npm run build:ts` before these tests');
}

/** The addon that the package loads. */
export const ADDON = (require('node-gyp-build') as { resolve(root: string): string }).resolve(PROJECT);

export interface NodeOptions {
  /** Another node than the one that runs the tests. */
  node?: string;
  /** Before the script: node's own options. */
  args?: readonly string[];
  env?: NodeJS.ProcessEnv;
}

/** What `attempt` in a script reports of work that threw. */
export interface Refusal {
  code: string;
  message: string;
  /** The error's class. */
  name: string;
}

const PRELUDE = `
  import { native, prepareNative } from '${DIST}native/load.js';
  import { status } from '${DIST}status.js';
  const report = (value) => console.log(JSON.stringify(value));
  const attempt = (work) => {
    try {
      return { value: work() };
    } catch (error) {
      return { code: error.code, message: error.message, name: error.constructor.name };
    }
  };
  const NONE = new Uint8Array(0);
  const SECOND = 1_000_000;
  /** A whole file: header and body. */
  async function seal(template, prelude, plaintext, segmentLength, threads = 1) {
    const { header, encryptor } = await template.start(prelude, segmentLength);
    const segments = Math.max(1, Math.ceil(plaintext.length / encryptor.plaintextLength));
    const body = new Uint8Array(plaintext.length + 32 * segments);
    let read = 0;
    for (let written = 0; written < body.length; ) {
      const count = encryptor.encrypt(NONE, plaintext.subarray(read), true, body.subarray(written), threads, SECOND);
      written += count;
      read += count - 32 * Math.ceil(count / segmentLength);
    }
    return Buffer.concat([header, encryptor.header, body]);
  }
  /** The plaintext of a body with its header. */
  function openBody(key, aad, body, threads = 1) {
    const decryptor = new (native().FloeDecryptor)(key, aad, body.subarray(0, 74));
    const out = new Uint8Array(body.length);
    let written = 0;
    for (let read = 74; !decryptor.finished; ) {
      const count = decryptor.decrypt(NONE, body.subarray(read), out.subarray(written), threads, SECOND);
      if (count === 0) throw new Error('truncated');
      read += count;
      written += count - 32 * Math.ceil(count / decryptor.segmentLength);
    }
    return out.subarray(0, written);
  }
  async function roundTrip() {
    const n = native();
    const key = await n.PrivateKey.generate(2048);
    const label = new Uint8Array([1]);
    const wraps = [{ publicKey: key.publicKey, offset: 0 }];
    const template = new n.EnvelopeTemplate({ recipients: new Uint8Array(256), wraps, bodyLabel: label, macLabel: label });
    const prelude = n.randomBytes(48);
    const plaintext = n.randomBytes(50_000);
    const sealed = await seal(template, prelude, plaintext, 4096);
    const content = await key.unwrap(sealed.subarray(48, 304));
    const opened = openBody(content.derive('floe', label, prelude), prelude, sealed.subarray(304 + 32));
    return Buffer.compare(plaintext, opened) === 0;
  }
`;

/** A module file that has `native`, `status`, `attempt`, `report`, `seal`, `openBody` and `roundTrip` at hand. */
export function scriptFile(body: string): string {
  const path = join(tempDir(), 'script.mjs');
  writeFileSync(path, `${PRELUDE}\n${body}`);
  return path;
}

/**
 * Runs {@link scriptFile} of `body` and returns what it hands to `report` last. A script that fails, or a process that
 * crashes, is an error.
 */
export async function inNode<T>(body: string, { node, args = [], env }: NodeOptions = {}): Promise<T> {
  const { status, stdout, stderr } = await run(node ?? process.execPath, [...args, scriptFile(body)], env);
  const reported = stdout.trimEnd().split('\n').at(-1) ?? '';
  if (status !== 0 || reported === '') throw new Error(`node ended with ${status}\n${stderr}${stdout}`);
  return JSON.parse(reported) as T;
}
