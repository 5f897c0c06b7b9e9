/** A part of the content, page by page: what is not looked at is not decrypted. */

import { useEffect, useState } from 'preact/hooks';
import type { Problem } from '../../../lib/desk/protocol.ts';
import type { DeskApi } from '../api.ts';
import { problemOf } from '../problem.ts';

export function usePart(api: DeskApi, handle: string, size: number, pageBytes: number) {
  const [start, setStart] = useState(0);
  const [part, setPart] = useState<{ start: number; bytes: Uint8Array } | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  useEffect(() => {
    let gone = false;
    setProblem(null);
    api.bytes(handle, start, Math.min(size, start + pageBytes)).then(
      (bytes) => gone || setPart({ start, bytes }),
      (error) => {
        if (gone) return;
        setPart(null);
        setProblem(problemOf(error));
      },
    );
    return () => {
      gone = true;
    };
  }, [handle, start]);
  return { start, part, problem, goTo: setStart };
}
