/**
 * Passphrases, obtained without passing through JavaScript.
 *
 * The bytes live in native memory, which is cleared by `destroy()` or when the handle is collected.
 */
import type { NativePassphrase } from './binding.ts';
import { native } from './load.ts';

/** An opaque handle on a passphrase: 1 to 1024 bytes in native memory. */
export type Passphrase = NativePassphrase;

/** The ways to get a {@link Passphrase}. */
export const Passphrase = {
  /**
   * Asks on the controlling terminal with echo off. Blocks the event loop until it is answered: for command-line programs.
   *
   * @param options `confirm`: ask a second time and refuse a different answer
   * @throws {CallsealError} ERR_PASSPHRASE_REQUIRED without a terminal, ERR_ABORTED on Ctrl-C, ERR_INVALID_ARGUMENT when
   *   empty, too long or not repeated
   */
  prompt(text: string, options: { confirm?: boolean | undefined } = {}): Passphrase {
    return native().Passphrase.prompt(text, options.confirm ?? false);
  },

  /**
   * The first line of a file, without its line end.
   *
   * @throws {CallsealError} ERR_IO, ERR_INVALID_ARGUMENT when empty or too long
   */
  fromFile(path: string): Passphrase {
    return native().Passphrase.fromFile(path);
  },

  /**
   * The value of an environment variable, read by native code.
   *
   * @throws {CallsealError} ERR_PASSPHRASE_REQUIRED when it is not set, ERR_INVALID_ARGUMENT when empty or too long
   */
  fromEnvironment(name: string): Passphrase {
    return native().Passphrase.fromEnvironment(name);
  },

  /**
   * The first line of an open descriptor. Blocks until it is there.
   *
   * @throws {CallsealError} ERR_IO, ERR_INVALID_ARGUMENT when empty or too long
   */
  fromDescriptor(fd: number): Passphrase {
    return native().Passphrase.fromDescriptor(fd);
  },

  /**
   * A copy of the caller's bytes, UTF-8. The original stays where it is until the caller overwrites it; and of an array of 64
   * bytes or less that V8 has put into its own heap, native code sees a copy, so that clearing it leaves the first bytes in the heap.
   * Read a passphrase into `new Uint8Array(new ArrayBuffer(length))`, whose memory is outside from the beginning.
   *
   * @throws {CallsealError} ERR_INVALID_ARGUMENT when empty or too long
   */
  fromBytes(bytes: Uint8Array): Passphrase {
    return native().Passphrase.fromBytes(bytes);
  },
} as const;
