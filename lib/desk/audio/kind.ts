/** What decrypted bytes seem to be, from their name and their beginning: a first guess, which a person may overrule. */

import { extname } from 'node:path';
import { beginsRawFrame, RAW_FRAME_BYTES } from './gsm-frame.ts';
import type { SoundFormat } from './sound.ts';
import { parseWav } from './wav-header.ts';

/** How content is shown first. */
export type Kind = { view: 'sound'; format: SoundFormat } | { view: 'text' } | { view: 'binary' };

const BY_EXTENSION: Readonly<Record<string, SoundFormat>> = {
  '.ulaw': 'ulaw',
  '.mulaw': 'ulaw',
  '.ul': 'ulaw',
  '.ulw': 'ulaw',
  '.mu': 'ulaw',
  '.pcmu': 'ulaw',
  '.alaw': 'alaw',
  '.al': 'alaw',
  '.pcma': 'alaw',
  '.gsm': 'gsm',
  '.sln': 'pcm8k',
  '.sln16': 'pcm16k',
};

/** Frames that must all begin as frames do, so that chance does not make a recording. */
const GSM_FRAMES = 8;

/**
 * @param name Of the decrypted file.
 * @param head Its first 64 KiB, as many as there are.
 */
export function guessKind(name: string, head: Uint8Array, size: number): Kind {
  if (parseWav(head, size) !== null) return { view: 'sound', format: 'wav' };
  const format = BY_EXTENSION[extname(name).toLowerCase()];
  if (format !== undefined && size > 0) return { view: 'sound', format };
  if (isText(head, head.length < size)) return { view: 'text' };
  if (isGsm(head, size)) return { view: 'sound', format: 'gsm' };
  return { view: 'binary' };
}

/** UTF-8 without control characters other than those that text has. */
function isText(head: Uint8Array, goesOn: boolean): boolean {
  if (head.some((byte) => byte < 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0c && byte !== 0x0d))
    return false;
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(head, { stream: goesOn });
    return true;
  } catch {
    return false;
  }
}

function isGsm(head: Uint8Array, size: number): boolean {
  if (size < GSM_FRAMES * RAW_FRAME_BYTES || size % RAW_FRAME_BYTES !== 0) return false;
  for (let frame = 0; frame < GSM_FRAMES; frame++) if (!beginsRawFrame(head[frame * RAW_FRAME_BYTES])) return false;
  return true;
}
