/**
 * `--json` of the commands that take files: one document, `{"files": […]}`, whether one file is given or thousands.
 * Written as results come, a line for each file.
 */

import { CallsealError } from '../errors.ts';
import { describe, exitCodeFor } from './output.ts';
import { safeJson } from './text.ts';

/** Begins every element: the file, the code it would end in alone, and why. */
export interface JsonFile {
  file: string;
  exitCode: number;
  error: { code: string; message: string } | null;
}

/** The head of an element. */
export function jsonFile(file: string, error: unknown): JsonFile {
  if (error === null) return { file, exitCode: 0, error: null };
  const code = error instanceof CallsealError ? error.code : 'ERR_UNEXPECTED';
  return { file, exitCode: exitCodeFor(error), error: { code, message: describe(error) } };
}

/** Writes the document to standard output. */
export class JsonDocument {
  #separator = '\n';

  constructor() {
    process.stdout.write('{"files": [');
  }

  add(element: JsonFile): void {
    process.stdout.write(`${this.#separator}${safeJson(element)}`);
    this.#separator = ',\n';
  }

  /**
   * @param passedOver files met in directories that are not Callseal files
   * @param more members that say something of all files together
   */
  end(passedOver: number, more: Readonly<Record<string, unknown>> = {}): void {
    const members = Object.entries(more).map(([name, value]) => `, ${safeJson(name)}: ${safeJson(value)}`);
    process.stdout.write(`\n], "passedOver": ${passedOver}${members.join('')}}\n`);
  }
}
