/** Decrypted content: as bytes, as sound, as a download. */

import { basename } from 'node:path';
import { CallsealError } from '../errors.ts';
import { problemOf, sendBytes, sendJson, sendNothing, sendRanged } from './answer.ts';
import type { SoundFormat, SoundView } from './protocol.ts';
import { type Exchange, type Route, wholeNumber } from './routes.ts';

const MAX_PART_BYTES = 1 << 20;
const FORMATS: readonly string[] = ['wav', 'ulaw', 'alaw', 'gsm', 'pcm8k', 'pcm16k'] satisfies SoundFormat[];

export const CONTENT_ROUTES: readonly Route[] = [
  { method: 'GET', path: '/api/open/*/bytes', access: 'api', answer: bytes },
  { method: 'GET', path: '/api/open/*/sound', access: 'api', answer: sound },
  { method: 'POST', path: '/api/open/*/verify', access: 'api', answer: verify },
  { method: 'DELETE', path: '/api/open/*', access: 'api', answer: close },
  { method: 'GET', path: '/media/*/sound/*', access: 'media', answer: play },
  { method: 'GET', path: '/media/*/save', access: 'media', answer: download },
];

async function bytes({ desk, response, params, query }: Exchange): Promise<void> {
  const { content } = desk.contents.get(params[0]!);
  const start = Math.min(wholeNumber(query.get('start') ?? 0, 'start'), content.size);
  const end = Math.min(wholeNumber(query.get('end') ?? content.size, 'end'), content.size, start + MAX_PART_BYTES);
  sendBytes(response, 200, 'application/octet-stream', await content.readRange(start, Math.max(start, end)));
}

async function sound({ desk, response, params, query }: Exchange): Promise<void> {
  const format = formatOf(query.get('as'));
  const { description, seconds } = await desk.contents.sound(params[0]!, format);
  sendJson(response, { description, seconds, address: `/media/${params[0]}/sound/${format}` } satisfies SoundView);
}

async function verify({ desk, response, params }: Exchange): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  sendJson(response, await desk.verify(params[0]!, gone.signal));
}

async function close({ desk, response, params }: Exchange): Promise<void> {
  await desk.contents.leave(params[0]!);
  sendNothing(response);
}

async function play(exchange: Exchange): Promise<void> {
  const { desk, request, response, params } = exchange;
  const made = await desk.contents.sound(params[0]!, formatOf(params[1]));
  await sendRanged(request, response, made, { 'Content-Type': 'audio/wav' }, teller(exchange, 'sound'));
}

/**
 * Nothing but what was found authentic as a whole, if there is a whole. A browser gives the file its name when all of it
 * has come.
 */
async function download(exchange: Exchange): Promise<void> {
  const { desk, request, response, params } = exchange;
  await desk.contents.whileSaving(params[0]!, async ({ access, content, proof, plainName }) => {
    const authentic = access.complete ? await proof.proven(content) : content;
    const headers = {
      'Content-Type': 'application/octet-stream',
      'Content-Disposition': `attachment; filename*=UTF-8''${encodeName(basename(plainName))}`,
    };
    await sendRanged(request, response, authentic, headers, teller(exchange, 'save'));
  });
}

/** A browser says only that a transfer broke off; the page hears why. */
function teller({ desk, params, onTrouble }: Exchange, what: 'sound' | 'save'): (error: unknown) => void {
  return (error) => {
    if (!(error instanceof CallsealError)) onTrouble(error);
    desk.listeners.tell({ event: 'broken', handle: params[0]!, what, problem: problemOf(error) });
  };
}

/** RFC 8187. */
function encodeName(name: string): string {
  return encodeURIComponent(name).replace(/['()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

function formatOf(text: string | null | undefined): SoundFormat {
  if (typeof text === 'string' && FORMATS.includes(text)) return text as SoundFormat;
  throw new CallsealError('ERR_INVALID_ARGUMENT', `a sound is one of ${FORMATS.join(', ')}`);
}
