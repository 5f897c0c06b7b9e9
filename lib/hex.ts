/** Bytes as lower-case hexadecimal digits, as ids and fingerprints are written everywhere. */
export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');
}
