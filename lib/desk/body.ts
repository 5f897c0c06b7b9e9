/** Bodies of requests: bounded, and overwritten where they may hold secrets. */

import type { IncomingMessage } from 'node:http';
import { CallsealError } from '../errors.ts';

const MAX_JSON_BYTES = 1 << 16;

/**
 * A body as one buffer, for the caller to overwrite. What came in pieces is overwritten here.
 *
 * @throws {CallsealError} `ERR_INVALID_ARGUMENT` for one that is longer than `most`
 */
export async function readSecretBody(request: IncomingMessage, most: number): Promise<Buffer> {
  const told = Number(request.headers['content-length']);
  if (!(told <= most)) throw tooLong(most);
  const body = Buffer.alloc(told);
  let filled = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    filled += chunk.copy(body, filled);
    chunk.fill(0);
  }
  return body.subarray(0, filled);
}

/** @throws {CallsealError} `ERR_INVALID_ARGUMENT` */
export async function readJson(request: IncomingMessage, most = MAX_JSON_BYTES): Promise<Record<string, unknown>> {
  const body = await readSecretBody(request, most);
  try {
    const value: unknown = body.length === 0 ? {} : JSON.parse(body.toString('utf8'));
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // Said below.
  }
  throw new CallsealError('ERR_INVALID_ARGUMENT', 'the body of the request is no JSON object');
}

function tooLong(most: number): CallsealError {
  return new CallsealError('ERR_INVALID_ARGUMENT', `the body of the request has no length, or more than ${most} bytes`);
}
