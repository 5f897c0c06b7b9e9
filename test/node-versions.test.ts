/** The one binary under the other supported versions of Node, whose own OpenSSL differs from release to release. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';

import type { Status } from '../lib/status.ts';
import { PROJECT, run } from './helpers/native-build.ts';
import { ADDON, inNode, type Refusal } from './helpers/native-child.ts';
import { buildPlainAddon, plainRequireOfAddon } from './helpers/poison.ts';

for (const major of [22, 24]) {
  const node = join(PROJECT, `.cache/node-${major}/bin/node`);

  if (!existsSync(node)) {
    it.skip(`Node ${major} is not in .cache (scripts/setup.mjs test fetches it), so nothing was tried under it`, () => {});
    continue;
  }

  describe(`Node ${major}`, () => {
    let plain: string;

    beforeAll(() => {
      plain = buildPlainAddon();
    });

    it('is what its directory says', async () => {
      const { stdout } = await run(node, ['--version']);
      expect(stdout).toMatch(new RegExp(`^v${major}\\.`));
    });

    it('loads the addon, encrypts and decrypts with the system OpenSSL', async () => {
      const found = await inNode<{ opened: boolean; status: Status }>(
        'report({ opened: await roundTrip(), status: status() });',
        { node },
      );
      expect(found.opened).toBe(true);
      expect(found.status.isolation.addonResolvesTo).toMatch(/libcrypto\.so\.3$/);
      expect(found.status.isolation.libcryptoResolvesTo).toBe(found.status.isolation.addonResolvesTo);
      expect(found.status.provider).toMatchObject({ running: true, selfTest: true });
    });

    it('loads it in threads', async () => {
      const found = await inNode<boolean[]>(
        `
          import { isMainThread, parentPort, Worker } from 'node:worker_threads';
          if (isMainThread) {
            const start = () => new Promise((resolve, reject) => {
              new Worker(new URL(import.meta.url)).once('message', resolve).once('error', reject);
            });
            report(await Promise.all([start(), start(), roundTrip()]));
          } else {
            parentPort.postMessage(await roundTrip());
          }
        `,
        { node },
      );
      expect(found).toEqual([true, true, true]);
    });

    it('refuses it when it was bound to the OpenSSL of node', async () => {
      const direct = await inNode<Refusal>(
        `
          import { createRequire } from 'node:module';
          report(attempt(() => createRequire(import.meta.url)(${JSON.stringify(ADDON)})));
        `,
        { node },
      );
      expect(direct.code).toBe('ERR_CRYPTO_NOT_ISOLATED');
      const args = ['--require', plainRequireOfAddon()];
      const indirect = await inNode<Refusal>('report(attempt(() => native()));', { node, args });
      expect(indirect).toMatchObject({ code: 'ERR_CRYPTO_NOT_ISOLATED', name: 'CallsealError' });
    });

    it('refuses a libcrypto that another addon has bound to the OpenSSL of node, and does not crash', async () => {
      const refusal = await inNode<Refusal>(
        `
          process.dlopen({ exports: {} }, ${JSON.stringify(plain)});
          report(attempt(() => native()));
        `,
        { node },
      );
      expect(refusal).toMatchObject({ code: 'ERR_CRYPTO_NOT_ISOLATED', name: 'CallsealError' });
      expect(refusal.message).toMatch(/internal calls of/);
    });

    it('survives threads that are terminated while their jobs run', async () => {
      const found = await inNode(
        `
          import { once } from 'node:events';
          import { isMainThread, parentPort, Worker } from 'node:worker_threads';
          if (isMainThread) {
            for (let i = 0; i < 3; i++) {
              const thread = new Worker(new URL(import.meta.url));
              await once(thread, 'message');
              await thread.terminate();
            }
            report(await roundTrip());
          } else {
            for (let i = 0; i < 4; i++) native().PrivateKey.generate(2048);
            parentPort.postMessage('busy');
            setInterval(() => {}, 1000);
          }
        `,
        { node },
      );
      expect(found).toBe(true);
    });
  });
}
