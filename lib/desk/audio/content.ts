/** Decrypted bytes, read in parts. */

export interface Content {
  /** In bytes. */
  readonly size: number;
  /** The bytes from `start` to before `end`, both within the content. */
  readRange(start: number, end: number): Promise<Uint8Array>;
}
