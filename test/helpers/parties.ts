/** Two people who can open files, one of them with a passphrase, and a third who cannot. */

import { readFileSync } from 'node:fs';

import { KeyRing } from '../../lib/recipients/keyring.ts';
import { Recipients } from '../../lib/recipients/recipients.ts';
import { type KeyPair, makeKeyPair } from './keys.ts';
import { tempDir } from './temp.ts';

export interface Parties {
  mary: KeyPair;
  /** A 3072-bit key, so that entries differ in length. */
  fred: KeyPair;
  stranger: KeyPair;
  /** Mary and Fred. */
  recipients: Recipients;
  /** PEM text of Mary's key. */
  maryPem: string;
  /** A ring with Mary's key, open. Rings are cheap, keys are not. */
  keys: KeyRing;
}

export async function makeParties(): Promise<Parties> {
  const dir = tempDir();
  const mary = makeKeyPair(dir, { name: 'mary' });
  const fred = makeKeyPair(dir, { name: 'fred', bits: 3072 });
  const stranger = makeKeyPair(dir, { name: 'stranger' });
  const recipients = await Recipients.load([mary.certificate, fred.certificate]);
  const keys = new KeyRing([mary.privateKey]);
  return { mary, fred, stranger, recipients, maryPem: readFileSync(mary.privateKey, 'utf8'), keys };
}
