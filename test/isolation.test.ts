/** The crypto that runs is the system's and not the one inside the node executable; where that fails, nothing runs. */

import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';

import { EXIT_CODES } from '../lib/cli/exit-codes.ts';
import type { NativeStatus } from '../lib/native/binding.ts';
import { callseal } from './helpers/cli.ts';
import { run } from './helpers/native-build.ts';
import { ADDON, DIST, inNode, type Refusal, scriptFile } from './helpers/native-child.ts';
import { buildPlainAddon, loadOfPlainAddon, plainRequireOfAddon } from './helpers/poison.ts';
import { tempDir } from './helpers/temp.ts';

const NOT_ISOLATED = EXIT_CODES.find((row) => row.errors.includes('ERR_CRYPTO_NOT_ISOLATED'))?.code;

const plainLoad = (flags: string) => `
  import { constants } from 'node:os';
  report(attempt(() => process.dlopen({ exports: {} }, ${JSON.stringify(ADDON)}, constants.dlopen.RTLD_NOW${flags})));
`;

describe('an addon that binds to the OpenSSL of node', () => {
  it('refuses to load by require()', async () => {
    const found = await inNode<Refusal>(`
      import { createRequire } from 'node:module';
      report(attempt(() => createRequire(import.meta.url)(${JSON.stringify(ADDON)})));
    `);
    expect(found).toMatchObject({ code: 'ERR_CRYPTO_NOT_ISOLATED', name: 'Error' });
    expect(found.message).toMatch(/go to \S*node\S* instead of \S*libcrypto\.so\.3.*import 'callseal'/);
  });

  it('refuses to load by dlopen without RTLD_DEEPBIND, and loads with it', async () => {
    expect((await inNode<Refusal>(plainLoad(''))).code).toBe('ERR_CRYPTO_NOT_ISOLATED');
    expect((await inNode<Refusal>(plainLoad(' | constants.dlopen.RTLD_GLOBAL'))).code).toBe('ERR_CRYPTO_NOT_ISOLATED');
    expect(await inNode(plainLoad(' | constants.dlopen.RTLD_DEEPBIND'))).toEqual({});
  });

  it('is refused by the package too, when something else loaded it so before', async () => {
    const found = await inNode<{ refused: Refusal; again: Refusal }>(
      'report({ refused: attempt(() => native()), again: attempt(() => native()) });',
      { args: ['--require', plainRequireOfAddon()] },
    );
    for (const refusal of [found.refused, found.again]) {
      expect(refusal).toMatchObject({ code: 'ERR_CRYPTO_NOT_ISOLATED', name: 'CallsealError' });
    }
  });

  it('makes the command line fail with its own exit code', async () => {
    expect(NOT_ISOLATED).toBeTypeOf('number');
    const env = { NODE_OPTIONS: `--require=${plainRequireOfAddon()}` };
    const { status, stderr, stdout } = await callseal(['status'], { env });
    expect({ status, stdout: `${stdout}` }).toEqual({ status: NOT_ISOLATED, stdout: '' });
    expect(stderr).toMatch(/calls to OpenSSL go to/);
  });
});

describe('a libcrypto that another addon has bound to the OpenSSL of node', () => {
  let plain: string;

  beforeAll(() => {
    plain = buildPlainAddon();
  });

  it('is refused', async () => {
    const found = await inNode<{ other: string; refusal: Refusal; again: Refusal }>(`
      const other = { exports: {} };
      process.dlopen(other, ${JSON.stringify(plain)});
      report({ other: other.exports.version, refusal: attempt(() => native()), again: attempt(() => status()) });
    `);
    expect(found.other).toMatch(/^OpenSSL 3/);
    for (const refusal of [found.refusal, found.again]) {
      expect(refusal).toMatchObject({ code: 'ERR_CRYPTO_NOT_ISOLATED', name: 'CallsealError' });
      expect(refusal.message).toMatch(/internal calls of \S*libcrypto\.so\.3 go to \S*node\S*.*before that addon/);
    }
  });

  it('makes the command line fail with its own exit code, before it writes anything', async () => {
    const env = { NODE_OPTIONS: `--require=${loadOfPlainAddon(plain)}` };
    const directory = tempDir();
    for (const args of [['status'], ['keygen', '--subject', '/CN=x', '--key', 'k', '--cert', 'c', '--no-passphrase']]) {
      const { status, stderr, stdout } = await callseal(args, { env, cwd: directory });
      expect({ status, stdout: `${stdout}` }).toEqual({ status: NOT_ISOLATED, stdout: '' });
      expect(stderr).toMatch(/internal calls of/);
    }
    expect(readdirSync(directory)).toEqual([]);
  });

  it('does no harm when it comes after callseal', async () => {
    const found = await inNode<{ before: boolean; after: boolean; status: NativeStatus }>(`
      const before = await roundTrip();
      process.dlopen({ exports: {} }, ${JSON.stringify(plain)});
      report({ before, after: await roundTrip(), status: native().status() });
    `);
    expect(found).toMatchObject({ before: true, after: true });
    expect(found.status.isolation.libcryptoResolvesTo).toBe(found.status.libcrypto.path);
  });
});

describe('threads', () => {
  const worker = scriptFile(`
    import { parentPort } from 'node:worker_threads';
    parentPort.postMessage({ opened: await roundTrip(), path: native().status().libcrypto.path });
  `);
  const inThreads = (body: string) => `
    import { Worker } from 'node:worker_threads';
    const start = () => new Promise((resolve, reject) => {
      const thread = new Worker(${JSON.stringify(worker)});
      let told;
      thread.once('message', (message) => { told = message; });
      thread.once('error', reject);
      thread.once('exit', () => resolve(told));
    });
    ${body}
  `;
  const good = { opened: true, path: expect.stringMatching(/libcrypto\.so\.3$/) };

  it('load it, several at once, beside the main thread', async () => {
    const found = await inNode(
      inThreads('report(await Promise.all([start(), start(), start(), start(), roundTrip()]));'),
    );
    expect(found).toEqual([good, good, good, good, true]);
  });

  it('load it first, end, and load it again', async () => {
    const found = await inNode(inThreads('report([await start(), await start(), await roundTrip(), await start()]);'));
    expect(found).toEqual([good, good, true, good]);
  });

  it('may open the addon again', async () => {
    const found = await inNode(`
      import { openAddon } from '${DIST}native/load.js';
      const before = openAddon(${JSON.stringify(ADDON)});
      const uninitialised = attempt(() => before.randomBytes(8)).code;
      const opened = await roundTrip();
      report({ uninitialised, opened, same: before === native(), random: before.randomBytes(8).length });
    `);
    expect(found).toEqual({ uninitialised: 'ERR_INVALID_ARGUMENT', opened: true, same: false, random: 8 });
  });

  it('may be terminated while their jobs run', async () => {
    const busy = scriptFile(`
      import { parentPort } from 'node:worker_threads';
      const n = native();
      const key = await n.PrivateKey.generate(2048);
      const label = new Uint8Array([1]);
      const wraps = [{ publicKey: key.publicKey, offset: 0 }];
      const template = new n.EnvelopeTemplate({ recipients: new Uint8Array(256), wraps, bodyLabel: label, macLabel: label });
      for (let i = 0; i < 100; i++) template.start(new Uint8Array(48), 65536);
      for (let i = 0; i < 8; i++) n.PrivateKey.load('/nonexistent', null).catch(() => {});
      parentPort.postMessage('busy');
      setInterval(() => {}, 1000);
    `);
    const found = await inNode(`
      import { once } from 'node:events';
      import { Worker } from 'node:worker_threads';
      for (let i = 0; i < 5; i++) {
        const thread = new Worker(${JSON.stringify(busy)});
        await once(thread, 'message');
        await thread.terminate();
      }
      report(await roundTrip());
    `);
    expect(found).toBe(true);
  });

  it('end with the process while their jobs run', async () => {
    const { status, stdout, stderr } = await run(process.execPath, [
      scriptFile(`
        const n = native();
        for (let i = 0; i < 8; i++) n.PrivateKey.generate(3072).then(() => n.PrivateKey.generate(2048));
        setImmediate(() => process.exit(7));
      `),
    ]);
    expect({ status, stdout, stderr }).toEqual({ status: 7, stdout: '', stderr: '' });
  });
});

/** Key files that only the legacy provider opens, which links libcrypto itself. */
describe('the legacy provider', () => {
  it('is bound to the system libcrypto as well', async (context) => {
    const directory = tempDir();
    const key = join(directory, 'key.pem');
    const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'pipe', cwd: directory });
    openssl('genrsa', '-out', 'plain.pem', '2048');
    try {
      const form = [
        '-topk8',
        '-v1',
        'PBE-MD5-DES',
        '-passout',
        'pass:secret',
        '-provider',
        'legacy',
        '-provider',
        'default',
      ];
      openssl('pkcs8', '-in', 'plain.pem', ...form, '-out', key);
    } catch {
      context.skip('openssl has no legacy provider here, so its binding was not looked at');
    }
    const unwrapped = await inNode<string>(
      `
        const n = native();
        const passphrase = n.Passphrase.fromBytes(Buffer.from('secret'));
        report((await n.PrivateKey.load(${JSON.stringify(key)}, passphrase)).unwrappedOutside);
      `,
      { env: { LD_DEBUG: 'bindings', LD_DEBUG_OUTPUT: join(directory, 'bindings') } },
    );
    expect(unwrapped).toMatch(/legacy provider/);
    const targets = readdirSync(directory)
      .filter((name) => name.startsWith('bindings.'))
      .flatMap((name) => [
        ...readFileSync(join(directory, name), 'utf8').matchAll(/binding file \S*legacy\.so .*? to (\S+)/g),
      ])
      .map((match) => match[1] as string);
    expect(targets.some((target) => target.includes('libcrypto.so.3'))).toBe(true);
    expect(targets.filter((target) => !/\/(libcrypto|libc|legacy|ld-linux|libdl|libpthread)\b/.test(target))).toEqual(
      [],
    );
  });
});
