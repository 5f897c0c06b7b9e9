/** A message that is also read aloud. */

import type { ComponentChildren } from 'preact';
import type { Problem } from '../../lib/desk/protocol.ts';
import { wordsFor } from './words.ts';

/** What is no failure, but has to be known. */
const MILD: ReadonlySet<Problem['code']> = new Set(['ERR_TRUNCATED', 'ERR_PASSPHRASE_REQUIRED', 'ERR_OUTPUT_EXISTS']);

export function ProblemNotice({ problem, children }: { problem: Problem; children?: ComponentChildren }) {
  const { title, advice } = wordsFor(problem);
  return (
    <div class={`notice ${MILD.has(problem.code) ? 'warn' : 'bad'}`} role="alert">
      <strong>{title}</strong>
      {advice === null ? (
        <p class="said">{problem.message}</p>
      ) : (
        <>
          <p>{advice}</p>
          <details>
            <summary>What was said</summary>
            <p class="said">{problem.message}</p>
          </details>
        </>
      )}
      {children}
    </div>
  );
}

export function Notice({ kind, children }: { kind: 'good' | 'warn' | 'plain'; children: ComponentChildren }) {
  return (
    <div class={`notice ${kind}`} role="status">
      {children}
    </div>
  );
}
