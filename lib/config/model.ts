/** What a parsed client_property.conf is made of. */

import type { ConfigProblem } from './problems.ts';

/** The setting that lists the certificates (or bare public keys) every response file is encrypted for. */
export const RECIPIENTS_SETTING = 'LOGGING_ENCRYPTION_KEY';

/** A setting of the vendor's whose values are not public: accepted, reported, not interpreted. */
export const LEVEL_SETTING = 'LOGGING_ENCRYPTION_LEVEL';

/** A `[NAME]` line. */
export interface Section {
  /** Without the brackets. */
  readonly name: string;
  /** Counted from 1. */
  readonly line: number;
}

/** The part of a value that stands on one line, without the blanks around it. */
export interface ValuePart {
  readonly text: string;
  /** Counted from 1. */
  readonly line: number;
  /** Where {@link text} begins, counted from 1 in UTF-16 units, as editors count. */
  readonly column: number;
}

/**
 * One `NAME = VALUE`.
 *
 * The file also holds `AUTHENTICATION_PASSWORD`, so the value is kept out of whatever prints objects whole:
 * `JSON.stringify`, `console.log` and a logger see the name and the lines only.
 */
export class Setting {
  /** The name of the `[SECTION]` it stands in; undefined before the first. */
  readonly section: string | undefined;
  readonly name: string;
  /** The line of the name, counted from 1. */
  readonly line: number;
  /** The last line of the value; {@link line} unless the value goes on below. */
  readonly lastLine: number;
  readonly #parts: readonly ValuePart[];

  /** @param parts at least one; the first is the text behind `=`, which may be empty. */
  constructor(section: string | undefined, name: string, line: number, parts: readonly ValuePart[]) {
    this.section = section;
    this.name = name;
    this.line = line;
    this.lastLine = parts.at(-1)?.line ?? line;
    this.#parts = parts;
  }

  /** The raw value without the blanks around it; the lines of a value on several are joined by `\n`. */
  get value(): string {
    return this.#parts
      .map((part) => part.text)
      .filter((text) => text !== '')
      .join('\n');
  }

  /** The value line by line, with positions. */
  get parts(): readonly ValuePart[] {
    return this.#parts;
  }
}

/** A parsed client_property.conf. */
export interface ClientProperties {
  /** The file's name, as given; used in messages and to propose absolute paths. */
  readonly path: string;
  /** In the order of the file; a section opened twice is listed twice. */
  readonly sections: readonly Section[];
  /** In the order of the file; a setting given twice is listed twice. */
  readonly settings: readonly Setting[];
  /** In the order of the file. */
  readonly problems: readonly ConfigProblem[];
}
