/** Bytes through streams. */

import { Readable, type Transform } from 'node:stream';

/** Bytes cut into chunks of `size`. */
export function* chunksOf(bytes: Uint8Array, size: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

export interface Flow {
  /** What came out, up to the error if there was one. */
  released: Buffer;
  error: unknown;
}

/** Writes `bytes` in chunks of `chunkSize` through `stream`, and gathers what comes out until it ends or fails. */
export async function flow(stream: Transform, bytes: Uint8Array, chunkSize: number): Promise<Flow> {
  const released: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => released.push(chunk));
  const closed = new Promise<unknown>((resolve) => {
    stream.once('error', resolve);
    stream.once('end', () => resolve(undefined));
  });
  Readable.from(chunksOf(bytes, chunkSize), { objectMode: false }).pipe(stream);
  const error = await closed;
  return { released: Buffer.concat(released), error };
}

/** {@link flow} that must end well. */
export async function through(stream: Transform, bytes: Uint8Array, chunkSize = 60_000): Promise<Buffer> {
  const { released, error } = await flow(stream, bytes, chunkSize);
  if (error !== undefined) throw error;
  return released;
}
