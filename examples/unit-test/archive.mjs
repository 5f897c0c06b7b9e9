/** The application under test: an archive of transcripts, encrypted for whoever may read them. */

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decrypt, encrypt } from 'callseal';

export class Archive {
  #directory;
  #recipients;

  constructor(directory, recipients) {
    this.#directory = directory;
    this.#recipients = recipients;
  }

  async add(call, text) {
    const sealed = await encrypt(new TextEncoder().encode(text), { recipients: this.#recipients });
    await writeFile(join(this.#directory, `${call}.sealed`), sealed, { flag: 'wx', mode: 0o600 });
  }

  /** @param {import('callseal').KeyRing} keys Of whoever reads. */
  async read(call, keys) {
    const sealed = await readFile(join(this.#directory, `${call}.sealed`));
    return new TextDecoder().decode(await decrypt(sealed, { keys }));
  }
}
