/** FIPS is required unless the operator says otherwise, and a module that is not exactly right does not run. */

import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { findFipsModule } from '../lib/fips/discover.ts';
import type { Status } from '../lib/status.ts';
import { run } from './helpers/native-build.ts';
import { DIST, inNode, type NodeOptions, type Refusal, scriptFile } from './helpers/native-child.ts';
import { tempDir } from './helpers/temp.ts';

const FIPS = findFipsModule();

/** A copy of the FIPS module, in a directory of its own: another file to the operating system. */
function copyOfModule(directory = tempDir()): string {
  copyFileSync(FIPS.modulePath, join(directory, 'fips.so'));
  writeConfig(directory, FIPS.moduleConfig);
  return directory;
}

function writeConfig(directory: string, settings: string): void {
  writeFileSync(join(directory, 'fipsmodule.cnf'), `[fips_sect]\nactivate = 1\n${settings}`);
}

/** Changes one byte of the module that no loader looks at: a letter of a text in it. */
function flipByte(directory: string): void {
  const path = join(directory, 'fips.so');
  const bytes = readFileSync(path);
  const at = bytes.indexOf('FIPS Provider');
  expect(at).toBeGreaterThan(0);
  bytes[at] = (bytes[at] as number) ^ 1;
  writeFileSync(path, bytes);
}

/** The system's other provider file: sound, but not a FIPS module. */
function legacyProvider(): string {
  const answer = execFileSync('openssl', ['version', '-m'], { encoding: 'utf8' });
  return join(/MODULESDIR: "(.*)"/.exec(answer)?.[1] ?? '', 'legacy.so');
}

const REFUSAL = 'report(attempt(() => native()));';
const refusalWith = (env: NodeJS.ProcessEnv, options: NodeOptions = {}) =>
  inNode<Refusal>(REFUSAL, { ...options, env });

describe('the FIPS module', () => {
  it('works from a copy', async () => {
    const directory = copyOfModule();
    const found = await inNode<Status>('report(status());', { env: { CALLSEAL_FIPS_DIR: directory } });
    expect(found.provider).toMatchObject({ path: join(directory, 'fips.so'), running: true, selfTest: true });
  });

  it('works from a directory with any name', async () => {
    const directory = join(tempDir(), `odd "name" $HOME #1 'x' \\ ; [é] = 50%`);
    mkdirSync(directory);
    copyOfModule(directory);
    const found = await inNode<Status>('report(status());', { env: { CALLSEAL_FIPS_DIR: directory } });
    expect(found.provider.path).toBe(join(directory, 'fips.so'));
  });

  it('is not loaded for a stream that decrypts before there is something to open', async () => {
    const script = `
      const { createDecryptStream, KeyRing } = await import('${DIST}index.js');
      const stream = createDecryptStream({ keys: new KeyRing(['no.key']) });
      stream.on('error', ({ code }) => report(code)).end('this is not a call file');`;
    expect(await inNode<string>(script, { env: { CALLSEAL_FIPS_DIR: tempDir() } })).toBe('ERR_NOT_CALLSEAL');
  });

  it('does not run when one bit of it was changed', async () => {
    const directory = copyOfModule();
    flipByte(directory);
    const refusal = await refusalWith({ CALLSEAL_FIPS_DIR: directory });
    expect(refusal).toMatchObject({ code: 'ERR_FIPS_UNAVAILABLE', name: 'CallsealError' });
    expect(refusal.message).toContain(join(directory, 'fips.so'));
    expect(refusal.message).toContain('callseal fips install');
  });

  it('may be made ready ahead, and is refused all the same', async () => {
    const [sound, damaged] = [copyOfModule(), copyOfModule()];
    flipByte(damaged);
    const ready = await inNode<Status>('prepareNative(); report(status());', { env: { CALLSEAL_FIPS_DIR: sound } });
    expect(ready.provider).toMatchObject({ path: join(sound, 'fips.so'), running: true, selfTest: true });
    for (const directory of [damaged, join(damaged, 'absent')]) {
      const refusal = await inNode<Refusal>(`prepareNative(); ${REFUSAL}`, { env: { CALLSEAL_FIPS_DIR: directory } });
      expect(refusal).toMatchObject({ code: 'ERR_FIPS_UNAVAILABLE', name: 'CallsealError' });
    }
  });

  it('may be made ready by a process that ends at once', async () => {
    const ended = await inNode<string>("prepareNative(); report('ended'); process.exit(0);");
    expect(ended).toBe('ended');
  });

  it('does not run with the integrity value of another', async () => {
    const directory = copyOfModule();
    const settings = FIPS.moduleConfig.replace(/module-mac = ../, (found) =>
      found.endsWith('00') ? 'module-mac = 01' : 'module-mac = 00',
    );
    expect(settings).not.toBe(FIPS.moduleConfig);
    writeConfig(directory, settings);
    expect(await refusalWith({ CALLSEAL_FIPS_DIR: directory })).toMatchObject({ code: 'ERR_FIPS_UNAVAILABLE' });
  });

  it('is not replaced by whatever else there is', async () => {
    const settings = FIPS.moduleConfig;
    const missing = tempDir();
    const noConfig = copyOfModule();
    writeFileSync(join(noConfig, 'fipsmodule.cnf'), '');
    const noLibrary = tempDir();
    writeFileSync(join(noLibrary, 'fips.so'), 'not a shared library');
    writeConfig(noLibrary, settings);
    const otherProvider = tempDir();
    copyFileSync(legacyProvider(), join(otherProvider, 'fips.so'));
    writeConfig(otherProvider, settings);

    for (const directory of [missing, noConfig, noLibrary, otherProvider, join(missing, 'absent')]) {
      expect(await refusalWith({ CALLSEAL_FIPS_DIR: directory })).toMatchObject({
        code: 'ERR_FIPS_UNAVAILABLE',
        name: 'CallsealError',
      });
    }
  });

  it('can be put right within the same process', async () => {
    const bad = copyOfModule();
    flipByte(bad);
    const found = await inNode<{ refusal: Refusal; opened: boolean }>(
      `
        const refusal = attempt(() => native());
        process.env.CALLSEAL_FIPS_DIR = ${JSON.stringify(copyOfModule())};
        report({ refusal, opened: await roundTrip() });
      `,
      { env: { CALLSEAL_FIPS_DIR: bad } },
    );
    expect(found.refusal.code).toBe('ERR_FIPS_UNAVAILABLE');
    expect(found.opened).toBe(true);
  });

  it('is one a process', async () => {
    const threads = scriptFile(`
      import { parentPort } from 'node:worker_threads';
      parentPort.postMessage(attempt(() => native()));
    `);
    const found = await inNode<Refusal[]>(`
      import { once } from 'node:events';
      import { Worker } from 'node:worker_threads';
      native();
      const others = [{ CALLSEAL_FIPS: 'off' }, { CALLSEAL_FIPS_DIR: ${JSON.stringify(copyOfModule())} }];
      const refusals = [];
      for (const env of others) {
        const thread = new Worker(${JSON.stringify(threads)}, { env: { ...process.env, ...env } });
        refusals.push((await once(thread, 'message'))[0]);
      }
      report(refusals);
    `);
    for (const refusal of found) {
      expect(refusal).toMatchObject({ code: 'ERR_INVALID_ARGUMENT', name: 'CallsealError' });
      expect(refusal.message).toContain('already runs another crypto module');
      expect(refusal.message).toContain(FIPS.modulePath);
    }
    expect(found).toHaveLength(2);
  });
});

describe('CALLSEAL_FIPS', () => {
  it('=off works in the default provider, and says so', async () => {
    const found = await inNode<{ opened: boolean; status: Status }>(
      'report({ opened: await roundTrip(), status: status() });',
      { env: { CALLSEAL_FIPS: 'off', CALLSEAL_FIPS_DIR: tempDir() } },
    );
    expect(found.opened).toBe(true);
    expect(found.status.mode).toBe('off');
    expect(found.status.provider.name).toMatch(/default/i);
    expect(found.status.algorithms.some((row) => row.approved)).toBe(false);
    expect(found.status.algorithms.every((row) => row.provider === 'default')).toBe(true);
  });

  it('=anything else is refused', async () => {
    for (const value of ['nonsense', 'OFF', 'Required', '0', 'off ', '']) {
      const refusal = await refusalWith({ CALLSEAL_FIPS: value });
      expect(refusal).toMatchObject({ code: 'ERR_INVALID_ARGUMENT', name: 'CallsealError' });
      expect(refusal.message).toContain(`"${value}"`);
    }
  });
});

describe('a node that itself runs in FIPS mode', () => {
  const nodeConfig = (modulePath: string) => {
    const path = join(tempDir(), 'openssl.cnf');
    const sections = [
      ['', 'nodejs_conf = init'],
      ['[init]', 'providers = providers'],
      ['[providers]', 'fips = fips_sect', 'base = base_sect'],
      ['[base_sect]', 'activate = 1'],
      ['[fips_sect]', `module = ${modulePath}`, 'activate = 1', FIPS.moduleConfig],
    ];
    writeFileSync(path, sections.map((lines) => lines.join('\n')).join('\n'));
    return path;
  };
  const inFipsNode = (modulePath: string) => [`--openssl-config=${nodeConfig(modulePath)}`, '--force-fips'];

  const otherModule = () => join(copyOfModule(), 'fips.so');

  const unavailable = async () => {
    const script = 'process.exit(process.getBuiltinModule("crypto").getFips() === 1 ? 0 : 3)';
    const { status } = await run(process.execPath, [...inFipsNode(otherModule()), '--eval', script]);
    return status !== 0;
  };

  it('cannot share its file with callseal, which says so', async (context) => {
    if (await unavailable()) context.skip('this node cannot run in FIPS mode, so sharing its module was not tried');
    const refusal = await refusalWith({}, { args: inFipsNode(FIPS.modulePath) });
    expect(refusal).toMatchObject({ code: 'ERR_FIPS_UNAVAILABLE', name: 'CallsealError' });
    expect(refusal.message).toContain("already in use by Node's own OpenSSL");
    expect(refusal.message).toContain('CALLSEAL_FIPS_DIR');
  });

  it('works beside callseal with a copy of the file', async (context) => {
    if (await unavailable()) context.skip('this node cannot run in FIPS mode, so a copy of its module was not tried');
    expect(await inNode('report(await roundTrip());', { args: inFipsNode(otherModule()) })).toBe(true);
  });
});
