import type { Setting, Totals } from './run-tests.mjs';

export interface Result {
  name: string;
  what: string;
  totals: Totals;
}

export function resultIn(name: string, setting: Setting, files: string[]): Promise<Result>;
