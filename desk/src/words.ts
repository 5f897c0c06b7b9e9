/** What went wrong, in the words of the one who has to do something about it. */

import type { Problem } from '../../lib/desk/protocol.ts';

interface Words {
  title: string;
  /** What it means, and what to do; null where the desk's own message says it best. */
  advice: string | null;
}

const WORDS: Partial<Record<Problem['code'], Words>> = {
  ERR_NO_MATCHING_KEY: {
    title: 'None of your keys opens this file',
    advice: 'It was encrypted for the certificates listed above. Give the private key that belongs to one of them.',
  },
  ERR_WRONG_PASSPHRASE: {
    title: 'Wrong passphrase',
    advice: 'It does not open this key. Type the passphrase that the key was made with; capitals count.',
  },
  ERR_PASSPHRASE_REQUIRED: {
    title: 'This key has a passphrase',
    advice: 'Type it to open the key.',
  },
  ERR_KEY_UNREADABLE: {
    title: 'This is no private key that opens files',
    advice: 'Choose the private-key file that was made together with the certificate: PEM, DER or PKCS#12.',
  },
  ERR_TAMPERED: {
    title: 'This file is damaged or was altered',
    advice:
      'Its bytes are not those that were encrypted. Nothing of the damaged part is shown. Fetch the file again from its source.',
  },
  ERR_TRUNCATED: {
    title: 'This file is not complete',
    advice: 'It is still being written, or was cut off. What is there can be opened as far as it is authentic.',
  },
  ERR_NOT_CALLSEAL: {
    title: 'This is not an encrypted Callseal file',
    advice: 'It is something else, or was already decrypted.',
  },
  ERR_UNSUPPORTED_VERSION: {
    title: 'This file was made by another release',
    advice: 'Open it with the release of Callseal that wrote it, or a newer one.',
  },
  ERR_WRONG_SIGNER: {
    title: 'The signature is not by an accepted signer',
    advice: 'Ask whoever sent the file.',
  },
  ERR_INPUT_CHANGED: {
    title: 'The file has changed',
    advice: 'Somebody is writing to it, or replaced it. Look at the folder again.',
  },
  ERR_OUTPUT_EXISTS: {
    title: 'There is a file of that name already',
    advice: 'It was left as it is.',
  },
  ERR_KEY_USE: {
    title: 'The file is closed',
    advice: 'Its key was forgotten, or other files were opened since. Open it again.',
  },
  ERR_IO: { title: 'The system refused', advice: null },
  ERR_KEY_IN_USE: { title: 'This key is still needed', advice: null },
  ERR_KEY_SUBSTITUTED: {
    title: 'The key store was altered',
    advice: 'A row is not what was written. Change nothing, and find out who wrote to the store.',
  },
  ERR_INVALID_ARGUMENT: { title: 'This cannot be done', advice: null },
  ERR_DESK: { title: 'The desk did not do that', advice: null },
};

export function wordsFor({ code }: Problem): Words {
  return WORDS[code] ?? { title: 'That failed', advice: null };
}
