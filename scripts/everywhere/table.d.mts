import type { Totals } from './run-tests.mjs';

export function summary(results: { name: string; totals?: Totals }[]): { lines: string[]; exitCode: number };
