/** The installation folder: where it is, who may look into it, what its description may say; and the service's credential. */

import { chmodSync, chownSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';

import {
  installationFolder,
  installationPaths,
  openInstallation,
  showInstallation,
} from '../lib/keys/installation/index.ts';
import { codeOf, refusalOf } from './helpers/errors.ts';
import { keyIdOf, makeKeyPair, openssl } from './helpers/keys.ts';
import { tempDir } from './helpers/temp.ts';

const isRoot = process.geteuid?.() === 0;
const DESCRIPTION = {
  version: 1,
  created: '2026-05-04T10:20:30.000Z',
  keyId: 'a'.repeat(64),
  exportable: true,
  pkcs11: null as string | null,
};

/** A folder with this `installation.json`. */
function folderWith(content: string): string {
  const folder = tempDir();
  writeFileSync(installationPaths(folder).description, content);
  return folder;
}

const described = (changes: object) => folderWith(JSON.stringify({ ...DESCRIPTION, ...changes }));

describe('the installation folder', () => {
  it('is the one given, that of the environment, or the usual one', () => {
    const usual = isRoot ? '/etc/callseal/installation' : join(homedir(), '.config/callseal/installation');
    expect(installationFolder('/a/b', { CALLSEAL_INSTALLATION: '/c' })).toBe('/a/b');
    expect(installationFolder('b', {})).toBe(join(process.cwd(), 'b'));
    expect(installationFolder(undefined, { CALLSEAL_INSTALLATION: '/c' })).toBe('/c');
    expect(installationFolder(undefined, {})).toBe(usual);
    expect(installationFolder(undefined, { XDG_CONFIG_HOME: 'relative' })).toBe(usual);
    const own = installationFolder(undefined, { XDG_CONFIG_HOME: '/x' });
    expect(own).toBe(isRoot ? usual : '/x/callseal/installation');
  });

  it('has a name', async () => {
    expect(await codeOf(() => installationFolder(''))).toBe('ERR_INVALID_ARGUMENT');
  });

  it('is missed with a hint', async () => {
    const { code, errno, message } = await refusalOf(() => showInstallation(tempDir()));
    expect([code, errno]).toEqual(['ERR_IO', 'ENOENT']);
    expect(message).toMatch(/callseal installation request/);
    const missing = await refusalOf(() => showInstallation(join(tempDir(), 'missing')));
    expect(missing.code).toBe('ERR_IO');
    expect(missing.message).toMatch(/callseal installation request/);
    expect(await codeOf(() => showInstallation(process.execPath))).toBe('ERR_INVALID_ARGUMENT');
  });

  it.runIf(isRoot)('belongs to nobody else (missed without root)', async () => {
    const folder = described({});
    chownSync(folder, 12345, 12345);
    const { code, message } = await refusalOf(() => showInstallation(folder));
    expect(code).toBe('ERR_NOT_APPROVED');
    expect(message).toContain('chown');
  });

  it('may be reached by a symbolic link, but is judged itself', async () => {
    const folder = described({});
    const link = join(tempDir(), 'link');
    symlinkSync(folder, link);
    expect((await showInstallation(link)).keyId).toBe(DESCRIPTION.keyId);
    chmodSync(folder, 0o755);
    expect(await codeOf(() => showInstallation(link))).toBe('ERR_NOT_APPROVED');
  });
});

describe('installation.json', () => {
  it('says what the key is', async () => {
    const folder = described({ exportable: false });
    expect(await showInstallation(folder)).toEqual({
      keyId: DESCRIPTION.keyId,
      place: { kind: 'file', path: installationPaths(folder).key },
      exportable: false,
      created: new Date(DESCRIPTION.created),
      certificate: null,
    });
    const uri = 'pkcs11:token=a;object=b?module-path=/m.so';
    expect((await showInstallation(described({ pkcs11: uri, exportable: false }))).place).toEqual({
      kind: 'token',
      uri,
    });
  });

  it('is refused unless every part of it is right', async () => {
    const wrong = [
      folderWith(''),
      folderWith('[]'),
      folderWith('null'),
      folderWith('{'),
      folderWith(JSON.stringify(DESCRIPTION).repeat(200)),
      described({ more: 1 }),
      described({ created: undefined }),
      described({ created: '2026-05-04' }),
      described({ created: 5 }),
      described({ keyId: 'A'.repeat(64) }),
      described({ keyId: 'a'.repeat(63) }),
      described({ exportable: 'yes' }),
      described({ pkcs11: 5 }),
      described({ pkcs11: 'pkcs11:token=a', exportable: false }),
      described({ pkcs11: 'pkcs11:object=a?module-path=/m.so' }),
      described({ version: '1' }),
    ];
    for (const folder of wrong) {
      const { code, path } = await refusalOf(() => showInstallation(folder));
      expect([code, path]).toEqual(['ERR_KEY_UNREADABLE', installationPaths(folder).description]);
    }
    expect(await codeOf(() => showInstallation(described({ version: 2 })))).toBe('ERR_UNSUPPORTED_VERSION');
  });
});

describe('the credential of a service', () => {
  let folder: string;
  let directory: string;

  beforeAll(() => {
    folder = tempDir();
    const pair = makeKeyPair(tempDir());
    const { key, description } = installationPaths(folder);
    openssl('pkcs8', '-topk8', '-in', pair.privateKey, '-passout', 'pass:of the service', '-out', key);
    chmodSync(key, 0o600);
    writeFileSync(description, JSON.stringify({ ...DESCRIPTION, keyId: keyIdOf(pair.certificate) }));
    directory = tempDir();
  });

  afterEach(() => {
    delete process.env.CREDENTIALS_DIRECTORY;
  });

  const credential = (text: string, mode = 0o400) => {
    directory = tempDir();
    writeFileSync(join(directory, 'callseal-installation'), text, { mode });
    process.env.CREDENTIALS_DIRECTORY = directory;
  };

  it('opens the key without a person', async () => {
    credential('of the service\n');
    (await openInstallation({ folder })).destroy();
    credential('of the service', 0o440); // with an access control list, the group's bits are its mask
    (await openInstallation({ key: installationPaths(folder).key })).destroy();
  });

  it('comes after a passphrase that is given', async () => {
    credential('wrong');
    expect(await codeOf(() => openInstallation({ folder }))).toBe('ERR_WRONG_PASSPHRASE');
    expect(await codeOf(() => openInstallation({ folder, passphrase: () => null }))).toBe('ERR_PASSPHRASE_REQUIRED');
  });

  it('may be absent', async () => {
    for (const value of ['', tempDir()]) {
      process.env.CREDENTIALS_DIRECTORY = value;
      expect(await codeOf(() => openInstallation({ folder }))).toBe('ERR_PASSPHRASE_REQUIRED');
    }
  });

  it('is not taken from where others could have put it or can read it', async () => {
    process.env.CREDENTIALS_DIRECTORY = 'relative';
    expect(await codeOf(() => openInstallation({ folder }))).toBe('ERR_INVALID_ARGUMENT');

    credential('of the service', 0o444);
    expect((await refusalOf(() => openInstallation({ folder }))).message).toMatch(/every user may read it/);

    credential('of the service');
    chmodSync(directory, 0o777);
    expect((await refusalOf(() => openInstallation({ folder }))).message).toMatch(/every user may write it/);

    const real = join(directory, 'callseal-installation');
    process.env.CREDENTIALS_DIRECTORY = tempDir();
    symlinkSync(real, join(process.env.CREDENTIALS_DIRECTORY, 'callseal-installation'));
    expect(await codeOf(() => openInstallation({ folder }))).toBe('ERR_NOT_APPROVED');

    process.env.CREDENTIALS_DIRECTORY = tempDir();
    mkdirSync(join(process.env.CREDENTIALS_DIRECTORY, 'callseal-installation'));
    expect(await codeOf(() => openInstallation({ folder }))).toBe('ERR_NOT_APPROVED');
  });
});
