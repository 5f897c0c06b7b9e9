/**
 * Recipients of all files, each once: a thousand files are mostly for the same few. Only what is alike in everything
 * that is shown is the same: what one file claims of a key is not told of another file.
 */

import type { RecipientEntryInfo } from '../callfile/inspect.ts';
import { safe } from '../safe-text.ts';
import type { RecipientView } from './protocol.ts';

/** Of one file: more than a person reads. With as many files as the desk lists there are a million places. */
const MAX_OF_FILE = 100;
/** Of all files together; with names of this length about 10 MB. */
const MAX_RECIPIENTS = 10_000;
const MAX_NAME_CHARACTERS = 300;

/** What a file's recipients are called in a listing. */
export interface Placed {
  /** Places in the table. */
  recipients: number[];
  /** Those that there was no room for. */
  unlisted: number;
}

/** It only grows, so that whoever knows its beginning has to be told the rest alone. */
export class RecipientTable {
  readonly #views: RecipientView[] = [];
  readonly #places = new Map<string, number>();

  get size(): number {
    return this.#views.length;
  }

  /** Those from the `known`-th on. */
  after(known: number): RecipientView[] {
    return this.#views.slice(known);
  }

  place(entries: readonly RecipientEntryInfo[]): Placed {
    const recipients = entries.slice(0, MAX_OF_FILE).flatMap((entry) => this.#placeOf(viewOf(entry)) ?? []);
    return { recipients, unlisted: entries.length - recipients.length };
  }

  #placeOf(view: RecipientView): number | undefined {
    const name = JSON.stringify(view);
    const known = this.#places.get(name);
    if (known !== undefined || this.#views.length >= MAX_RECIPIENTS) return known;
    const place = this.#views.push(view) - 1;
    this.#places.set(name, place);
    return place;
  }
}

function viewOf({ keyId, bits, certificate }: RecipientEntryInfo): RecipientView {
  if (certificate === null) return { keyId, bits, certificate };
  const { subject, issuer, serial, notAfter, sha256 } = certificate;
  const names = { subject: shortName(subject), issuer: shortName(issuer) };
  return { keyId, bits, certificate: { ...names, serial, sha256, notAfter: notAfter.toISOString() } };
}

/** A name that a file claims, fit to be shown. */
export function shortName(name: string): string {
  const text = safe(name);
  return text.length <= MAX_NAME_CHARACTERS ? text : `${text.slice(0, MAX_NAME_CHARACTERS)}…`;
}
