import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../harness/paths.mjs';

export const callsealVersion = () => JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).version;

/** Callseal's API. */
export default {
  id: 'callseal',
  name: 'callseal (API)',
  kind: 'library',
  settings: 'encryptFile, decryptFile; sync: false where the others do not sync either',
  syncs: true,
  version: callsealVersion,
  async open({ recipients: identities, sync }) {
    const { decryptFile, encryptFile, KeyRing, Recipients } = await import('../../dist/index.js');
    const recipients = await Recipients.load(identities.map(({ certificate }) => certificate));
    const keys = new KeyRing([identities[0].privateKey]);
    return {
      encrypt: (input, output) => encryptFile(input, output, { recipients, sync }),
      decrypt: (input, output) => decryptFile(input, output, { keys, sync }),
      close: () => keys.destroy(),
    };
  },
};
