/** The folder that the commands of `command-cases.ts` work on, and a look at what they left in it. */

import { createHash } from 'node:crypto';
import { cpSync, lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Libsql from 'libsql';

import { errnoOf } from '../../lib/errors.ts';
import { findFipsModule } from '../../lib/fips/discover.ts';
import { encrypt, Recipients } from '../../lib/index.ts';
import { CONTENT, ENTITY, MARKER, ROWS, rowEntity, SECRET, withHierarchy } from './case-checks.ts';
import { partnerEncrypts } from './cms.ts';
import type { CommandCase } from './command-cases.ts';
import { makeKeyPair, openssl } from './keys.ts';
import { makeSite, PASSPHRASE, type Site } from './keys-cli.ts';
import { tempDir } from './temp.ts';

/** What stands for itself in the arguments of a case. */
export type Words = Record<'spare' | 'disabled' | 'module' | 'queue', string>;

export interface Template {
  root: string;
  words: Words;
}

/** Makes the folder that each run gets a copy of. */
export async function makeTemplate(queue = ''): Promise<Template> {
  const site = await makeSite();
  const root = site.cwd;
  const pair = (name: string): string[] => {
    const { certificate, privateKey } = makeKeyPair(tempDir(), { name });
    cpSync(certificate, join(root, `${name}.crt`));
    cpSync(privateKey, join(root, `${name}.key`));
    return [join(root, `${name}.crt`)];
  };
  const mary = pair('mary');
  const fred = pair('fred');
  await makeFiles(root, mary, fred);
  await makeInstallation(site);
  const { spare, disabled } = await makeStore(root);
  const log = join(root, 'keys.db-wal');
  if (lstatSync(log, { throwIfNoEntry: false })?.size) throw new Error('the store was not closed');
  return { root, words: { spare, disabled, module: findFipsModule().modulePath, queue } };
}

async function makeFiles(root: string, mary: string[], fred: string[]): Promise<void> {
  const at = (name: string): string => join(root, name);
  for (const name of ['recordings', 'sealed', 'host']) mkdirSync(at(name));
  for (const name of ['call', 'recordings/one']) writeFileSync(at(name), CONTENT);
  const sealed = await encrypt(CONTENT, { recipients: await Recipients.load(mary) });
  writeFileSync(at('sealed/call.sealed'), sealed);
  writeFileSync(at('sealed/cut.sealed'), sealed.subarray(0, -1000));
  writeFileSync(
    at('sealed/both.sealed'),
    await encrypt(CONTENT, { recipients: await Recipients.load([...mary, ...fred]) }),
  );
  cpSync(partnerEncrypts(at('call'), mary), at('call.cms'));
  // A host has no private keys beside its certificates.
  cpSync(at('mary.crt'), at('host/mary.crt'));
  writeFileSync(at('host/client_property.conf'), `LOGGING_ENCRYPTION_KEY=${at('host/mary.crt')}\n`);
  writeFileSync(at('template'), SECRET);
}

async function makeInstallation(site: Site): Promise<void> {
  const at = (name: string): string => join(site.cwd, name);
  const authority = join(tempDir(), 'ca');
  openssl(
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-keyout',
    authority,
    '-out',
    `${authority}.crt`,
    '-subj',
    '/CN=authority',
  );
  const signing = ['-CA', `${authority}.crt`, '-CAkey', authority, '-CAcreateserial', '-days', '300'];
  openssl('x509', '-req', '-in', at('installation/installation.csr'), ...signing, '-out', at('license.crt'));
  await site.ok(['installation', 'export', '--out', at('backup.p12'), '--p12-passphrase-env', 'SITE_PASSPHRASE']);
}

/** A store with a second master key, a third one that is disabled, and a table with records under an old key. */
function makeStore(root: string): Promise<{ spare: string; disabled: string }> {
  return withHierarchy(root, async (keys) => {
    writeFileSync(join(root, 'record'), await keys.protect('models', ENTITY, Buffer.from(SECRET)));
    const database = new Libsql(join(root, 'voice.db'));
    database.exec('create table voice (id integer primary key, claimant text, template blob)');
    const insert = database.prepare('insert into voice values (?, ?, ?)');
    for (let row = 0; row < ROWS; row += 1) {
      const record = await keys.protect('models', rowEntity(`c-${row}`), Buffer.from(SECRET));
      insert.run([row, `c-${row}`, Buffer.from(record)]);
    }
    database.close();
    await keys.working.rotate('models');
    // Of another area, one that was never used.
    for (let version = 1; version <= 2; version++) await keys.working.rotate('credentials');
    const spare = await keys.masters.create();
    const disabled = await keys.masters.create();
    await keys.masters.disable(disabled);
    return { spare, disabled };
  });
}

/** The environment of every command, with what the folder is to hierarchies. */
export function environmentOf(root: string): NodeJS.ProcessEnv {
  return {
    CALLSEAL_INSTALLATION: join(root, 'installation'),
    CALLSEAL_STORE: `sqlite:${join(root, 'keys.db')}`,
    CALLSEAL_STATE_DIR: join(root, 'state'),
    SITE_PASSPHRASE: PASSPHRASE,
    UV_THREADPOOL_SIZE: '4',
  };
}

/** The words of a case's command line. */
export function commandLine({ command, args }: CommandCase, words: Words): string[] {
  const fill = (word: string): string => word.replace(/^\{(\w+)\}$/, (_, name: keyof Words) => words[name]);
  return [...command.split(' '), ...args.map(fill)];
}

export function titleOf({ command, variant }: CommandCase): string {
  return variant === undefined ? command : `${command}, ${variant}`;
}

/**
 * Undefined for a file that is not there any more: SQLite removes `-wal` and `-shm` with its last connection, which in a
 * process that goes on ends when the garbage collector comes to it.
 */
function contentOf(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    return undefined;
  }
}

/** What is in a folder: the hash of each file, and directories. */
export type Listing = Map<string, string>;

export function listingOf(root: string): Listing {
  const listing: Listing = new Map();
  for (const name of readdirSync(root, { recursive: true }) as string[]) {
    const path = join(root, name);
    const status = lstatSync(path, { throwIfNoEntry: false });
    if (status === undefined) continue;
    const content = status.isFile() ? contentOf(path) : null;
    if (content === undefined) continue;
    listing.set(name, content === null ? 'directory' : createHash('sha256').update(content).digest('hex'));
  }
  return listing;
}

/** Everything that is wrong with a folder after a run of the case; nothing, if it is as it must be. */
export async function problemsIn(
  root: string,
  before: Listing,
  { outputs = {}, changes = {}, loose, after }: CommandCase,
): Promise<string[]> {
  const problems: string[] = [];
  const examine = async (what: string, check: (root: string) => Promise<void> | void): Promise<void> => {
    try {
      await check(root);
    } catch (error) {
      problems.push(`${what}: ${(error as Error).message.split('\n')[0]}`);
    }
  };
  const now = listingOf(root);
  for (const [name, hash] of now) {
    if (before.get(name) === hash || loose?.test(name)) continue;
    const check = before.has(name) ? changes[name] : outputs[name];
    if (check === undefined) problems.push(`${name} ${before.has(name) ? 'was changed' : 'was left behind'}`);
    else await examine(name, check);
  }
  for (const name of before.keys()) {
    if (!now.has(name) && !loose?.test(name) && !(name in changes)) problems.push(`${name} is gone`);
  }
  for (const name of now.keys())
    if (loose?.test(name) && holdsPlaintext(join(root, name))) problems.push(`${name} holds plaintext`);
  if (after !== undefined) await examine('afterwards', after);
  return problems;
}

function holdsPlaintext(path: string): boolean {
  if (!lstatSync(path, { throwIfNoEntry: false })?.isFile()) return false;
  const bytes = contentOf(path);
  return [MARKER, SECRET, '-----BEGIN PRIVATE KEY'].some((text) => bytes?.includes(text));
}
