/** Content as UTF-8 text. */

import type { DeskApi } from '../api.ts';
import { ProblemNotice } from '../notice.tsx';
import { Scrolled } from '../scrolled.tsx';
import { Pager } from './pager.tsx';
import { usePart } from './use-part.ts';

const PAGE_BYTES = 65_536;

export function TextView({ api, handle, size }: { api: DeskApi; handle: string; size: number }) {
  const { start, part, problem, goTo } = usePart(api, handle, size, PAGE_BYTES);
  return (
    <>
      <Pager start={start} size={size} pageBytes={PAGE_BYTES} goTo={goTo} />
      {problem !== null && <ProblemNotice problem={problem} />}
      {part !== null && (
        <Scrolled label="Text">
          <pre class="text">{decode(part.bytes, part.start > 0)}</pre>
        </Scrolled>
      )}
    </>
  );
}

/** A page may begin or end within a character: what is of another page is left out. */
function decode(bytes: Uint8Array, follows: boolean): string {
  let begin = 0;
  while (follows && begin < 3 && (bytes[begin]! & 0xc0) === 0x80) begin++;
  return new TextDecoder().decode(bytes.subarray(begin), { stream: true });
}
