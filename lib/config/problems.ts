/**
 * What can be wrong with a configuration, and how it is said.
 *
 * A message says what is wrong and what to write instead. It quotes nothing but the items of LOGGING_ENCRYPTION_KEY
 * and names that resemble it: any other text of the file may be a password.
 */

/** `error`: encrypting would go wrong. `warning`: probably not what was meant. `note`: worth knowing. */
export type Severity = 'error' | 'warning' | 'note';

/** Which rule a {@link ConfigProblem} is about: stable, for programs, while messages may be reworded. */
export type ProblemRule =
  /** UTF-16, a NUL byte, or bytes that are not UTF-8. */
  | 'encoding'
  /** Lines that end with a carriage return alone. */
  | 'lone-cr'
  /** A line that is no comment, section, setting or continued value. */
  | 'unknown-line'
  /** A line that begins with `[` and is no `[NAME]`. */
  | 'section-line'
  /** LOGGING_ENCRYPTION_KEY without `=`. */
  | 'missing-equals'
  | 'given-twice'
  /** A setting whose name resembles LOGGING_ENCRYPTION_KEY. */
  | 'similar-name'
  | 'commented-out'
  | 'not-interpreted'
  /** No recipient: the setting is absent, `default`, empty, or a list of nothing. */
  | 'not-configured'
  | 'empty-item'
  | 'too-many-items'
  /** `;` between items. */
  | 'separator'
  /** A quote that is not closed, text behind a closing quote, typographic quotes. */
  | 'quote'
  /** `path # comment`. */
  | 'inline-comment'
  /** Another setting inside the list: a lost line end. */
  | 'setting-in-list'
  /** `default` beside other items. */
  | 'default-in-list'
  | 'path-too-long'
  /** A control character, an invisible one, or an unusual space. */
  | 'invisible-character'
  | 'windows-path'
  | 'relative-path'
  /** `~`, `$VAR` or `%VAR%`. */
  | 'not-expanded'
  | 'glob'
  | 'not-found'
  | 'not-a-file'
  | 'not-readable'
  | 'duplicate'
  /** Stands for those beyond the limit. */
  | 'more-problems';

/** One thing to tell the operator. */
export interface ConfigProblem {
  readonly severity: Severity;
  readonly rule: ProblemRule;
  /** Counted from 1; 0 for the file as a whole. */
  readonly line: number;
  /** Counted from 1 in UTF-16 units, where one place in the line is meant. */
  readonly column?: number;
  /** The setting concerned. */
  readonly setting?: string;
  /** What is wrong and what to write instead. */
  readonly message: string;
}

/** Renders `file:line: severity: message`; the line is left out where the file as a whole is meant. */
export function formatProblem(path: string, problem: ConfigProblem): string {
  return `${formatPlace(path, problem.line)}: ${problem.severity}: ${problem.message}`;
}

/** Renders `file:line`, or `file` for line 0. */
export function formatPlace(path: string, line: number): string {
  return line === 0 ? printable(path) : `${printable(path)}:${line}`;
}

/** How many problems a log keeps beside those it began with, so that a file of garbage costs no memory. */
const MAX_PROBLEMS = 100;

const SEVERITIES: readonly Severity[] = ['note', 'warning', 'error'];

/** Collects problems; those beyond the limit are counted, and an error among them still is one in the list. */
export class ProblemLog {
  readonly #kept: ConfigProblem[];
  readonly #limit: number;
  #dropped = 0;
  #worst: Severity = 'note';

  /** @param earlier what was found before, all of which is kept. */
  constructor(earlier: readonly ConfigProblem[] = []) {
    this.#kept = [...earlier];
    this.#limit = earlier.length + MAX_PROBLEMS;
  }

  add(problem: ConfigProblem): void {
    if (this.#kept.length < this.#limit) {
      this.#kept.push(problem);
      return;
    }
    this.#dropped += 1;
    if (SEVERITIES.indexOf(problem.severity) > SEVERITIES.indexOf(this.#worst)) this.#worst = problem.severity;
  }

  get hasErrors(): boolean {
    return this.#worst === 'error' || this.#kept.some(({ severity }) => severity === 'error');
  }

  /** In the order of the file, what concerns it as a whole at the end. */
  list(): ConfigProblem[] {
    const sorted = this.#kept.toSorted(byPlace);
    if (this.#dropped > 0) {
      const count = this.#dropped === 1 ? '1 more problem is' : `${this.#dropped} more problems are`;
      sorted.push({
        severity: this.#worst,
        rule: 'more-problems',
        line: 0,
        message: `${count} not listed; correct those above first`,
      });
    }
    return sorted;
  }
}

function byPlace(a: ConfigProblem, b: ConfigProblem): number {
  if (a.line !== b.line) return (a.line || Infinity) - (b.line || Infinity);
  return (a.column ?? 0) - (b.column ?? 0);
}

/** The most of an item that a message shows. */
const MAX_SHOWN = 200;

/** Where something begins that could be another setting: its name with `=` or `:`, or as a word of its own. */
const OTHER_SETTING = /[A-Za-z0-9_-]{4,}[ \t]*[=:]|(?:^|[ \t])[A-Za-z0-9]+[_-][A-Za-z0-9_-]*[ \t]/;

/** The first word of what is meant as the name of a file. */
const PATH_LIKE = /^[^ \t]*(?:[/\\]|\.(?:crt|cer|pem|der|key|pub)$)/i;

/**
 * An item of the list in double quotes, fit for a message: shortened, control and invisible characters escaped.
 *
 * A lost line end may have put AUTHENTICATION_PASSWORD into the list, so what could be another setting is left out, and
 * what is not the name of a file at all is not shown: the message's line and column must do.
 */
export function shownItem(text: string): string {
  const start = text.slice(0, MAX_SHOWN);
  if (!PATH_LIKE.test(start)) return 'this item';
  const other = OTHER_SETTING.exec(start);
  const shown = other === null ? start : start.slice(0, other.index + other[0].length);
  return `"${printable(shown)}${shown.length < text.length ? '…' : ''}"`;
}

/** The text with control and invisible characters written as `\u{…}`: no message moves a terminal's cursor. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\u00a0]/gu, (c) => `\\u{${c.codePointAt(0)?.toString(16)}}`);
}
