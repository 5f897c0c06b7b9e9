/** The people of `parties.ts` as attacks need them: their public keys, which anybody has, and a ring with each private key. */

import { createPublicKey, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { KeyRing } from '../../lib/recipients/keyring.ts';
import { makeParties } from './parties.ts';

export interface Victim {
  publicKey: KeyObject;
  keys: KeyRing;
}

export interface Victims {
  /** RSA-2048. */
  mary: Victim;
  /** RSA-3072. */
  fred: Victim;
  /** RSA-2048; nothing is encrypted for him. */
  stranger: Victim;
}

export async function makeVictims(): Promise<Victims> {
  const { mary, fred, stranger } = await makeParties();
  const victim = ({ certificate, privateKey }: { certificate: string; privateKey: string }): Victim => ({
    publicKey: createPublicKey(readFileSync(certificate)),
    keys: new KeyRing([privateKey]),
  });
  return { mary: victim(mary), fred: victim(fred), stranger: victim(stranger) };
}
