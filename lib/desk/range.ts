/** The part of a body that a request asks for (RFC 9110, section 14): one range of bytes. */

/** From `start` to before `end`; `whole` for requests that ask for no part, or for several. */
export type ByteRange = { start: number; end: number; whole: boolean };

/** @returns null when nothing of the body lies in the range (416) */
export function parseRange(header: string | undefined, size: number): ByteRange | null {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? '');
  const [, first = '', last = ''] = match ?? [];
  if (match === null || (first === '' && last === '')) return { start: 0, end: size, whole: true };
  if (first === '') {
    const length = Math.min(size, Number(last));
    return length === 0 ? null : { start: size - length, end: size, whole: false };
  }
  const start = Number(first);
  const end = last === '' ? size : Math.min(size, Number(last) + 1);
  if (start >= size) return null;
  return end > start ? { start, end, whole: false } : { start: 0, end: size, whole: true };
}
