/** Two copies of the package in one process, as `node_modules` may have them: each works, and neither takes the other's handles. */

import { cpSync, mkdirSync, symlinkSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeAll, expect, it } from 'vitest';

import { type LifePlace, lifePlace, lifeScript, reportOf } from './helpers/life.ts';
import { fipsDirectory, PROJECT } from './helpers/native-build.ts';
import { ADDON, DIST } from './helpers/native-child.ts';
import { tempDir } from './helpers/temp.ts';

let place: LifePlace;
let copy: string;

beforeAll(async () => {
  place = await lifePlace();
  const directory = tempDir();
  for (const part of ['dist', 'package.json', relative(PROJECT, ADDON)]) {
    mkdirSync(dirname(join(directory, part)), { recursive: true });
    cpSync(join(PROJECT, part), join(directory, part), { recursive: true });
  }
  symlinkSync(join(PROJECT, 'node_modules'), join(directory, 'node_modules'));
  copy = pathToFileURL(join(directory, 'dist/')).href;
});

const both = () => `
  import { readFileSync } from 'node:fs';
  import { parentPort, Worker, isMainThread } from 'node:worker_threads';
  const [one, other] = await Promise.all(['${DIST}', '${copy}'].map((dist) => import(dist + 'index.js')));
  const [mine, foreign] = await Promise.all(['${DIST}', '${copy}'].map((dist) => import(dist + 'native/load.js')));
`;
const env = () => ({ CALLSEAL_FIPS_DIR: process.env.CALLSEAL_FIPS_DIR ?? fipsDirectory() });

it("work side by side, also in workers, and open each other's files", async () => {
  const script = `${both()}
    if (isMainThread) {
      const worker = new Worker(new URL(import.meta.url));
      const ended = new Promise((resolve, reject) => worker.once('exit', resolve).once('error', reject));
      await round();
      console.log(JSON.stringify([mine.native() === foreign.native(), await ended]));
    } else await round();
    async function round() {
      const plain = Buffer.alloc(600_000, 'a call');
      for (const [writer, reader] of [[one, other], [other, one]]) {
        const sealed = await writer.encrypt(plain, { recipients: await writer.Recipients.load(place.certificates) });
        const opened = await reader.decrypt(sealed, { keys: new reader.KeyRing([place.key]) });
        if (!plain.equals(opened)) throw new Error('another plaintext');
      }
    }
  `;
  expect(await reportOf(lifeScript(place, script), { env: env() })).toEqual([false, 0]);
});

it("refuse each other's handles", async () => {
  const script = `${both()}
    const [n, f] = [mine.native(), foreign.native()];
    const key = await n.PrivateKey.load(place.key, null);
    const attempts = [
      () => key.publicKey.wrap(f.SecretKey.generate('content')),
      () => f.createCertificate(key, [['CN', 'x']], 1),
      () => f.SecretKey.prototype.derive.call(n.SecretKey.generate('content'), 'mac', new Uint8Array(1), new Uint8Array(1)),
      () => f.PrivateKey.load(place.key, n.Passphrase.fromBytes(new Uint8Array(1).fill(65))),
      () => f.PublicKey.prototype.toPem.call(key.publicKey),
    ];
    const codes = [];
    for (const attempt of attempts) {
      try { await attempt(); codes.push('accepted'); } catch (error) { codes.push(error.code ?? error.name); }
    }
    console.log(JSON.stringify(codes));
  `;
  const argument = 'ERR_INVALID_ARGUMENT';
  // V8 itself refuses receivers.
  const refused = [argument, argument, 'TypeError', argument, 'TypeError'];
  expect(await reportOf(lifeScript(place, script), { env: env() })).toEqual(refused);
});
