/**
 * Callseal beside the decoder that was written from docs/format.md alone: of every file both say the same, whether it opens
 * and what is in it. The files are sound ones altered by somebody without a key, and those of a hostile insider.
 */

import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';

import { CallsealError, type ErrorCode } from '../lib/errors.ts';
import { decrypt, encrypt } from '../lib/index.ts';
import { alterations, altered } from './helpers/altered-files.ts';
import { EXPLORING, explore } from './helpers/explore.ts';
import { type ForgersKeys, forged, forgeries, SOUND } from './helpers/forged-files.ts';
import { makeParties, type Parties } from './helpers/parties.ts';
import { makeHost } from './helpers/signers.ts';
import { decodeCallFile, recoverCallFile } from './independent-decoder.ts';

const SEGMENT = 1024;
const FULL = SEGMENT - 32;
/** Those of docs/format.md section 6 that a reader without requirements gives. */
const CODES: readonly ErrorCode[] = [
  'ERR_NOT_CALLSEAL',
  'ERR_UNSUPPORTED_VERSION',
  'ERR_TRUNCATED',
  'ERR_TAMPERED',
  'ERR_NO_MATCHING_KEY',
];

let parties: Parties;
let mary: KeyObject;
let keys: ForgersKeys;
let sound: Buffer[];

beforeAll(async () => {
  parties = await makeParties();
  mary = createPrivateKey(parties.maryPem);
  const publicKey = (path: string): KeyObject => createPublicKey(readFileSync(path));
  keys = {
    mine: createPublicKey(mary),
    others: [publicKey(parties.fred.certificate), publicKey(parties.stranger.certificate)],
    signer: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
  };
  const { recipients } = parties;
  const [ec, rsa] = await Promise.all([makeHost('P-256'), makeHost('RSA-2048')]);
  const files = [
    encrypt(randomBytes(2 * FULL + 100), { recipients, segmentLength: SEGMENT }),
    encrypt(randomBytes(2 * FULL), { recipients, segmentLength: SEGMENT }),
    encrypt(new Uint8Array(0), { recipients, segmentLength: SEGMENT }),
    encrypt(randomBytes(FULL + 5), { recipients, segmentLength: SEGMENT, signer: ec.signer }),
    encrypt(randomBytes(2 * FULL), { recipients, segmentLength: SEGMENT, signer: rsa.signer }),
  ];
  sound = (await Promise.all(files)).map((file) => Buffer.from(file));
});

/** What a reader made of a file: the plaintext, how it ends, or nothing. */
type Reading = { plaintext: string; end: string } | null;

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

async function ours(file: Buffer, recover: boolean): Promise<Reading> {
  try {
    if (!recover) return { plaintext: hex(await decrypt(file, { keys: parties.keys })), end: 'complete' };
    const { plaintext, loss } = await decrypt(file, { keys: parties.keys, recover });
    return { plaintext: hex(plaintext), end: loss?.reason ?? 'complete' };
  } catch (error) {
    expect(error).toBeInstanceOf(CallsealError);
    expect(CODES).toContain((error as CallsealError).code);
    return null;
  }
}

function theirs(file: Buffer, recover: boolean): Reading {
  try {
    if (!recover) return { plaintext: hex(decodeCallFile(file, mary).plaintext), end: 'complete' };
    const { plaintext, end } = recoverCallFile(file, mary);
    return { plaintext: hex(plaintext), end };
  } catch {
    return null;
  }
}

/** How many were opened and refused, so that a test sees that it has tried both. */
const tried = { opened: 0, refused: 0 };

async function expectAgreement(file: Buffer): Promise<void> {
  for (const recover of [false, true]) {
    const reading = await ours(file, recover);
    expect(reading, `${recover ? 'recovering ' : ''}${file.toString('base64')}`).toEqual(theirs(file, recover));
    tried[reading === null ? 'refused' : 'opened'] += 1;
  }
}

describe('both decoders agree', () => {
  it('on files that nobody has touched', async () => {
    tried.refused = 0;
    for (const file of sound) await expectAgreement(file);
    expect(tried.refused).toBe(0);
  });

  it('on files altered without a key', { timeout: EXPLORING }, async () => {
    const file = fc.nat(4);
    await explore(
      fc.asyncProperty(file, file, alterations, async (one, other, all) => {
        await expectAgreement(altered(sound[one]!, sound[other]!, all));
      }),
      300,
    );
  });

  it('on files forged by an insider', { timeout: EXPLORING }, async () => {
    tried.opened = 0;
    tried.refused = 0;
    await explore(
      fc.asyncProperty(forgeries, async (plan) => expectAgreement(forged(plan, keys))),
      300,
    );
    expect(tried.opened).toBeGreaterThan(0);
    expect(tried.refused).toBeGreaterThan(0);
  });

  // The independent decoder had accepted the first two, whose key ids are those of no key.
  it.each([
    ['with a byte behind it', 'longer', false],
    ['in BER', 'long length', false],
    ['with a compressed point', 'compressed', true],
  ])("on a signer's public key %s", async (_what, spki, opens) => {
    const file = forged({ ...SOUND, signed: true, signer: { spki } }, keys);
    expect((await ours(file, false)) !== null).toBe(opens);
    await expectAgreement(file);
  });
});
