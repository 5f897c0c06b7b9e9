/**
 * A process that does with keys and passphrases whatever the package can do, once: for tools that watch a process from outside.
 *
 * Made against `dist/`, so that no loader's memory is in the way.
 */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { generatePrivateKey } from '../../lib/index.ts';
import { makeKeyPair, openssl } from './keys.ts';
import { DIST } from './native-child.ts';
import { makeHost } from './signers.ts';
import { tempDir } from './temp.ts';

/** Nothing like any other text, as pieces of it are looked for; UTF-8 and UTF-16 write it differently. */
export const PASSPHRASE = 'q7Xe9vLkä2TzR8mBcß4NpY6dHsW3fJgU5a';

/** What the process is given. All key files are under {@link PASSPHRASE}, but for the signing host's and mary's copy in clear. */
export interface RoundFiles {
  directory: string;
  /** PBES2, and the same key in other forms. */
  key: string;
  otherForms: string[];
  certificate: string;
  /** The key in clear, for who looks; not given to the process. */
  clearKey: string;
  installation: string;
  clearInstallation: string;
  signer: string;
  store: string;
  stateDirectory: string;
  passphraseFile: string;
  wrongPassphraseFile: string;
  plaintext: string;
}

/** Enough for several threads to share it: lib says from 8 MiB on. */
const PLAINTEXT_BYTES = 9 << 20;

export async function makeRoundFiles(): Promise<RoundFiles> {
  const directory = tempDir();
  const at = (name: string): string => join(directory, name);
  const pair = makeKeyPair(tempDir(), { name: 'mary' });
  writeFileSync(at('passphrase'), `${PASSPHRASE}\n`);
  writeFileSync(at('wrong-passphrase'), 'another one\n');
  writeFileSync(at('plaintext'), Buffer.alloc(PLAINTEXT_BYTES, 'a call, '));
  const protection = ['-passout', `file:${at('passphrase')}`];
  const pkcs8 = ['pkcs8', '-topk8', '-in', pair.privateKey, ...protection];
  openssl(...pkcs8, '-v2', 'aes256', '-out', at('mary.key'));
  openssl(...pkcs8, '-scrypt', '-out', at('scrypt.key'));
  openssl(...pkcs8, '-v1', 'PBE-SHA1-3DES', '-out', at('pbes1.key'));
  openssl('rsa', '-in', pair.privateKey, '-traditional', '-aes256', ...protection, '-out', at('dek-info.key'));
  openssl(
    'pkcs12',
    '-export',
    '-inkey',
    pair.privateKey,
    '-in',
    pair.certificate,
    ...protection,
    '-out',
    at('mary.p12'),
  );
  const clearInstallation = join(tempDir(), 'installation.key');
  const installation = await generatePrivateKey(2048);
  await installation.save(clearInstallation, null);
  installation.destroy();
  openssl('pkcs8', '-topk8', '-in', clearInstallation, ...protection, '-v2', 'aes256', '-out', at('installation.key'));
  return {
    directory,
    key: at('mary.key'),
    otherForms: ['scrypt.key', 'pbes1.key', 'dek-info.key', 'mary.p12'].map(at),
    certificate: pair.certificate,
    clearKey: pair.privateKey,
    installation: at('installation.key'),
    clearInstallation,
    signer: (await makeHost('P-256')).privateKey,
    store: `sqlite:${at('keys.db')}`,
    stateDirectory: at('state'),
    passphraseFile: at('passphrase'),
    wrongPassphraseFile: at('wrong-passphrase'),
    plaintext: at('plaintext'),
  };
}

/** Suites of both ciphers at both levels. */
const SUITES = ['aes/aes/sha256', '3des/3des/sha1'];

/**
 * The text of a module that has {@link RoundFiles} as `files`: `useKeys(turns)` uses everything and resolves with what is still
 * held, which `letGo(held)` destroys. More `turns` use keys more often.
 */
export function wholeRound(files: RoundFiles): string {
  return `
  import assert from 'node:assert';
  import { copyFile, readFile, rm, utimes } from 'node:fs/promises';
  import { sealFile } from '${DIST}callfile/seal.js';
  import * as callseal from '${DIST}index.js';
  import { exportInstallation, importInstallation, KeyHierarchy } from '${DIST}keys/index.js';
  const files = ${JSON.stringify(files)};
  const { Passphrase, KeyRing, Recipients, Signer } = callseal;
  const at = (name) => files.directory + '/' + name;
  const refused = (code, work) => assert.rejects(work, (error) => error.code === code || assert.fail(error));
  const ENTITY = { tenant: 'acme', type: 'claimant', id: 'c-41', field: 'template' };
  const OVER = { overwrite: true, sync: false };

  async function useKeyFiles(passphrase) {
    for (const path of files.otherForms) {
      const key = await callseal.loadPrivateKey(path, passphrase);
      await rm(at('saved.key'), { force: true });
      await key.save(at('saved.key'), passphrase);
      key.destroy();
    }
    const wrong = Passphrase.fromFile(files.wrongPassphraseFile);
    await refused('ERR_WRONG_PASSPHRASE', callseal.loadPrivateKey(files.key, wrong));
    wrong.destroy();
    // Not destroyed: that is left to the collector.
    await callseal.loadPrivateKey(files.key, Passphrase.fromFile(files.passphraseFile));
  }

  async function makeKeys(passphrase) {
    const made = { rsa: await callseal.generatePrivateKey(2048), ec: await callseal.generateSigningKey('P-384') };
    for (const [name, key] of Object.entries(made)) {
      await rm(at(name + '.key'), { force: true });
      await key.save(at(name + '.key'), passphrase);
      await callseal.createCertificate(key, [['CN', 'made']], 1);
      key.destroy();
    }
  }

  async function moveInstallation(passphrase) {
    const folder = at('installation');
    await rm(folder, { recursive: true, force: true });
    await importInstallation({ folder, from: at('mary.p12'), fromPassphrase: passphrase, passphrase });
    await rm(at('moved.p12'), { force: true });
    await exportInstallation({ folder, passphrase, out: at('moved.p12'), outPassphrase: passphrase });
  }

  async function useCallFiles(recipients, keys, signer) {
    await callseal.encryptFile(files.plaintext, at('sealed'), { recipients, ...OVER });
    await callseal.decryptFile(at('sealed'), at('opened'), { keys, ...OVER });
    await callseal.encryptFile(files.plaintext, at('signed'), { recipients, signer, ...OVER });
    await callseal.verify(at('signed'), { keys });
    const bytes = await callseal.encrypt(Buffer.from('a short call'), { recipients });
    assert.equal(Buffer.from(await callseal.decrypt(bytes, { keys })).toString(), 'a short call');
    bytes[bytes.length - 1] ^= 1;
    await refused('ERR_TAMPERED', callseal.decrypt(bytes, { keys }));
    await copyFile(files.plaintext, at('to-seal'));
    await utimes(at('to-seal'), 1, 1);
    await rm(at('agent-sealed'), { force: true });
    await sealFile(at('to-seal'), at('agent-sealed'), { recipients, signer });
    await callseal.exportCms(at('sealed'), at('message.cms'), { keys, recipients, ...OVER });
    await callseal.importCms(at('message.cms'), at('imported'), { keys, recipients, ...OVER });
    await callseal.rekeyFile(at('imported'), at('rekeyed'), { keys, recipients, ...OVER });
  }

  async function useStreams(recipients, keys) {
    const encrypting = callseal.createEncryptStream({ recipients, segmentLength: 4096 });
    const sealed = [];
    encrypting.on('data', (chunk) => sealed.push(chunk));
    encrypting.write(Buffer.alloc(100_000, 'a call'));
    await new Promise((resolve) => encrypting.once('data', resolve));
    const decrypting = callseal.createDecryptStream({ keys });
    decrypting.resume();
    decrypting.write((await readFile(at('sealed'))).subarray(0, 600_000));
    await new Promise((resolve) => decrypting.once('data', resolve));
    const file = await callseal.openRandomAccess(at('signed'), { keys });
    await file.readRange(1_000_000, 1_000_100);
    return { encrypting, decrypting, file };
  }

  async function useHierarchy(hierarchy) {
    for (const suite of ${JSON.stringify(SUITES)}) {
      await hierarchy.masters.rotate({ suite });
      await hierarchy.working.rotate('models').catch(() => {});
      const sealed = await hierarchy.protect('models', ENTITY, Buffer.from('a voice model'));
      assert.equal(Buffer.from(await hierarchy.unprotect('models', ENTITY, sealed)).toString(), 'a voice model');
      await refused('ERR_ENTITY_MISMATCH', hierarchy.unprotect('models', { ...ENTITY, id: 'c-42' }, sealed));
      await hierarchy.protectMany('models', [{ entity: ENTITY, bytes: Buffer.from('another') }]);
    }
  }

  async function useKeys(turns) {
    const passphrase = Passphrase.fromFile(files.passphraseFile);
    const keys = new KeyRing([files.key], { passphrases: [passphrase] });
    const recipients = await Recipients.load([files.certificate]);
    const signer = await Signer.load(files.signer);
    const { store, stateDirectory } = files;
    const installation = { key: files.installation, passphrase };
    const hierarchy = await KeyHierarchy.open({ store, stateDirectory, installation, actor: 'round' });
    for (let turn = 0; turn < turns; turn++) {
      await useKeyFiles(passphrase);
      await makeKeys(passphrase);
      await moveInstallation(passphrase);
      await useCallFiles(recipients, keys, signer);
      await useHierarchy(hierarchy);
    }
    return { passphrase, keys, recipients, signer, hierarchy, ...(await useStreams(recipients, keys)) };
  }

  async function letGo({ passphrase, keys, signer, hierarchy, encrypting, decrypting, file }) {
    for (const stream of [encrypting, decrypting]) {
      stream.on('error', () => {}).destroy();
      await new Promise((resolve) => (stream.closed ? resolve() : stream.once('close', resolve)));
    }
    await file.close();
    await hierarchy.close();
    signer.destroy();
    keys.destroy();
    passphrase.destroy();
  }
`;
}
