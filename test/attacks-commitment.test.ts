/**
 * Files made on purpose so that two people would see different content. The attacker is whoever can make files (everybody
 * who has certificates) or a recipient; every key, MAC and tag that is theirs to compute is right.
 */

import { createDecipheriv, randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';

import {
  bodyKeyOf,
  entryFor,
  forgeBody,
  forgeFile,
  forgeFloe,
  forgeMac,
  forgePrelude,
  forgeRecipients,
  forgeSegment,
  segmentAad,
  u32,
} from './helpers/attacker.ts';
import { expectOpens, expectRefused } from './helpers/every-way.ts';
import { collide } from './helpers/gcm-collision.ts';
import { makeVictims, type Victims } from './helpers/victims.ts';

let { mary, fred }: Victims = {} as Victims;

beforeAll(async () => {
  ({ mary, fred } = await makeVictims());
});

const ONE = Buffer.from('the transfer was agreed to');
const TWO = Buffer.from('the transfer was declined!');

/** For both, with one content key, as it should be. */
function honest(contentKey: Buffer, prelude: Buffer, plaintext: Buffer): Buffer {
  const entries = [entryFor(mary.publicKey, contentKey), entryFor(fred.publicKey, contentKey)];
  return forgeFile({ contentKey, prelude, entries, plaintext });
}

it('the attacker’s tools make files that open: what follows is refused for what is wrong with it', async () => {
  const file = honest(randomBytes(32), forgePrelude(), ONE);
  await expectOpens(file, mary.keys, ONE);
  await expectOpens(file, fred.keys, ONE);
  const long = randomBytes(5000);
  await expectOpens(honest(randomBytes(32), forgePrelude(), long), mary.keys, long);
});

describe('a sender, who has everybody’s certificates, wants Mary and Fred to see different content of one file', () => {
  it('and wraps another content key for each: only she opens it whose key made the MAC', async () => {
    const [first, second] = [randomBytes(32), randomBytes(32)];
    const prelude = forgePrelude();
    const entries = [entryFor(mary.publicKey, first), entryFor(fred.publicKey, second)];
    const bodies = [first, second].map((key, index) =>
      forgeBody(forgeFloe(bodyKeyOf(key, prelude), prelude), index === 0 ? ONE : TWO),
    );
    const forFirst = forgeFile({ contentKey: first, prelude, entries, body: bodies[0]! });
    await expectOpens(forFirst, mary.keys, ONE);
    await expectRefused(forFirst, fred.keys, 'ERR_TAMPERED');
    const mixed = forgeFile({ contentKey: first, prelude, entries, body: bodies[1]! });
    await expectRefused(mixed, mary.keys, 'ERR_TAMPERED');
    await expectRefused(mixed, fred.keys, 'ERR_TAMPERED');
    const bothBodies = forgeFile({ contentKey: second, prelude, entries, body: Buffer.concat(bodies) });
    await expectRefused(bothBodies, mary.keys, 'ERR_TAMPERED');
    await expectRefused(bothBodies, fred.keys, 'ERR_TAMPERED');
  });

  it('and lists Mary twice, once for each content', async () => {
    const [first, second] = [randomBytes(32), randomBytes(32)];
    const prelude = forgePrelude();
    const entries = [entryFor(mary.publicKey, first), entryFor(mary.publicKey, second)];
    for (const contentKey of [first, second]) {
      await expectRefused(forgeFile({ contentKey, prelude, entries, plaintext: ONE }), mary.keys, 'ERR_TAMPERED');
    }
  });

  it('and makes one body that AES-GCM accepts under both their keys: the header tag commits to one of them', async () => {
    const contentKeys = [randomBytes(32), randomBytes(32)] as const;
    const prelude = forgePrelude();
    const iv = randomBytes(32);
    const floes = contentKeys.map((key) => forgeFloe(bodyKeyOf(key, prelude), prelude, { iv }));
    const dataKeys = floes.map((floe) => floe.dataKey(0n)) as [Buffer, Buffer];
    const nonce = randomBytes(12);
    const { ciphertext, tag } = collide(dataKeys, nonce, segmentAad(0n, true), randomBytes(320));
    const segment = Buffer.concat([u32(ciphertext.length + 32), nonce, ciphertext, tag]);

    // The collision is real: AES-GCM alone gives both of them a plaintext, and not the same one.
    const plaintexts = dataKeys.map((key) => {
      const gcm = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: 16 });
      gcm.setAAD(segmentAad(0n, true)).setAuthTag(tag);
      return Buffer.concat([gcm.update(ciphertext), gcm.final()]);
    });
    expect(plaintexts[0]!.equals(plaintexts[1]!)).toBe(false);

    // The same body, to Mary behind a header with her key, to Fred behind one with his.
    const body = Buffer.concat([floes[0]!.header, segment]);
    const forMary = forgeFile({
      contentKey: contentKeys[0],
      prelude,
      entries: [entryFor(mary.publicKey, contentKeys[0])],
      body,
    });
    const forFred = forgeFile({
      contentKey: contentKeys[1],
      prelude,
      entries: [entryFor(fred.publicKey, contentKeys[1])],
      body,
    });
    await expectOpens(forMary, mary.keys, plaintexts[0]!);
    for (const error of await expectRefused(forFred, fred.keys, 'ERR_TAMPERED')) {
      expect(error.message).toContain('the body’s header fails authentication'.replace('’', "'"));
    }
  });

  it('and puts segments under another body key behind a header tag that is right', async () => {
    const [first, second] = [randomBytes(32), randomBytes(32)];
    const prelude = forgePrelude();
    const iv = randomBytes(32);
    const [right, other] = [first, second].map((key) => forgeFloe(bodyKeyOf(key, prelude), prelude, { iv }));
    const body = Buffer.concat([right!.header, forgeSegment(other!, 0n, true, TWO)]);
    const entries = [entryFor(mary.publicKey, first), entryFor(fred.publicKey, second)];
    const file = forgeFile({ contentKey: first, prelude, entries, body });
    await expectRefused(file, mary.keys, 'ERR_TAMPERED');
    await expectRefused(file, fred.keys, 'ERR_TAMPERED');
  });
});

describe('a recipient of two files, who holds both content keys, wants one to show the content of the other', () => {
  const [keyA, keyB] = [randomBytes(32), randomBytes(32)];
  const [preludeA, preludeB] = [forgePrelude(), forgePrelude()];
  const bodyA = (): Buffer => forgeBody(forgeFloe(bodyKeyOf(keyA, preludeA), preludeA), ONE);
  const both = (key: Buffer): Buffer[] => [entryFor(mary.publicKey, key), entryFor(fred.publicKey, key)];

  it.each([
    ['body A behind header B', keyB, preludeB],
    ['body A behind prelude B, with A’s content key wrapped and a MAC over it all', keyA, preludeB],
    ['body A behind prelude A, with B’s content key wrapped and a MAC over it all', keyB, preludeA],
  ])('%s', async (_what, contentKey, prelude) => {
    const file = forgeFile({ contentKey, prelude, entries: both(contentKey), body: bodyA() });
    await expectRefused(file, fred.keys, 'ERR_TAMPERED');
  });

  it('the entries of A in B, with the MAC of either', async () => {
    for (const contentKey of [keyA, keyB]) {
      const file = forgeFile({ contentKey: keyB, prelude: preludeB, entries: both(keyA), plaintext: TWO });
      const recipients = forgeRecipients(both(keyA));
      const mac = forgeMac(contentKey, preludeB, recipients);
      mac.copy(file, 48 + recipients.length);
      await expectRefused(file, fred.keys, 'ERR_TAMPERED');
    }
  });

  it('a segment of A in B although a careless writer gave both one content key and one prelude: FLOE’s IV tells them apart', async () => {
    const [one, two] = [randomBytes(3000), randomBytes(3000)];
    const file = honest(keyA, preludeA, one);
    const other = honest(keyA, preludeA, two);
    const segment = file.length - (3000 - 2 * 992 + 32) - 2048;
    const spliced = Buffer.concat([file.subarray(0, segment), other.subarray(segment, segment + 1024)]);
    await expectRefused(Buffer.concat([spliced, file.subarray(segment + 1024)]), fred.keys, 'ERR_TAMPERED');
  });
});

describe('limits, as SECURITY.md says them', () => {
  it('a recipient, who holds the content key, can make another file of it for the same people, with the same id', async () => {
    const contentKey = randomBytes(32);
    const prelude = forgePrelude();
    await expectOpens(honest(contentKey, prelude, ONE), fred.keys, ONE);
    await expectOpens(honest(contentKey, prelude, TWO), fred.keys, TWO);
  });

  it('a sender can list somebody who cannot open the file; they are told so, and see nothing', async () => {
    const contentKey = randomBytes(32);
    const entries = [entryFor(mary.publicKey, contentKey), entryFor(fred.publicKey, randomBytes(32))];
    const file = forgeFile({ contentKey, entries, plaintext: ONE });
    await expectOpens(file, mary.keys, ONE);
    await expectRefused(file, fred.keys, 'ERR_TAMPERED');
  });
});
