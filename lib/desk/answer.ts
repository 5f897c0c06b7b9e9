/** How the desk answers. */

import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { CallsealError } from '../errors.ts';
import { safe } from '../safe-text.ts';
import type { Problem } from './protocol.ts';
import { parseRange } from './range.ts';
import { SECURITY_HEADERS } from './security-headers.ts';

/** Bytes that are read and sent at a time; also how long the event loop decodes GSM without a pause. */
const PIECE = 1 << 16;

export function sendBytes(
  response: ServerResponse,
  status: number,
  type: string,
  body: string | Uint8Array,
  headers: Record<string, string> = {},
): void {
  const length = String(Buffer.byteLength(body));
  response.writeHead(status, { ...SECURITY_HEADERS, 'Content-Type': type, 'Content-Length': length, ...headers });
  response.end(response.req.method === 'HEAD' ? undefined : body);
}

export function sendJson(response: ServerResponse, value: unknown, status = 200): void {
  sendBytes(response, status, 'application/json; charset=utf-8', JSON.stringify(value));
}

export function sendNothing(response: ServerResponse): void {
  response.writeHead(204, SECURITY_HEADERS);
  response.end();
}

export function sendProblem(response: ServerResponse, status: number, problem: Problem): void {
  sendJson(response, { problem }, status);
}

/** A body that is made while it is sent, whole or in part. */
export interface Ranged {
  size: number;
  readRange(start: number, end: number): Promise<Uint8Array>;
}

/**
 * Sends a body or the part that is asked for. When reading fails on the way, the connection ends before the length that
 * was told, so that no browser takes the part for the whole.
 *
 * @param onBroken Hears why reading failed on the way.
 * @throws what reading the first piece throws; nothing has been sent then
 */
export async function sendRanged(
  request: IncomingMessage,
  response: ServerResponse,
  body: Ranged,
  headers: Record<string, string>,
  onBroken: (error: unknown) => void,
): Promise<void> {
  const range = parseRange(request.headers.range, body.size);
  if (range === null) {
    response.writeHead(416, { ...SECURITY_HEADERS, 'Content-Range': `bytes */${body.size}` });
    response.end();
    return;
  }
  const { start, end, whole } = range;
  const first = await body.readRange(start, Math.min(end, start + PIECE));
  response.writeHead(whole ? 200 : 206, {
    ...SECURITY_HEADERS,
    'Accept-Ranges': 'bytes',
    'Content-Length': end - start,
    ...(whole ? {} : { 'Content-Range': `bytes ${start}-${end - 1}/${body.size}` }),
    ...headers,
  });
  if (request.method === 'HEAD') {
    response.end();
    return;
  }
  const parts = pieces(first, body, { start: start + first.length, end }, onBroken);
  await pipeline(Readable.from(parts, { objectMode: false }), response).catch(() => response.destroy());
}

async function* pieces(
  first: Uint8Array,
  body: Ranged,
  { start, end }: { start: number; end: number },
  onBroken: (error: unknown) => void,
): AsyncGenerator<Uint8Array> {
  if (first.length > 0) yield first;
  for (let at = start; at < end; at += PIECE) {
    // Not around `yield`: one who reads no further breaks nothing.
    yield await body.readRange(at, Math.min(end, at + PIECE)).catch((error: unknown) => {
      onBroken(error);
      throw error;
    });
  }
}

/** What is told of an error: its code and message, nothing of what is not ours. */
export function problemOf(error: unknown): Problem {
  if (error instanceof CallsealError) return { code: error.code, message: safe(error.message) };
  return { code: 'ERR_DESK', message: 'the desk failed in a way that it did not expect; the terminal says more' };
}
