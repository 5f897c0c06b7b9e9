/** Names of files with something put behind them. */

/** Bytes of a name at most, on any file system of Linux. */
const LONGEST_NAME = 255;

/** Where the two would be too long together, the name is cut short at a whole character. */
export function nameWithTail(name: string, tail: string): string {
  const bytes = Buffer.from(name);
  const room = LONGEST_NAME - Buffer.byteLength(tail);
  if (bytes.length <= room) return name + tail;
  return (
    bytes
      .subarray(0, room)
      .toString()
      .replace(/\ufffd+$/, '') + tail
  );
}
