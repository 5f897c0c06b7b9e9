/** What a change makes of a file's recipients: a plan, before anything is opened or written. */

import { CallsealError } from '../errors.ts';
import type { ExaminedRecipient } from '../recipients/examine.ts';
import { MAX_RECIPIENTS } from '../recipients/limits.ts';
import type { Recipients } from '../recipients/recipients.ts';
import { assertRecipients } from './arguments.ts';
import { nameOf } from './faults.ts';
import { describeEntry, type RecipientEntryInfo } from './inspect.ts';
import { type RecipientMatch, type RecipientTest, testFor } from './recipient-match.ts';
import type { RecipientEntry } from './recipients-block.ts';

/**
 * A change of recipients. All of it happens in one write; made twice, it changes nothing the second time.
 *
 * Whoever is added by a change is never removed by it, even if `remove` or `replace` names them, too.
 */
export interface RecipientChange {
  /** Recipients to add. One with the same certificate, or a bare public key whose key is there, is there already; a renewed certificate of the same key takes the place of the old. */
  add?: Recipients | undefined;
  /** Recipients to remove, those that fit any of the matches. */
  remove?: readonly RecipientMatch[] | undefined;
  /** Where one that fits `old` is there: adds `new`, then removes `old`. Other files are left alone. */
  replace?: { old: readonly RecipientMatch[]; new: Recipients } | undefined;
  /** Only files with a recipient that fits any of these are changed. */
  where?: readonly RecipientMatch[] | undefined;
}

/** An entry of the section to be: as it is in the file, or wrapped anew. */
export type PlannedEntry = { kept: RecipientEntry } | { added: ExaminedRecipient };

/** Checked once, planned for many files. */
export class ChangePlanner {
  readonly #add: readonly ExaminedRecipient[];
  readonly #new: readonly ExaminedRecipient[];
  readonly #remove: RecipientTest;
  readonly #old: RecipientTest;
  readonly #where: RecipientTest;

  /** @throws {CallsealError} `ERR_INVALID_ARGUMENT` for a change that would never change anything, or is not one. */
  constructor(change: RecipientChange) {
    const { add, remove = [], replace, where } = change;
    if (add !== undefined) assertRecipients(add);
    if (replace !== undefined) assertRecipients(replace.new);
    if (add === undefined && replace === undefined && remove.length === 0) {
      throw new CallsealError(
        'ERR_INVALID_ARGUMENT',
        'a change adds, removes or replaces recipients; this one does not',
      );
    }
    this.#add = add?.entries ?? [];
    this.#new = replace?.new.entries ?? [];
    this.#remove = testFor(remove);
    this.#old = testFor(replace?.old ?? []);
    this.#where = where === undefined ? () => true : testFor(where);
  }

  /**
   * @param path For messages.
   * @returns Null when the file has what it shall have.
   * @throws {CallsealError} `ERR_NO_RECIPIENTS` when nobody would be left; `ERR_INVALID_ARGUMENT` when there would be
   *   more than a file has room for.
   */
  plan(entries: readonly RecipientEntry[], path?: string): PlannedEntry[] | null {
    const infos = entries.map(describeEntry);
    if (!infos.some(this.#where)) return null;
    const additions = new Map(this.#additions(infos).map((recipient) => [recipient.info.keyId, recipient]));
    const planned: PlannedEntry[] = [];
    for (const [index, entry] of entries.entries()) {
      const info = infos[index] as RecipientEntryInfo;
      const added = additions.get(info.keyId);
      additions.delete(info.keyId);
      if (added !== undefined && renews(added, info)) planned.push({ added });
      else if (added !== undefined || !(this.#remove(info) || this.#old(info))) planned.push({ kept: entry });
    }
    for (const added of additions.values()) planned.push({ added });
    if (planned.length === entries.length && planned.every((entry) => 'kept' in entry)) return null;
    if (planned.length === 0) throw nobodyLeft(path);
    if (planned.length > MAX_RECIPIENTS) throw tooMany(planned.length, path);
    return planned;
  }

  #additions(recipients: readonly RecipientEntryInfo[]): readonly ExaminedRecipient[] {
    return recipients.some(this.#old) ? [...this.#add, ...this.#new] : this.#add;
  }
}

/** Whether the recipient's entry would say something else than the one in the file, of the same key. */
function renews(added: ExaminedRecipient, { certificate }: RecipientEntryInfo): boolean {
  return added.info.certificate !== null && added.info.certificate.sha256 !== certificate?.sha256;
}

function nobodyLeft(path: string | undefined): CallsealError {
  return new CallsealError(
    'ERR_NO_RECIPIENTS',
    `${nameOf(path)}: nobody could open it any more, as the change removes its last recipient; add another in the same change`,
    path === undefined ? {} : { path },
  );
}

function tooMany(count: number, path: string | undefined): CallsealError {
  const message = `${nameOf(path)} would have ${count} recipients, more than the ${MAX_RECIPIENTS} it has room for`;
  return new CallsealError('ERR_INVALID_ARGUMENT', message, path === undefined ? {} : { path });
}
