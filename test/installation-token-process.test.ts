/** A PKCS#11 module inside node: bound to the system's libcrypto, in every Node, in threads, and at the end of the process. */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';

import { PROJECT, run } from './helpers/native-build.ts';
import { inNode, scriptFile } from './helpers/native-child.ts';
import { PIN, SOFTHSM_MODULE, SoftHsm } from './helpers/softhsm.ts';
import { tempDir } from './helpers/temp.ts';

const NODES: Record<string, string> = { 'this Node': process.execPath };
for (const major of [22, 24]) NODES[`Node ${major}`] = join(PROJECT, `.cache/node-${major}/bin/node`);

describe.runIf(SOFTHSM_MODULE !== null)('a PKCS#11 module in node (missed without SoftHSM)', () => {
  let env: NodeJS.ProcessEnv;
  /** Opens the key `key` of the token, with what a script has at hand. */
  let opening: string;

  beforeAll(async () => {
    const hsm = new SoftHsm();
    hsm.addToken('callseal');
    env = { SOFTHSM2_CONF: hsm.configuration };
    opening = `
      const n = native();
      const pin = n.Passphrase.fromBytes(Buffer.from(${JSON.stringify(PIN)}));
      const modulePath = ${JSON.stringify(hsm.module)};
      const address = { modulePath, tokenLabel: 'callseal', serial: null, objectLabel: 'key', objectId: null };
      const open = () => n.Token.open(address, pin);
      const signs = async (key) => {
        const data = n.randomBytes(100);
        return key.publicKey.verify('pss-sha256', data, await key.sign('pss-sha256', data));
      };
    `;
    expect(await inNode(`${opening} report((await n.Token.generate(address, 2048, pin)).bits);`, { env })).toBe(2048);
  });

  it('calls the system libcrypto, not the one in the node executable', async () => {
    const directory = tempDir();
    const debug = { LD_DEBUG: 'bindings', LD_DEBUG_OUTPUT: join(directory, 'bindings') };
    expect(await inNode(`${opening} report(await signs(await open()));`, { env: { ...env, ...debug } })).toBe(true);
    const targets = readdirSync(directory)
      .flatMap((name) => [
        ...readFileSync(join(directory, name), 'utf8').matchAll(/binding file \S*libsofthsm2\.so .*? to (\S+)/g),
      ])
      .map((match) => match[1] as string);
    expect(targets.some((target) => target.includes('libcrypto.so.3'))).toBe(true);
    expect(targets.filter((target) => /\/node$/.test(target))).toEqual([]);
  });

  for (const [name, node] of Object.entries(NODES)) {
    const there = existsSync(node);
    it.runIf(there)(`works in ${name}, in its threads, and after it (missed unless in .cache)`, async () => {
      const found = await inNode<boolean[]>(
        `
          import { isMainThread, parentPort, Worker } from 'node:worker_threads';
          ${opening}
          if (isMainThread) {
            const start = () => new Promise((resolve, reject) => {
              new Worker(new URL(import.meta.url)).once('message', resolve).once('error', reject);
            });
            report(await Promise.all([start(), start(), signs(await open()), roundTrip()]));
          } else {
            parentPort.postMessage(await signs(await open()));
          }
        `,
        { node, env },
      );
      expect(found).toEqual([true, true, true, true]);
    });
  }

  it('lets the process end while it is at work', async () => {
    const script = scriptFile(`
      ${opening}
      const key = await open();
      for (let i = 0; i < 8; i++) void signs(key);
      setImmediate(() => process.exit(7));
    `);
    const { status, stdout, stderr } = await run(process.execPath, [script], env);
    expect({ status, stdout, stderr }).toEqual({ status: 7, stdout: '', stderr: '' });
  });
});
