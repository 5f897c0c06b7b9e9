/** What text and page say alike. */

import { formatNumber } from '../page/figures.ts';
import type { ListingKind, RecipientRow, Sum } from './tally.ts';

/** A kind of problem as a heading, and what to do about it. */
export interface ProblemWords {
  kind: ListingKind;
  /** After a number of files. */
  what: string;
  advice: string;
  /** Worth a warning colour. */
  bad: boolean;
}

/** The worst first. */
export const PROBLEMS: readonly ProblemWords[] = [
  {
    kind: 'plaintext',
    what: 'not encrypted',
    advice: 'Whoever may read such a file reads what is in it: `callseal encrypt`, or move it away.',
    bad: true,
  },
  {
    kind: 'damaged',
    what: 'damaged',
    advice: 'Compare with the source; `callseal verify` says more.',
    bad: true,
  },
  {
    kind: 'truncated',
    what: 'incomplete',
    advice: 'The end is missing: the writer stopped, or is still at work.',
    bad: true,
  },
  {
    kind: 'misnamed',
    what: 'named as Callseal files, and none',
    advice: 'The name says that it is encrypted by Callseal, and the content does not.',
    bad: true,
  },
  {
    kind: 'unsupported',
    what: 'of a later release',
    advice: 'Read such a file with the release that wrote it, or a newer one.',
    bad: false,
  },
  {
    kind: 'unreadable',
    what: 'not readable',
    advice: 'Not counted above: run this as a user who may read them.',
    bad: true,
  },
  {
    kind: 'unfinished',
    what: 'unfinished outputs',
    advice:
      'Left by a process that was killed. Nothing uses such a file again once it is no longer written: delete it.',
    bad: false,
  },
  {
    kind: 'singleRecipient',
    what: 'with a single recipient',
    advice: 'One key opens such a file and no other: when the key is lost, so is the file.',
    bad: false,
  },
];

/** `1 file`, `2,000 files`. */
export function files(number: number): string {
  return `${formatNumber(number)} ${number === 1 ? 'file' : 'files'}`;
}

/** `2,000 entries`. */
export function entries(number: number): string {
  return `${formatNumber(number)} ${number === 1 ? 'entry' : 'entries'}`;
}

/** `expires 2027-11-21 (365 days)`; empty for a bare key. */
export function validityText({ notAfter, notBefore, daysLeft, validity }: RecipientRow): string {
  if (notAfter === null || notBefore === null || daysLeft === null) return 'no certificate, no expiry';
  const day = (date: Date): string => date.toISOString().slice(0, 10);
  if (validity === 'expired') return `expired ${day(notAfter)} (${formatNumber(-daysLeft)} days ago)`;
  if (validity === 'not yet valid') return `valid from ${day(notBefore)}`;
  return `expires ${day(notAfter)} (in ${formatNumber(daysLeft)} days)`;
}

/** What is to be said against a recipient; empty when nothing is. */
export function flagsOf({ validity, weak }: RecipientRow): string[] {
  return [...(validity === 'valid' ? [] : [validity === 'bare' ? 'bare key' : validity]), ...(weak ? ['weak'] : [])];
}

/** Part of a whole in percent; 100 only when it is all. */
export function percent(part: number, whole: number): string {
  if (part >= whole) return '100 %';
  return `${formatNumber(Math.min(99.9, (100 * part) / whole))} %`;
}

export function hasFiles(sum: Sum): boolean {
  return sum.files > 0;
}
