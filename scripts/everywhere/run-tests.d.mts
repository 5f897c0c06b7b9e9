/** Another node, what the command is started by, and environment variables. */
export interface Setting {
  node?: string;
  prefix?: string[];
  env?: Record<string, string | undefined>;
  /** Test files that do not fit there. */
  without?: string[];
}

export interface Totals {
  passed: number;
  failed: number;
  skipped: number;
  failures: string[];
}

export function runTests(files: string[], setting: Setting): Promise<Totals>;
