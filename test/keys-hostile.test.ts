/** What a hostile caller, an unlucky moment or somebody on the way could do to keys and budgets. */

import { chmodSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { HighWater } from '../lib/keys/high-water.ts';
import type { InstallationKey } from '../lib/keys/index.ts';
import { codeOf, refusalOf } from './helpers/errors.ts';
import { anotherHost, ENTITY, freshPlace, installationKey, openHierarchy, PLAINTEXT } from './helpers/hierarchy.ts';
import { STORE_KINDS } from './helpers/stores.ts';

const SQLITE = STORE_KINDS[0]!;

/** An installation key that opens master keys only when it is let, as a slow token does. */
async function slowInstallation() {
  const { key, id } = await installationKey();
  let hold: Promise<void> = Promise.resolve();
  let asked = 0;
  const slow = new Proxy(key, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      if (name !== 'unwrapMaster') return value.bind(target);
      return async (...given: Parameters<typeof key.unwrapMaster>) => {
        asked += 1;
        await hold;
        return target.unwrapMaster(...given);
      };
    },
  });
  return {
    installation: { key: slow, id, destroy: () => {} } satisfies InstallationKey,
    /** The next opening waits until the function that this returns is called. */
    holdOpening(): () => void {
      let release = () => {};
      hold = new Promise((resolve) => {
        release = resolve;
      });
      return release;
    },
    async untilAsked(): Promise<void> {
      while (asked === 0) await pause(5);
    },
    forgetAsked(): void {
      asked = 0;
    },
  };
}

/** A hierarchy that has to open its one master key for the next record, and will be held up in it. */
async function aboutToOpen() {
  const place = await freshPlace(SQLITE);
  const slow = await slowInstallation();
  const keys = await openHierarchy({ ...place, installation: slow.installation });
  const sealed = await keys.protect('models', ENTITY, PLAINTEXT);
  const [master] = await keys.masters.list();
  await keys.masters.disable(master!.id);
  await keys.masters.enable(master!.id);
  slow.forgetAsked();
  return { keys, slow, sealed, master: master!.id };
}

test('a key that was being opened while its master key was disabled serves nobody', async () => {
  const { keys, slow, sealed, master } = await aboutToOpen();
  const release = slow.holdOpening();
  const inFlight = codeOf(() => keys.unprotect('models', ENTITY, sealed));
  await slow.untilAsked();
  await keys.masters.disable(master);
  release();
  expect(await inFlight).toBe('ERR_KEY_DISABLED');
  expect(await codeOf(() => keys.unprotect('models', ENTITY, sealed))).toBe('ERR_KEY_DISABLED');
  expect(await codeOf(() => keys.protect('models', ENTITY, PLAINTEXT))).toBe('ERR_KEY_DISABLED');
});

test('a key that was being opened while it retired encrypts nothing', async () => {
  const { keys, slow } = await aboutToOpen();
  const release = slow.holdOpening();
  const inFlight = keys.protect('models', ENTITY, PLAINTEXT);
  await slow.untilAsked();
  await keys.masters.rotate();
  release();
  const records = [await inFlight, await keys.protect('models', ENTITY, PLAINTEXT)];
  const [newest] = (await keys.working.list('models')).filter(({ encrypts }) => encrypts);
  // The working key's id in the header of each.
  expect(records.map((record) => Buffer.from(record.subarray(22, 38)).toString('hex'))).toEqual([
    newest!.id,
    newest!.id,
  ]);
});

test('a key that was being opened at close() serves nobody', async () => {
  const { keys, slow, sealed } = await aboutToOpen();
  const release = slow.holdOpening();
  const inFlight = codeOf(() => keys.unprotect('models', ENTITY, sealed));
  await slow.untilAsked();
  await keys.close();
  release();
  expect(await inFlight).toBe('ERR_KEY_USE');
});

test('budget is taken for the bytes that are there, whatever their class says', async () => {
  class Shortened extends Uint8Array {
    override get length(): number {
      return 0;
    }
  }
  const keys = await openHierarchy({ ...(await freshPlace(SQLITE)), suite: 'aes/3des/sha256' });
  const bytes = new Shortened(2 ** 22);
  for (let record = 0; record < 3; record += 1) await keys.protect('models', ENTITY, bytes);
  await keys.protectMany(
    'features',
    [1, 2, 3].map(() => ({ entity: ENTITY, bytes })),
  );
  // A key has 8 MiB: none could take two of these and their padding.
  for (const area of ['models', 'features']) expect(await keys.working.list(area)).toHaveLength(3);
});

test('an item of a batch is read once', async () => {
  const keys = await openHierarchy(await freshPlace(SQLITE));
  let read = 0;
  const item = {
    entity: ENTITY,
    get bytes() {
      read += 1;
      return new Uint8Array(read);
    },
  };
  const [sealed] = await keys.protectMany('models', [item]);
  expect(await keys.unprotect('models', ENTITY, sealed!)).toEqual(new Uint8Array(1));
});

test('an entity whose getter encodes another is itself', async () => {
  const keys = await openHierarchy(await freshPlace(SQLITE));
  await keys.protect('models', ENTITY, PLAINTEXT);
  let inner: Promise<Uint8Array> | undefined;
  const entity = {
    ...ENTITY,
    get type() {
      inner ??= keys.protect('models', { type: 'another', id: '2' }, PLAINTEXT);
      return ENTITY.type;
    },
  };
  const sealed = await keys.protect('models', entity, PLAINTEXT);
  expect(await keys.unprotect('models', ENTITY, sealed)).toEqual(PLAINTEXT);
  expect(await keys.unprotect('models', { type: 'another', id: '2' }, await inner!)).toEqual(PLAINTEXT);
});

test.each([
  ['a proxy', new Proxy(new Uint8Array(4), {})],
  ['an object with the right prototype', Object.create(Uint8Array.prototype) as Uint8Array],
])('%s is no Uint8Array', async (_name, bytes) => {
  const keys = await openHierarchy(await freshPlace(SQLITE));
  const wrong = 'ERR_INVALID_ARGUMENT';
  expect(await codeOf(() => keys.protect('models', ENTITY, bytes))).toBe(wrong);
  expect(await codeOf(() => keys.unprotect('models', ENTITY, bytes))).toBe(wrong);
  expect(await codeOf(() => keys.protectMany('models', [{ entity: ENTITY, bytes }]))).toBe(wrong);
  expect(await codeOf(() => keys.isCurrent(bytes))).toBe(wrong);
});

test('two memories of one process, as its threads have, do not get in each other’s way', async () => {
  const directory = anotherHost();
  const id = new Uint8Array(16);
  const mark = (sequence: number) => ({ sequence, auditSequence: 1, auditHash: '00'.repeat(32), working: {} });
  const memories = Array.from({ length: 8 }, () => new HighWater(directory, 'sqlite:/a'));
  for (let sequence = 1; sequence <= 20; sequence += 1) {
    await Promise.all(memories.map((memory) => memory.advance(id, mark(sequence))));
  }
  expect((await new HighWater(directory, 'sqlite:/a').read(id))!.sequence).toBe(20);
});

test('a re-encryption that was begun anew cannot be finished by the run before', async () => {
  const keys = await openHierarchy(await freshPlace(SQLITE));
  await keys.protect('models', ENTITY, PLAINTEXT);
  const first = await keys.reencryptions.begin('a table', 'models');
  await keys.working.rotate('models');
  await pause(2); // runs are told apart by the time at which they began
  const second = await keys.reencryptions.begin('a table', 'models');
  const report = { counts: {}, left: {} };
  expect(await codeOf(() => keys.reencryptions.finish(first, report))).toBe('ERR_KEY_IN_USE');
  expect(await codeOf(() => keys.reencryptions.advance(first, '1', report))).toBe('ERR_KEY_IN_USE');
  const [old] = await keys.working.list('models');
  expect(await codeOf(() => keys.working.remove(old!.id))).toBe('ERR_KEY_IN_USE');
  await keys.reencryptions.finish(second, report);
  expect(await codeOf(() => keys.reencryptions.finish(second, report))).toBe('ERR_KEY_IN_USE');
  await keys.working.remove(old!.id);
});

test('a change that was made says so when the host cannot remember it', async () => {
  const place = await freshPlace(SQLITE);
  const { key, id } = await installationKey();
  let signing = () => {};
  const watched = new Proxy(key, {
    get(target, name) {
      if (name === 'sign') signing();
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const keys = await openHierarchy({ ...place, installation: { key: watched, id, destroy: () => {} } });
  // When a change is signed, the memory has been read, and has not been written.
  signing = () => {
    signing = () => {};
    rmSync(place.stateDirectory, { recursive: true });
    writeFileSync(place.stateDirectory, 'in the way');
  };
  const { code, message } = await refusalOf(() => keys.masters.create());
  expect(code).toBe('ERR_IO');
  expect(message).toMatch(/^the change was made, but /);
  rmSync(place.stateDirectory);
  expect(await keys.masters.list()).toHaveLength(2);
});

test('a state directory that others may write is refused', async () => {
  const place = await freshPlace(SQLITE);
  mkdirSync(place.stateDirectory);
  chmodSync(place.stateDirectory, 0o777);
  const { code, message } = await refusalOf(() => openHierarchy(place));
  expect(code).toBe('ERR_NOT_APPROVED');
  expect(message).toContain(`chmod o-w ${place.stateDirectory}`);
  chmodSync(place.stateDirectory, 0o700);
  await openHierarchy(place);
});

test.each([
  'null',
  '[]',
  '{"version":1}',
  '{"version":1,"sequence":"x","working":{}}',
  '{"version":1,"working":[null]}',
])('a memory that holds %s is damaged, and is said to be', async (content) => {
  const place = await freshPlace(SQLITE);
  const keys = await openHierarchy(place);
  await keys.close();
  for (const name of readdirSync(place.stateDirectory)) {
    if (!name.startsWith('at-')) writeFileSync(join(place.stateDirectory, name), content);
  }
  const { code, message } = await refusalOf(() => openHierarchy(place));
  expect(code).toBe('ERR_IO');
  expect(message).toContain('is damaged');
});
