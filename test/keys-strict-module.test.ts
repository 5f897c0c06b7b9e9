/** A store of the documented default suite on a FIPS module that forbids its steps. */

import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { SUITES, type Suite } from '../lib/keys/index.ts';
import { native } from '../lib/native/load.ts';
import { anotherHost, ENTITY, installationFile, openHierarchy, PLAINTEXT } from './helpers/hierarchy.ts';
import { independentStore } from './helpers/independent.ts';
import { fipsDirectory } from './helpers/native-build.ts';
import { DIST, inNode, type Refusal } from './helpers/native-child.ts';
import { tempDir } from './helpers/temp.ts';

interface Outcome {
  opened: string;
  protecting: Refusal;
  protectingMany: Refusal;
  creating: Refusal;
  beginning: Refusal;
  beginningAgain: Refusal;
  disabled: Refusal;
  masters: { suite: string; state: string }[];
  moved: string;
}

describe('a module that forbids 3DES encryption and SHA-1 signatures', () => {
  let strict: string | null = null;

  beforeAll(() => {
    const { provider } = native().status();
    const [major = 0, minor = 0] = provider.version.split('.').map(Number);
    if (!/FIPS/.test(provider.name) || major * 100 + minor < 304) return;
    strict = fipsDirectory();
    appendFileSync(join(strict, 'fipsmodule.cnf'), '\ntdes-encrypt-disabled = 1\nsignature-digest-check = 1\n');
  });

  it('reads what there is, lets it be disabled and migrated, and makes nothing new of it', async ({ skip }) => {
    if (strict === null) return skip('only FIPS modules from 3.4 can be told to refuse: the refusal was not seen');
    const path = join(tempDir(), 'keys.db');
    const keys = await openHierarchy({ store: `sqlite:${path}`, stateDirectory: anotherHost(), suite: 'lumenvox' });
    const sealed = await keys.protect('models', ENTITY, PLAINTEXT);
    await keys.close();
    const installation = await installationFile();
    const outcome = await inNode<Outcome>(
      `const { KeyHierarchy } = await import('${DIST}keys/index.js');
      const refusal = (promise) => promise.then(() => ({}), ({ code, message }) => ({ code, message }));
      const installation = { key: ${JSON.stringify(installation)} };
      const options = (path) => ({ store: 'sqlite:' + path, stateDirectory: null, installation });
      const keys = await KeyHierarchy.open(options(${JSON.stringify(path)}));
      const entity = ${JSON.stringify(ENTITY)};
      const sealed = Buffer.from('${Buffer.from(sealed).toString('hex')}', 'hex');
      const opened = await keys.unprotect('models', entity, sealed);
      const protecting = await refusal(keys.protect('models', entity, opened));
      const protectingMany = await refusal(keys.protectMany('models', [{ entity, bytes: opened }]));
      const creating = await refusal(keys.masters.create({ suite: 'lumenvox' }));
      const fresh = options(${JSON.stringify(join(tempDir(), 'new.db'))});
      const beginning = await refusal(KeyHierarchy.open({ ...fresh, suite: '3des/aes/sha256' }));
      const beginningAgain = await refusal(KeyHierarchy.open({ ...fresh, create: false }));
      const [{ id }] = await keys.masters.list();
      await keys.masters.disable(id);
      const disabled = await refusal(keys.unprotect('models', entity, sealed));
      await keys.masters.enable(id);
      await keys.masters.rotate({ suite: 'aes/aes/sha256' });
      const moved = await keys.reencrypt('models', entity, sealed);
      const masters = (await keys.masters.list()).map(({ suite, state }) => ({ suite, state }));
      await keys.audit.verify();
      await keys.close();
      const hex = (bytes) => Buffer.from(bytes).toString('hex');
      report({ opened: hex(opened), protecting, protectingMany, creating, beginning, beginningAgain, disabled, masters, moved: hex(moved) });`,
      { env: { CALLSEAL_FIPS_DIR: strict } },
    );
    expect(outcome.opened).toBe(Buffer.from(PLAINTEXT).toString('hex'));
    expect(outcome.disabled.code).toBe('ERR_KEY_DISABLED');
    const says = (step: string) => ({
      code: 'ERR_NOT_APPROVED',
      message: expect.stringMatching(new RegExp(`refuses to ${step} with .*SP 800-131A.*aes/aes/sha256`, 's')),
    });
    expect(outcome.protecting).toEqual(says('encrypt a record'));
    expect(outcome.protectingMany).toEqual(outcome.protecting);
    expect(outcome.creating).toEqual(says('encrypt a record'));
    expect(outcome.beginning).toEqual(says('wrap a working key'));
    expect(outcome.beginningAgain.code).toBe('ERR_KEY_UNKNOWN');
    expect(outcome.masters).toEqual([
      { suite: 'aes/3des/sha1', state: 'active' },
      { suite: 'aes/aes/sha256', state: 'active' },
    ]);
    const reader = await independentStore(`sqlite:${path}`, installation);
    expect(reader.isSound()).toBe(true);
    expect(reader.open(ENTITY, Buffer.from(outcome.moved, 'hex'))).toEqual(PLAINTEXT);
  });

  it('reads records of every suite, and says of each what it refuses to make', async ({ skip }) => {
    if (strict === null) return skip('only FIPS modules from 3.4 can be told to refuse: the refusal was not seen');
    const path = join(tempDir(), 'keys.db');
    const keys = await openHierarchy({ store: `sqlite:${path}`, stateDirectory: anotherHost() });
    const records: string[] = [];
    for (const { text } of SUITES) {
      await keys.masters.rotate({ suite: text });
      records.push(Buffer.from(await keys.protect('models', ENTITY, PLAINTEXT)).toString('hex'));
    }
    await keys.close();
    const outcome = await inNode<{ opened: string[]; refusals: Partial<Refusal>[] }>(
      `const { KeyHierarchy } = await import('${DIST}keys/index.js');
      const installation = { key: ${JSON.stringify(await installationFile())} };
      const keys = await KeyHierarchy.open({ store: 'sqlite:' + ${JSON.stringify(path)}, stateDirectory: null, installation });
      const entity = ${JSON.stringify(ENTITY)};
      const opened = [];
      for (const record of ${JSON.stringify(records)}) {
        opened.push(Buffer.from(await keys.unprotect('models', entity, Buffer.from(record, 'hex'))).toString('hex'));
      }
      const refusals = [];
      for (const suite of ${JSON.stringify(SUITES.map(({ text }) => text))}) {
        refusals.push(await keys.masters.create({ suite }).then(() => ({}), ({ code, message }) => ({ code, message })));
      }
      await keys.close();
      report({ opened, refusals });`,
      { env: { CALLSEAL_FIPS_DIR: strict } },
    );
    expect(new Set(outcome.opened)).toEqual(new Set([Buffer.from(PLAINTEXT).toString('hex')]));
    expect(outcome.opened).toHaveLength(SUITES.length);
    for (const [index, suite] of SUITES.entries()) {
      const step = firstRefused(suite);
      const message = new RegExp(`refuses to ${step} with .*SP 800-131A.*aes/aes/sha256`, 's');
      const refusal = { code: 'ERR_NOT_APPROVED', message: expect.stringMatching(message) };
      expect(outcome.refusals[index], suite.text).toEqual(step === null ? {} : refusal);
    }
  });
});

function firstRefused({ master, working, hash }: Suite): string | null {
  if (master === '3des') return 'wrap a working key';
  if (working === '3des') return 'encrypt a record';
  return hash === 'sha1' ? 'sign a master key' : null;
}
