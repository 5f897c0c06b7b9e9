/**
 * The binary for 64-bit ARM, made here by a cross compiler and run by an emulator: under Node for ARM, with the system
 * OpenSSL of Debian's ARM port and its FIPS module. What a machine of that kind does differently from the emulator stays unseen.
 */

import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';

import { decrypt, KeyRing } from '../../lib/index.ts';
import type { Status } from '../../lib/status.ts';
import { arm64Machine } from '../../scripts/prebuild/arm64.mjs';
import { readManifest } from '../golden/manifest.ts';
import { makeKeyPair } from '../helpers/keys.ts';
import { isInstalled, PROJECT } from '../helpers/native-build.ts';
import { DIST, inNode, type Refusal } from '../helpers/native-child.ts';
import { tempDir } from '../helpers/temp.ts';

const GOLDEN = join(PROJECT, 'test/golden/v1/');
const missing = ['aarch64-linux-gnu-g++', 'qemu-aarch64-static'].filter((program) => !isInstalled(program));

describe.skipIf(missing.length > 0)(`linux-arm64${missing.map((program) => `, not tried: no ${program}`)}`, () => {
  const out = tempDir();
  const binary = join(out, 'prebuilds/linux-arm64/callseal.glibc.node');
  let emulated: <T>(script: string) => Promise<T>;

  beforeAll(async () => {
    execFileSync(process.execPath, [join(PROJECT, 'scripts/prebuild.mjs'), out, '--arch', 'arm64'], { stdio: 'pipe' });
    const { emulator, environment, node } = await arm64Machine();
    const env = { ...environment, CALLSEAL_PREBUILD: out };
    emulated = (script) => inNode(script, { node: emulator, args: [node], env });
  }, 1_800_000);

  it('is for that machine, and free of paths', () => {
    const bytes = readFileSync(binary);
    const aarch64 = 183; // e_machine of the ELF header
    expect(bytes.readUInt16LE(18)).toBe(aarch64);
    expect(bytes.includes(PROJECT)).toBe(false);
  });

  it('loads with proof of isolation, and works in the FIPS module', async () => {
    const found = await emulated<{ arch: string; opened: boolean; status: Status }>(
      'report({ arch: process.arch, opened: await roundTrip(), status: status() });',
    );
    expect(found).toMatchObject({ arch: 'arm64', opened: true });
    expect(found.status).toMatchObject({ mode: 'required', provider: { running: true, selfTest: true } });
    const { addonResolvesTo, libcryptoResolvesTo } = found.status.isolation;
    expect(addonResolvesTo).toMatch(/aarch64-linux-gnu\/libcrypto\.so\.3$/);
    expect(libcryptoResolvesTo).toBe(addonResolvesTo);
  });

  it('refuses to load when it was bound to the OpenSSL of node', async () => {
    const refusal = await emulated<Refusal>(`
      import { createRequire } from 'node:module';
      report(attempt(() => createRequire(import.meta.url)(${JSON.stringify(binary)})));
    `);
    expect(refusal.code).toBe('ERR_CRYPTO_NOT_ISOLATED');
  });

  it('opens what every other machine has written', async () => {
    const { files, keys } = readManifest('v1');
    const jobs = files.map(({ file, opens }) => ({ file: join(GOLDEN, file), key: keys[opens[0]!]! }));
    const digests = await emulated<string[]>(`
      import { createHash } from 'node:crypto';
      import { readFileSync } from 'node:fs';
      import { decryptFile, KeyRing, Passphrase } from '${DIST}index.js';
      const digests = [];
      for (const { file, key } of ${JSON.stringify(jobs)}) {
        const passphrases = key.passphrase === null ? [] : [Passphrase.fromBytes(Buffer.from(key.passphrase))];
        const output = ${JSON.stringify(join(out, 'opened-'))} + digests.length;
        await decryptFile(file, output, { keys: new KeyRing([${JSON.stringify(GOLDEN)} + key.file], { passphrases }) });
        digests.push(createHash('sha256').update(readFileSync(output)).digest('hex'));
      }
      report(digests);
    `);
    expect(digests).toEqual(files.map(({ plaintextSha256 }) => plaintextSha256));
  });

  it('writes what every other machine opens', async () => {
    const { certificate, privateKey } = makeKeyPair(tempDir());
    const [input, output] = [join(out, 'call.callsre'), join(out, 'call.callsre.sealed')];
    const plaintext = randomBytes(3_000_000);
    writeFileSync(input, plaintext);
    await emulated(`
      import { encryptFile, Recipients } from '${DIST}index.js';
      const recipients = await Recipients.load([${JSON.stringify(certificate)}]);
      report(await encryptFile(...${JSON.stringify([input, output])}, { recipients }));
    `);
    const opened = await decrypt(readFileSync(output), { keys: new KeyRing([privateKey]) });
    expect(Buffer.compare(opened, plaintext)).toBe(0);
  });
});
