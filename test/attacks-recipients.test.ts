/** Entries of recipients moved, replayed, repeated and piled up, by a storage administrator without keys and by senders and recipients with them. */

import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';

import { decrypt, inspect, whichKey } from '../lib/index.ts';
import {
  bodyKeyOf,
  entryFor,
  forgeBody,
  forgeCertificate,
  forgeEntry,
  forgeFile,
  forgeFloe,
  forgeMac,
  forgePrelude,
  forgeRecipients,
  keyIdOf,
  wrapKey,
} from './helpers/attacker.ts';
import { codeOf, refusalOf } from './helpers/errors.ts';
import { expectOpens, expectRefused } from './helpers/every-way.ts';
import { collectGarbage } from './helpers/memory.ts';
import { tempDir } from './helpers/temp.ts';
import { makeVictims, type Victims } from './helpers/victims.ts';

let { mary, fred, stranger }: Victims = {} as Victims;

beforeAll(async () => {
  ({ mary, fred, stranger } = await makeVictims());
});

const PLAINTEXT = Buffer.from('what the caller said');
const contentKey = randomBytes(32);
const prelude = forgePrelude();

/** Entries nobody can open, each with an id of its own. */
function strangers(count: number, certificate?: Buffer): Buffer[] {
  const wrapped = randomBytes(256);
  return Array.from({ length: count }, () =>
    forgeEntry({ keyId: randomBytes(32), wrapped, ...(certificate !== undefined && { certificate }) }),
  );
}

describe('a storage administrator, who can write to files and holds no key', () => {
  let entries: Buffer[];
  let mac: Buffer;

  beforeAll(() => {
    entries = [entryFor(mary.publicKey, contentKey), entryFor(fred.publicKey, contentKey)];
    mac = forgeMac(contentKey, prelude, forgeRecipients(entries));
  });

  const file = (recipients: Buffer): Buffer =>
    forgeFile({ contentKey, prelude, recipients, mac, plaintext: PLAINTEXT });

  it.each<[string, () => Buffer]>([
    ['puts the entries into another order', () => forgeRecipients([...entries].reverse())],
    ['removes Fred', () => forgeRecipients([entries[0]!])],
    ['adds somebody', () => forgeRecipients([...entries, entryFor(stranger.publicKey, randomBytes(32))])],
    ['repeats an entry', () => forgeRecipients([...entries, entries[0]!])],
    [
      'repeats an entry under another id',
      () => {
        const again = Buffer.from(entries[0]!);
        randomBytes(32).copy(again, 2);
        return forgeRecipients([...entries, again]);
      },
    ],
    [
      'gives a bare key the name of a certificate',
      () => {
        const renamed = forgeEntry({
          keyId: entries[0]!.subarray(2, 34),
          wrapped: entries[0]!.subarray(36, 292),
          certificate: forgeCertificate({ subject: Buffer.from('CN=Somebody else') }),
        });
        return forgeRecipients([renamed, entries[1]!]);
      },
    ],
    [
      'wraps a content key of their own for Mary',
      () => forgeRecipients([entryFor(mary.publicKey, randomBytes(32)), entries[1]!]),
    ],
  ])('%s', async (_what, make) => {
    await expectOpens(file(forgeRecipients(entries)), mary.keys, PLAINTEXT);
    await expectRefused(file(make()), mary.keys, 'ERR_TAMPERED');
  });

  it('exchanges the ids of Mary and the stranger, whose keys are as long', async () => {
    const ids = [stranger.publicKey, mary.publicKey].map(keyIdOf);
    const swapped = [mary.publicKey, stranger.publicKey].map((key, index) =>
      forgeEntry({ keyId: ids[index]!, wrapped: wrapKey(key, contentKey) }),
    );
    // The sender's MAC over it makes no difference: an entry that bears an id opens with that key or is refused.
    const signed = forgeFile({ contentKey, prelude, entries: swapped, plaintext: PLAINTEXT });
    for (const { keys } of [mary, stranger]) await expectRefused(signed, keys, 'ERR_TAMPERED');
  });
});

describe('a recipient, who holds the content key', () => {
  it('replays the entry of another file of Fred’s: he is refused, the others are not', async () => {
    const old = entryFor(fred.publicKey, randomBytes(32));
    const file = forgeFile({
      contentKey,
      prelude,
      entries: [entryFor(mary.publicKey, contentKey), old],
      plaintext: PLAINTEXT,
    });
    await expectOpens(file, mary.keys, PLAINTEXT);
    await expectRefused(file, fred.keys, 'ERR_TAMPERED');
  });

  it('may put entries into any order, add and remove them, as SECURITY.md says', async () => {
    const body = forgeBody(forgeFloe(bodyKeyOf(contentKey, prelude), prelude), PLAINTEXT);
    const people = [fred, stranger, mary];
    const entries = people.map(({ publicKey }) => entryFor(publicKey, contentKey));
    const file = forgeFile({ contentKey, prelude, entries, body });
    for (const { keys } of people) await expectOpens(file, keys, PLAINTEXT);
    const without = forgeFile({ contentKey, prelude, entries: entries.slice(1), body });
    await expectRefused(without, fred.keys, 'ERR_NO_MATCHING_KEY');
  });
});

describe('a sender, who wants to use up a reader’s time or memory', () => {
  it('lists 4096 recipients, the reader last: it opens', async () => {
    const entries = [...strangers(4095), entryFor(mary.publicKey, contentKey)];
    const file = forgeFile({ contentKey, prelude, entries, plaintext: PLAINTEXT });
    await expectOpens(file, mary.keys, PLAINTEXT);
    expect((await inspect(file)).recipients).toHaveLength(4096);
    await expectRefused(file, fred.keys, 'ERR_NO_MATCHING_KEY');
  });

  it('lists 4097, and as many as the field can say', async () => {
    const entries = [...strangers(4096), entryFor(mary.publicKey, contentKey)];
    await expectRefused(forgeFile({ contentKey, entries, plaintext: PLAINTEXT }), mary.keys, 'ERR_TAMPERED');
    const recipients = forgeRecipients(strangers(10), { count: 65_535 });
    await expectRefused(forgeFile({ contentKey, recipients }), mary.keys, 'ERR_TAMPERED');
  });

  it('fills the section with the longest names: headers of 4 MiB, one after the other, take no memory along', async () => {
    const name = Buffer.from(`CN=${'x'.repeat(8189)}`);
    const certificate = forgeCertificate({ subject: name, issuer: name });
    const entries = [...strangers(250, certificate), entryFor(mary.publicKey, contentKey)];
    const file = forgeFile({ contentKey, prelude, entries, plaintext: PLAINTEXT });
    expect(file.length).toBeGreaterThan(4_100_000);
    for (let round = 0; round < 3; round++) await decrypt(file, mary);
    collectGarbage();
    const before = process.memoryUsage().rss;
    for (let round = 0; round < 40; round++) await decrypt(file, mary);
    collectGarbage();
    expect((process.memoryUsage().rss - before) / 2 ** 20).toBeLessThan(100);
    expect(await codeOf(() => decrypt(file, stranger))).toBe('ERR_NO_MATCHING_KEY');
  });

  it('lists 4096 entries that might be the reader’s under other ids: 8 are tried, not 4096', async () => {
    // The MAC is that of the header with the right id, so that a reader who tries the entry finds out.
    const tried = (at: number): Buffer => {
      const entries = strangers(4095);
      entries.splice(at, 0, entryFor(mary.publicKey, contentKey));
      const file = forgeFile({ contentKey, prelude, entries, plaintext: PLAINTEXT });
      randomBytes(32).copy(file, 56 + at * entries[0]!.length + 2);
      return file;
    };
    await expectRefused(tried(7), mary.keys, 'ERR_TAMPERED');
    await expectRefused(tried(8), mary.keys, 'ERR_NO_MATCHING_KEY');
  });

  it('names everybody in messages no longer than a screen', async () => {
    const certificate = forgeCertificate({ subject: Buffer.from(`CN=${'x'.repeat(8189)}`) });
    const file = forgeFile({ contentKey, entries: strangers(100, certificate) });
    const { message } = await refusalOf(() => decrypt(file, mary));
    expect(message.length).toBeLessThan(4000);
  });

  it('which-key is no more easily misled', async () => {
    const path = join(tempDir(), 'call.sealed');
    writeFileSync(path, forgeFile({ entries: [entryFor(mary.publicKey, contentKey)], plaintext: PLAINTEXT }));
    expect(await codeOf(() => whichKey(path, { keys: [mary.keys] }))).toBe('ERR_TAMPERED');
  });
});
