/** Which names in a watched directory are response files, and what their encryption is called. */

import { CallsealError } from '../errors.ts';
import { nameWithTail } from '../name-with-tail.ts';

/** The default end of an encrypted file's name. */
const SEALED_SUFFIX = '.sealed';

/** What may be encrypted: a test of the name, or patterns in which `*` stands for any letters and `?` for one. */
export type Include = ((name: string) => boolean) | readonly string[];

/** Names of one agent. */
export class Names {
  readonly #suffix: string;
  readonly #include: (name: string) => boolean;

  /** @throws {CallsealError} `ERR_INVALID_ARGUMENT` for a suffix that a name cannot end in. */
  constructor(suffix: string = SEALED_SUFFIX, include?: Include) {
    if (!/^\.[^/\0]+$/.test(suffix)) {
      throw new CallsealError(
        'ERR_INVALID_ARGUMENT',
        `suffix must be a dot and letters, not ${JSON.stringify(suffix)}`,
      );
    }
    this.#suffix = suffix;
    this.#include = include === undefined ? () => true : typeof include === 'function' ? include : matcher(include);
  }

  /** Hidden, or an encrypted file: nothing to do with it, whatever it is. */
  isPassedOver(name: string): boolean {
    return name.startsWith('.') || name.endsWith(this.#suffix);
  }

  /** A regular file of that name is to be encrypted. */
  isWanted(name: string): boolean {
    return !this.isPassedOver(name) && this.#include(name);
  }

  /** What the encryption of `name` is called; `taken` names are taken by the encryptions of other files. */
  sealed(name: string, taken: number): string {
    return nameWithTail(name, taken === 0 ? this.#suffix : `.${taken}${this.#suffix}`);
  }
}

function matcher(globs: readonly string[]): (name: string) => boolean {
  const patterns = globs.map((glob) => {
    const parts = [...glob].map((letter) => {
      if (letter === '*') return '.*';
      return letter === '?' ? '.' : letter.replace(/[\\^$.+()[\]{}|]/, '\\$&');
    });
    return new RegExp(`^${parts.join('')}$`, 'su');
  });
  return (name) => patterns.some((pattern) => pattern.test(name));
}
