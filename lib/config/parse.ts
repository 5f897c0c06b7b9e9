/**
 * Reads client_property.conf into sections, settings and problems.
 *
 * The syntax: `[SECTION]` lines, whole-line `#` comments, `NAME = VALUE`. A line that is none of these and stands
 * directly below a setting whose value is empty or ends with a comma continues that value. It continues nothing else,
 * and a comment, a blank line, a section or another setting is never taken for a value.
 */

import { CallsealError } from '../errors.ts';
import { looksLikeUtf16, type SourceLine, sourceLines } from './bytes.ts';
import type { ClientProperties, Section, ValuePart } from './model.ts';
import { LEVEL_SETTING, RECIPIENTS_SETTING, Setting } from './model.ts';
import type { ConfigProblem } from './problems.ts';
import { formatPlace, ProblemLog, printable } from './problems.ts';
import { resemblesRecipientsSetting } from './similar.ts';
import { trimBlanks } from './text.ts';

/** A larger file is refused, in bytes; the vendor's own is a small part of it. */
export const MAX_CONFIG_BYTES = 4 * 1024 * 1024;

/**
 * Parses the content of a configuration file.
 *
 * @param source the file's bytes, or its text.
 * @param path the file's name, for messages; the file is not opened.
 * @throws CallsealError `ERR_CONFIG` if the source is larger than {@link MAX_CONFIG_BYTES}, and for nothing else.
 */
export function parseClientProperties(source: string | Uint8Array, path: string): ClientProperties {
  const bytes = typeof source === 'string' ? Buffer.from(source, 'utf8') : source;
  if (bytes.length > MAX_CONFIG_BYTES) {
    const message = `is larger than ${MAX_CONFIG_BYTES} bytes, so it is no client_property.conf; check the path`;
    throw new CallsealError('ERR_CONFIG', `${formatPlace(path, 0)}: ${message}`, { path });
  }
  if (looksLikeUtf16(bytes)) return { path, sections: [], settings: [], problems: [UTF16_PROBLEM] };
  const parser = new Parser();
  for (const line of sourceLines(bytes)) parser.take(line);
  return { path, ...parser.finish() };
}

const UTF16_PROBLEM: ConfigProblem = {
  severity: 'error',
  rule: 'encoding',
  line: 1,
  message:
    'the file is in UTF-16 or UTF-32; save it as UTF-8 in the editor, or convert it: "iconv -f UTF-16 -t UTF-8 FILE"',
};

/** A longer name that resembles LOGGING_ENCRYPTION_KEY is not quoted: a lost line end may have put a value into it. */
const MAX_SIMILAR_LENGTH = RECIPIENTS_SETTING.length + 4;

/** A setting whose value may still go on. */
interface OpenSetting {
  readonly section: string | undefined;
  readonly name: string;
  readonly line: number;
  readonly parts: ValuePart[];
}

class Parser {
  readonly #sections: Section[] = [];
  readonly #settings: Setting[] = [];
  readonly #problems = new ProblemLog();
  readonly #commentedOut: number[] = [];
  /** The setting whose value the next line continues if that line is nothing else. */
  #open: OpenSetting | undefined;
  #sawLoneCr = false;

  take(line: SourceLine): void {
    const text = trimBlanks(line.text);
    const concernsRecipients = this.#classify(line, text);
    this.#reportBytes(line, concernsRecipients);
  }

  /** What was read, once the last line is taken. */
  finish(): Omit<ClientProperties, 'path'> {
    this.#close();
    this.#reportNames();
    return { sections: this.#sections, settings: this.#settings, problems: this.#problems.list() };
  }

  /** Returns whether the line is part of LOGGING_ENCRYPTION_KEY. */
  #classify(line: SourceLine, text: string): boolean {
    const isOther = text === '' || text.startsWith('#') || text.startsWith('[');
    const name = isOther ? undefined : settingName(text);
    if (!isOther && name === undefined && this.#open !== undefined) return this.#continueValue(line, text, this.#open);
    this.#close();
    if (name !== undefined) return this.#takeSetting(line, name);
    if (!isOther) return this.#takeUnknown(line.number, text);
    if (text.startsWith('#')) this.#takeComment(line.number, text);
    else if (text.startsWith('[')) this.#takeSection(line.number, text);
    return false;
  }

  #takeComment(line: number, text: string): void {
    if (settingName(text.replace(/^#+/, '')) === RECIPIENTS_SETTING) this.#commentedOut.push(line);
  }

  #takeSection(line: number, text: string): void {
    const sound = /^\[([A-Za-z0-9_ \t-]*)\]$/.exec(text)?.[1];
    // Only the first word of a broken line is kept: a lost line end may have put a setting behind it.
    const name = sound ?? /^\[[ \t]*([A-Za-z0-9_-]*)/.exec(text)?.[1] ?? '';
    this.#sections.push({ name: trimBlanks(name), line });
    if (sound === undefined) {
      this.#problems.add({
        severity: 'warning',
        rule: 'section-line',
        line,
        message: 'this is no proper section line; write [NAME], in letters, digits, "_" and "-", alone on the line',
      });
    }
  }

  #takeSetting(line: SourceLine, name: string): boolean {
    const part = partOf(line, line.text.indexOf('=') + 1);
    const section = this.#sections.at(-1)?.name;
    this.#open = { section, name, line: line.number, parts: [part] };
    if (!continues(part)) this.#close();
    return name === RECIPIENTS_SETTING;
  }

  #continueValue(line: SourceLine, text: string, open: OpenSetting): boolean {
    const part = partOf(line, line.text.indexOf(text));
    open.parts.push(part);
    if (!continues(part)) this.#close();
    return open.name === RECIPIENTS_SETTING;
  }

  #takeUnknown(line: number, text: string): boolean {
    const above = this.#settings.at(-1);
    if (resemblesStartOfRecipients(text)) {
      const message = `this line has no "="; write ${RECIPIENTS_SETTING} = followed by the paths`;
      this.#problems.add({ severity: 'error', rule: 'missing-equals', line, setting: RECIPIENTS_SETTING, message });
      return true;
    }
    // A certificate that someone meant to list must not be passed over.
    if (above?.name === RECIPIENTS_SETTING && above.line > (this.#sections.at(-1)?.line ?? 0)) {
      const message =
        `this line belongs to nothing; if it goes on with the list of ${RECIPIENTS_SETTING} on line ${above.line}, ` +
        'end the line above with a comma, with no blank line or comment between, or write the list on one line';
      this.#problems.add({ severity: 'error', rule: 'unknown-line', line, setting: RECIPIENTS_SETTING, message });
      return true;
    }
    const message = 'this line is no comment (#), section ([NAME]) or setting (NAME = VALUE); correct or remove it';
    this.#problems.add({ severity: 'warning', rule: 'unknown-line', line, message });
    return false;
  }

  #close(): void {
    const open = this.#open;
    if (open !== undefined) this.#settings.push(new Setting(open.section, open.name, open.line, open.parts));
    this.#open = undefined;
  }

  #reportBytes(line: SourceLine, concernsRecipients: boolean): void {
    if (line.loneCr && !this.#sawLoneCr) {
      this.#sawLoneCr = true;
      const message = 'this line ends with a carriage return alone, which counts as a line end; save the file with LF';
      this.#problems.add({ severity: 'note', rule: 'lone-cr', line: line.number, message });
    }
    if (line.damage === 'none') return;
    if (line.damage === 'nul') {
      const message = 'this line holds a NUL byte: the file is damaged or in UTF-16; restore it, or save it as UTF-8';
      this.#problems.add({ severity: 'error', rule: 'encoding', line: line.number, message });
      return;
    }
    // Text for the vendor's software alone may stay as it is; a path must be exact.
    const message =
      'this line is not UTF-8; save the file as UTF-8 in the editor, or convert it if it was written on Windows: ' +
      '"iconv -f WINDOWS-1252 -t UTF-8 FILE"';
    const severity = concernsRecipients ? 'error' : 'warning';
    this.#problems.add({ severity, rule: 'encoding', line: line.number, message });
  }

  /** What the settings' names tell together, once all are known. */
  #reportNames(): void {
    const given = this.#settings.filter((setting) => setting.name === RECIPIENTS_SETTING);
    const winner = given.pop();
    for (const { line } of given) this.#reportGivenTwice(line, winner!.line);
    for (const { name, line } of this.#settings) {
      if (name === LEVEL_SETTING) this.#reportLevel(line);
      else if (resemblesRecipientsSetting(name)) this.#reportSimilarName(line, name, winner !== undefined);
    }
    if (winner === undefined) for (const line of this.#commentedOut) this.#reportCommentedOut(line);
  }

  #reportGivenTwice(line: number, winner: number): void {
    const message =
      `${RECIPIENTS_SETTING} on line ${line} has no effect, because line ${winner} sets it again ` +
      'and the last one wins; remove one of the two';
    this.#problems.add({ severity: 'warning', rule: 'given-twice', line, setting: RECIPIENTS_SETTING, message });
  }

  #reportLevel(line: number): void {
    const message = `${LEVEL_SETTING} is accepted and not interpreted: what its values mean is not public`;
    this.#problems.add({ severity: 'note', rule: 'not-interpreted', line, setting: LEVEL_SETTING, message });
  }

  #reportSimilarName(line: number, name: string, present: boolean): void {
    const shown = name.length <= MAX_SIMILAR_LENGTH ? `"${printable(name)}"` : 'the name of this setting';
    const message =
      `${shown} resembles ${RECIPIENTS_SETTING} and has no effect; ` +
      `if that was meant, write ${RECIPIENTS_SETTING}, in capitals and with underscores`;
    this.#problems.add({ severity: present ? 'note' : 'warning', rule: 'similar-name', line, message });
  }

  #reportCommentedOut(line: number): void {
    const message = `${RECIPIENTS_SETTING} is commented out here; remove the "#" if it should take effect`;
    this.#problems.add({ severity: 'note', rule: 'commented-out', line, setting: RECIPIENTS_SETTING, message });
  }
}

/**
 * The name in `NAME = VALUE`, or undefined. What stands before `=` must look like a name, because a path may hold `=`
 * too; odd characters are accepted only where the name would be LOGGING_ENCRYPTION_KEY otherwise, to report it, and
 * only in a name as short, because what precedes it may come from another line.
 */
function settingName(text: string): string | undefined {
  const equals = text.indexOf('=');
  if (equals === -1) return undefined;
  const name = trimBlanks(text.slice(0, equals));
  if (/^[A-Za-z0-9_-]+$/.test(name)) return name;
  return name.length <= MAX_SIMILAR_LENGTH && !/[/\\,;'"]/.test(name) && resemblesRecipientsSetting(name)
    ? name
    : undefined;
}

function resemblesStartOfRecipients(text: string): boolean {
  const word = /^[A-Za-z0-9_-]{1,40}/.exec(text)?.[0] ?? '';
  return word === RECIPIENTS_SETTING || resemblesRecipientsSetting(word);
}

function continues(part: ValuePart): boolean {
  return part.text === '' || part.text.endsWith(',');
}

/** The line from an index on, without the blanks around it. */
function partOf(line: SourceLine, from: number): ValuePart {
  const rest = line.text.slice(from);
  const text = trimBlanks(rest);
  return { text, line: line.number, column: from + rest.indexOf(text) + 1 };
}
