/** Bodies of requests: bounded, and overwritten where they may hold secrets. */

import type { IncomingMessage } from 'node:http';
import { CallsealError } from '../errors.ts';

const MAX_JSON_BYTES = 1 << 16;

/**
 * A body as one buffer, for the caller to overwrite. What came in pieces is overwritten here, and all of it when no more
 * comes. What Node's HTTP parser has read from the socket nobody can overwrite.
 *
 * @throws {CallsealError} `ERR_INVALID_ARGUMENT` for one that is longer than `most`
 */
export async function readSecretBody(request: IncomingMessage, most: number): Promise<Buffer> {
  const told = Number(request.headers['content-length']);
  if (!(told <= most)) throw tooLong(most);
  // In memory of its own: V8 keeps short arrays in its heap, and leaves a copy there when native code reads them.
  const body = Buffer.from(new ArrayBuffer(told));
  let filled = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      filled += chunk.copy(body, filled);
      chunk.fill(0);
    }
    return body.subarray(0, filled);
  } catch (error) {
    body.fill(0);
    for (let left = request.read(); left !== null; left = request.read()) left.fill(0);
    throw error;
  }
}

/** @throws {CallsealError} `ERR_INVALID_ARGUMENT` */
export async function readJson(request: IncomingMessage, most = MAX_JSON_BYTES): Promise<Record<string, unknown>> {
  const body = await readSecretBody(request, most);
  try {
    const value: unknown = body.length === 0 ? {} : JSON.parse(body.toString('utf8'));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // Said below.
  } finally {
    body.fill(0);
  }
  throw new CallsealError('ERR_INVALID_ARGUMENT', 'the body of the request is no JSON object');
}

function tooLong(most: number): CallsealError {
  return new CallsealError('ERR_INVALID_ARGUMENT', `the body of the request has no length, or more than ${most} bytes`);
}
