/**
 * Bytes in, numbered lines out.
 *
 * Lines end with LF, CRLF or a carriage return alone. Damage is told line by line and never guessed around: a line
 * with bytes that are not UTF-8 keeps U+FFFD in their place, which no path is accepted with.
 */

import { isUtf8 } from 'node:buffer';

/** One line, without its end. */
export interface SourceLine {
  /** Counted from 1. */
  readonly number: number;
  readonly text: string;
  /** What is wrong with its bytes. */
  readonly damage: 'none' | 'nul' | 'not-utf8';
  /** Whether it ends with a carriage return and no line feed. */
  readonly loneCr: boolean;
}

const LF = 0x0a;
const CR = 0x0d;

/** Whether the bytes are UTF-16 or UTF-32: by their byte-order mark, or by a NUL in every other byte. */
export function looksLikeUtf16(bytes: Uint8Array): boolean {
  const [first, second] = bytes;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) return true;
  const sample = bytes.subarray(0, Math.min(64, bytes.length & ~1));
  const nulsAt = (parity: number) => sample.every((byte, index) => index % 2 !== parity || byte === 0);
  return sample.length >= 4 && nulsAt(0) !== nulsAt(1);
}

/** The lines of a text in UTF-8, with or without a byte-order mark. */
export function* sourceLines(bytes: Uint8Array): Generator<SourceLine> {
  const source = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const sound = isUtf8(source) && !source.includes(0);
  const hasMark = source[0] === 0xef && source[1] === 0xbb && source[2] === 0xbf;
  let start = hasMark ? 3 : 0;
  for (let number = 1; start < source.length; number += 1) {
    const end = endOfLine(source, start);
    const content = source.subarray(start, end);
    const loneCr = source[end] === CR && source[end + 1] !== LF;
    yield { number, text: content.toString('utf8'), damage: sound ? 'none' : damageOf(content), loneCr };
    start = source[end] === CR && !loneCr ? end + 2 : end + 1;
  }
}

function endOfLine(source: Buffer, start: number): number {
  let end = start;
  while (end < source.length && source[end] !== LF && source[end] !== CR) end += 1;
  return end;
}

/** A line can be judged alone: no byte of a line end is part of a longer UTF-8 sequence. */
function damageOf(line: Buffer): SourceLine['damage'] {
  if (line.includes(0)) return 'nul';
  return isUtf8(line) ? 'none' : 'not-utf8';
}
