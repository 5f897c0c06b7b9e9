/**
 * Splits the value of LOGGING_ENCRYPTION_KEY into its items.
 *
 * Items are separated by commas. An item may stand in single or double quotes, which make every character between them
 * literal; there are no escapes, since Windows paths are full of backslashes.
 */

import type { Setting, ValuePart } from './model.ts';
import { RECIPIENTS_SETTING } from './model.ts';
import type { ProblemLog, ProblemRule } from './problems.ts';
import { shownItem } from './problems.ts';
import { isBlank, trimBlanks } from './text.ts';

/** One item of the list. */
export interface Item {
  /** Without quotes and the blanks around it; never empty. */
  readonly text: string;
  /** Counted from 1. */
  readonly line: number;
  /** Where {@link text} begins, counted from 1 in UTF-16 units. */
  readonly column: number;
  readonly inQuotes: boolean;
}

/** As many as a call file has recipients at most (`docs/format.md`), so that a file of commas costs no memory. */
const MAX_ITEMS = 4096;

/** The items of the setting; what is wrong between them goes to the log. */
export function splitItems(setting: Setting, log: ProblemLog): Item[] {
  const splitter = new ItemSplitter(log);
  const last = setting.parts.at(-1);
  for (const part of setting.parts) {
    if (part.text !== '') splitter.take(part, part !== last);
    if (splitter.full) break;
  }
  return splitter.items;
}

class ItemSplitter {
  readonly items: Item[] = [];
  readonly #log: ProblemLog;
  #count = 0;

  constructor(log: ProblemLog) {
    this.#log = log;
  }

  get full(): boolean {
    return this.#count > MAX_ITEMS;
  }

  /** @param goesOn whether the list goes on below, so that the comma at the end separates and leaves no empty item. */
  take(part: ValuePart, goesOn: boolean): void {
    const { text } = part;
    let position = 0;
    let saidSeparator = false;
    while (!this.full) {
      while (isBlank(text[position])) position += 1;
      if (position >= text.length && goesOn) return;
      this.#count += 1;
      if (this.full) break;
      const end = this.#takeItem(part, position);
      if (end >= text.length) return;
      if (text[end] === ';' && !saidSeparator) {
        saidSeparator = true;
        this.#report('separator', part, end, SEMICOLON);
      }
      position = end + 1;
    }
    this.#report('too-many-items', part, position, `the list has more than ${MAX_ITEMS} items; shorten it`);
  }

  /** Takes the item that begins at an index; returns the index of the separator behind it or the end. */
  #takeItem(part: ValuePart, start: number): number {
    const first = part.text[start];
    if (first === '"' || first === "'") return this.#takeQuoted(part, start, first);
    const end = separatorFrom(part.text, start);
    this.#push(part, start, trimBlanks(part.text.slice(start, end)), false);
    return end;
  }

  #takeQuoted(part: ValuePart, start: number, quote: string): number {
    const { text } = part;
    const close = text.indexOf(quote, start + 1);
    if (close === -1) {
      this.#report(
        'quote',
        part,
        start,
        `the quote before ${shownItem(text.slice(start + 1))} is not closed; ${QUOTES}`,
      );
      return text.length;
    }
    const end = separatorFrom(text, close + 1);
    const behind = trimBlanks(text.slice(close + 1, end));
    if (behind.startsWith('#')) this.#report('inline-comment', part, close + 1, INLINE_COMMENT);
    else if (behind !== '') {
      const item = shownItem(text.slice(start + 1, close));
      this.#report('quote', part, close + 1, `something follows the closing quote of ${item}; ${QUOTES}`);
    }
    this.#push(part, start + 1, text.slice(start + 1, close), true);
    return end;
  }

  #push(part: ValuePart, index: number, text: string, inQuotes: boolean): void {
    if (text !== '') this.items.push({ text, line: part.line, column: part.column + index, inQuotes });
    else {
      const message = 'an item of the list is empty; remove the comma, or write the missing path';
      this.#report('empty-item', part, index, message);
    }
  }

  #report(rule: ProblemRule, part: ValuePart, index: number, message: string): void {
    const severity = rule === 'empty-item' ? 'warning' : 'error';
    const column = part.column + index;
    this.#log.add({ severity, rule, line: part.line, column, setting: RECIPIENTS_SETTING, message });
  }
}

/** A semicolon separates too, but is reported: what is meant is clear, and both sides are worth checking. */
function separatorFrom(text: string, start: number): number {
  let end = start;
  while (end < text.length && text[end] !== ',' && text[end] !== ';') end += 1;
  return end;
}

const QUOTES = 'put one pair of quotes around the whole path, on one line, and a comma behind it';

const SEMICOLON =
  'certificates are separated by commas, not by ";" as servers are; ' +
  'write a comma, or put the path in quotes if ";" is part of it';

/** For the path checks too: a comment may follow a path without quotes. */
export const INLINE_COMMENT =
  'a comment must have a line of its own; move it above the setting, or put the path in quotes if "#" is part of it';
