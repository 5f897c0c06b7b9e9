/** Content byte by byte: offset, sixteen bytes, and the characters among them. */

import type { DeskApi } from '../api.ts';
import { ProblemNotice } from '../notice.tsx';
import { Scrolled } from '../scrolled.tsx';
import { Pager } from './pager.tsx';
import { usePart } from './use-part.ts';

const LINE_BYTES = 16;
const PAGE_BYTES = 256 * LINE_BYTES;

export function HexView({ api, handle, size }: { api: DeskApi; handle: string; size: number }) {
  const { start, part, problem, goTo } = usePart(api, handle, size, PAGE_BYTES);
  return (
    <>
      <Pager start={start} size={size} pageBytes={PAGE_BYTES} goTo={goTo} />
      {problem !== null && <ProblemNotice problem={problem} />}
      {part !== null && (
        <Scrolled label="Bytes">
          <pre class="hex">{dump(part.bytes, part.start)}</pre>
        </Scrolled>
      )}
    </>
  );
}

function dump(bytes: Uint8Array, start: number): string {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += LINE_BYTES) {
    const line = Array.from(bytes.subarray(at, at + LINE_BYTES));
    const digits = line.map((byte) => byte.toString(16).padStart(2, '0'));
    const halves = `${digits.slice(0, 8).join(' ')}  ${digits.slice(8).join(' ')}`;
    const characters = line.map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.')).join('');
    lines.push(`${(start + at).toString(16).padStart(8, '0')}  ${halves.padEnd(49)} |${characters}|`);
  }
  return lines.join('\n');
}
