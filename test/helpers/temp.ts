/** Temporary directories, removed when the test file is done. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

const made: string[] = [];

afterAll(() => {
  for (const path of made.splice(0)) rmSync(path, { recursive: true, force: true });
});

/** A fresh, empty directory. */
export function tempDir(): string {
  const path = mkdtempSync(join(tmpdir(), 'callseal-test-'));
  made.push(path);
  return path;
}
