/** What files and stores must be after a command that was disturbed: each of these throws when something is not whole. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Libsql from 'libsql';
import { expect } from 'vitest';

import { decrypt, inspect } from '../../lib/index.ts';
import { KeyHierarchy } from '../../lib/keys/index.ts';
import { openInstallation } from '../../lib/keys/installation/open.ts';
import { Passphrase } from '../../lib/native/passphrase.ts';
import { KeyRing } from '../../lib/recipients/keyring.ts';
import { type CmsEncoding, partnerDecrypts } from './cms.ts';
import { openssl } from './keys.ts';
import { PASSPHRASE } from './keys-cli.ts';

/** Looks at something in the folder. */
export type Check = (root: string) => Promise<void> | void;

/** What the plain files hold: three segments of it, and a passage that a search finds. */
export const MARKER = 'the card ends in 4242; ';
export const CONTENT = Buffer.from(MARKER.repeat(26_000));
/** What the protected records hold. */
export const SECRET = 'a voice model that nobody else may have';
export const ENTITY = { tenant: 'acme', type: 'claimant', id: 'c-41', field: 'template' };

/** Opens with Mary's key and holds what it shall; for so many recipients, if that is said. */
export const opens =
  (path: string, readers?: number): Check =>
  async (root) => {
    const keys = new KeyRing([join(root, 'mary.key')]);
    const content = await decrypt(readFileSync(join(root, path)), { keys });
    keys.destroy();
    expect(CONTENT.equals(content), `${path} opens`).toBe(true);
    if (readers !== undefined) expect((await inspect(join(root, path))).recipients).toHaveLength(readers);
  };

export const isContent =
  (path: string): Check =>
  (root) =>
    expect(CONTENT.equals(readFileSync(join(root, path))), `${path} is the plaintext`).toBe(true);

/** At least the first segment. */
export const isBeginning =
  (path: string): Check =>
  (root) => {
    const found = readFileSync(join(root, path));
    expect(found.length).toBeGreaterThan(200_000);
    expect(CONTENT.subarray(0, found.length).equals(found), `${path} is a beginning`).toBe(true);
  };

export const isMessage =
  (path: string, form: CmsEncoding = 'DER'): Check =>
  (root) => {
    const pair = { certificate: join(root, 'mary.crt'), privateKey: join(root, 'mary.key') };
    expect(CONTENT.equals(partnerDecrypts(join(root, path), pair, form)), `${path} opens`).toBe(true);
  };

const publicKeyOf = (path: string): string =>
  openssl('pkey', '-in', path, '-passin', `pass:${PASSPHRASE}`, '-pubout').toString();

/** A private key under the passphrase. */
export const isKey =
  (path: string): Check =>
  (root) =>
    expect(publicKeyOf(join(root, path))).toContain('PUBLIC KEY');

/** The certificate of a key that is there, too. */
export const isCertificateOf =
  (key: string, path: string): Check =>
  (root) => {
    const certified = openssl('x509', '-in', join(root, path), '-noout', '-pubkey').toString();
    expect(certified).toBe(publicKeyOf(join(root, key)));
  };

export const isPkcs12 =
  (path: string): Check =>
  (root) => {
    openssl('pkcs12', '-in', join(root, path), '-passin', `pass:${PASSPHRASE}`, '-noenc', '-nodes');
  };

export const isText =
  (path: string, pattern: RegExp): Check =>
  (root) =>
    expect(readFileSync(join(root, path), 'utf8')).toMatch(pattern);

/** Runs something on the hierarchy of the folder. */
export async function withHierarchy<T>(
  root: string,
  work: (keys: KeyHierarchy) => Promise<T>,
  store = `sqlite:${join(root, 'keys.db')}`,
): Promise<T> {
  const passphrase = Passphrase.fromBytes(Buffer.from(PASSPHRASE));
  const installation = await openInstallation({ folder: join(root, 'installation'), passphrase });
  try {
    const keys = await KeyHierarchy.open({ store, stateDirectory: join(root, 'state'), installation, actor: 'tester' });
    try {
      return await work(keys);
    } finally {
      await keys.close();
    }
  } finally {
    installation.destroy();
    passphrase.destroy();
  }
}

/** The store is whole, its log too, the record from before opens, and new ones can be made. */
export const hierarchyWorks: Check = (root) =>
  withHierarchy(root, async (keys) => {
    const old = await keys.unprotect('models', ENTITY, readFileSync(join(root, 'record')));
    expect(Buffer.from(old).toString()).toBe(SECRET);
    const fresh = await keys.protect('models', ENTITY, old);
    expect(await keys.unprotect('models', ENTITY, fresh)).toEqual(old);
    await keys.audit.verify();
  });

export const isRecord =
  (path: string): Check =>
  (root) =>
    withHierarchy(root, async (keys) => {
      const opened = await keys.unprotect('models', ENTITY, readFileSync(join(root, path)));
      expect(Buffer.from(opened).toString()).toBe(SECRET);
    });

/** Every row of the table opens. */
export const tableOpens: Check = (root) =>
  withHierarchy(root, async (keys) => {
    const database = new Libsql(join(root, 'voice.db'));
    const rows = database.prepare('select claimant, template from voice').all() as Row[];
    database.close();
    expect(rows).toHaveLength(ROWS);
    for (const { claimant, template } of rows) {
      const opened = await keys.unprotect('models', rowEntity(claimant), new Uint8Array(template));
      expect(Buffer.from(opened).toString()).toBe(SECRET);
    }
  });

interface Row {
  claimant: string;
  template: ArrayBuffer | Buffer;
}

export const ROWS = 20;
export const rowEntity = (claimant: string) => ({ type: 'claimant', id: claimant, field: 'template' });
