/** That all of an open file is authentic: found on the very file that is read, and not written to since. */

import { verify } from '../callfile/verify.ts';
import { CallsealError, hasCode } from '../errors.ts';
import type { KeyRing } from '../recipients/keyring.ts';
import type { Content } from './audio/content.ts';
import type { VerifiedView } from './protocol.ts';
import { type HeldFile, named } from './sealed-file.ts';
import { signerView } from './signer-view.ts';

export class Proof {
  readonly #held: HeldFile;
  readonly #name: string;
  readonly #closing = new AbortController();
  #found: { state: string; view: VerifiedView } | null = null;

  constructor(held: HeldFile, name: string) {
    this.#held = held;
    this.#name = name;
  }

  /**
   * Authenticates every byte, and all of the signature, unless that was done and nobody has written to the file since.
   *
   * @throws {CallsealError} what {@link verify} throws; `ERR_INPUT_CHANGED` when somebody writes meanwhile, `ERR_KEY_USE`
   *   when the content is closed meanwhile
   */
  async find(keys: KeyRing, signal: AbortSignal): Promise<VerifiedView> {
    const state = await this.#held.state();
    if (this.#found?.state === state) return this.#found.view;
    const options = { keys, signal: AbortSignal.any([signal, this.#closing.signal]) };
    const found = await named(this.#name, this.#held.path, (path) => verify(path, options)).catch((error: unknown) => {
      throw hasCode(error, 'ERR_ABORTED') && this.#closing.signal.aborted ? closed(this.#name) : error;
    });
    if (this.#closing.signal.aborted) throw closed(this.#name);
    const { plaintextBytes, keyId, signer } = found;
    this.#found = { state, view: { plaintextBytes, keyId, signer: signer && signerView(signer) } };
    await this.#require();
    return this.#found.view;
  }

  /** The content, which can be read for as long as it is what was found authentic. */
  async proven({ size, readRange }: Content): Promise<Content> {
    await this.#require();
    return {
      size,
      readRange: async (start, end) => {
        const bytes = await readRange(start, end);
        await this.#require();
        return bytes;
      },
    };
  }

  /** Breaks off what runs. */
  close(): void {
    this.#closing.abort();
  }

  async #require(): Promise<void> {
    if (this.#found === null) throw unproven(this.#name);
    if (this.#found.state !== (await this.#held.state())) throw changed(this.#name);
  }
}

function unproven(name: string): CallsealError {
  return new CallsealError('ERR_INVALID_ARGUMENT', `${name} was not checked; all of it is checked before it is saved`);
}

function changed(name: string): CallsealError {
  const message = `${name} was changed since it was checked; check it again`;
  return new CallsealError('ERR_INPUT_CHANGED', message, { path: name });
}

function closed(name: string): CallsealError {
  return new CallsealError('ERR_KEY_USE', `${name} was closed while it was checked; open it again`);
}
