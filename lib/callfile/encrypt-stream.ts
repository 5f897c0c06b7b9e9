/** Encrypts a stream, segment by segment. */

import type { Transform } from 'node:stream';

import type { NativeFloeEncryptor } from '../native/binding.ts';
import type { Recipients } from '../recipients/recipients.ts';
import { assertOptions, assertRecipients, assertSegmentLength, assertSignal } from './arguments.ts';
import type { EncryptOptions } from './encrypt.ts';
import { DEFAULT_STREAM_SEGMENT_LENGTH } from './format.ts';
import { type Emit, type SegmentMachine, SegmentStream } from './segment-stream.ts';
import { newPrelude, templateOf } from './template.ts';

/**
 * A stream that encrypts what is written to it.
 *
 * A writer that dies loses at most the segment it had begun: choose a short `segmentLength`, such as 4096, for live
 * writing. A file whose stream was not ended is incomplete (`ERR_TRUNCATED`), and everybody sees it.
 *
 * @throws {CallsealError} `ERR_INVALID_ARGUMENT`. The stream fails with `ERR_ABORTED` or `ERR_CRYPTO`.
 *
 * @example
 * await pipeline(source, createEncryptStream({ recipients }), createWriteStream('call.callsre.sealed', { mode: 0o600 }));
 */
export function createEncryptStream(options: EncryptOptions): Transform {
  assertOptions(options);
  const { recipients, segmentLength = DEFAULT_STREAM_SEGMENT_LENGTH, signal } = options;
  assertRecipients(recipients);
  assertSegmentLength(segmentLength);
  assertSignal(signal);
  return new SegmentStream(new EncryptMachine(recipients, segmentLength), segmentLength, signal);
}

class EncryptMachine implements SegmentMachine {
  readonly #recipients: Recipients;
  readonly #segmentLength: number;
  #encryptor: NativeFloeEncryptor | null = null;
  /** Plaintext that does not fill a segment yet, or fills one that may be the last. */
  #held = new Uint8Array(0);
  #filled = 0;

  constructor(recipients: Recipients, segmentLength: number) {
    this.#recipients = recipients;
    this.#segmentLength = segmentLength;
  }

  async write(chunk: Uint8Array, emit: Emit): Promise<void> {
    const encryptor = this.#encryptor ?? (await this.#start(emit));
    const capacity = encryptor.plaintextLength;
    let rest = chunk;
    // A full segment is encrypted only when something follows it, as the last one is marked.
    while (this.#filled + rest.length > capacity) {
      const used = capacity - this.#filled;
      const segment = this.#filled === 0 ? rest.subarray(0, capacity) : this.#hold(rest.subarray(0, used));
      rest = rest.subarray(used);
      this.#filled = 0;
      const wait = emit(encryptor.encryptSegment(segment));
      if (wait !== undefined) await wait;
    }
    this.#hold(rest);
  }

  async end(emit: Emit): Promise<void> {
    const encryptor = this.#encryptor ?? (await this.#start(emit));
    await emit(encryptor.encryptFinal(this.#held.subarray(0, this.#filled)));
  }

  destroy(): void {
    this.#encryptor = null;
  }

  async #start(emit: Emit): Promise<NativeFloeEncryptor> {
    const { header, encryptor } = await templateOf(this.#recipients).start(newPrelude(), this.#segmentLength);
    await emit(header);
    await emit(encryptor.header);
    this.#held = new Uint8Array(encryptor.plaintextLength);
    this.#encryptor = encryptor;
    return encryptor;
  }

  /** Appends to what is held and returns all of it. */
  #hold(bytes: Uint8Array): Uint8Array {
    this.#held.set(bytes, this.#filled);
    this.#filled += bytes.length;
    return this.#held.subarray(0, this.#filled);
  }
}
