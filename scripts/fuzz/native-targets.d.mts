import type { Outcome } from './targets-in-turn.mjs';

export function runFuzzer(
  name: string,
  program: string,
  corpora: string[],
  seconds: number,
  stop: AbortSignal,
): Promise<Outcome>;
