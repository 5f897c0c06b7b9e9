/** Names that were probably meant to be another. */

import { RECIPIENTS_SETTING } from './model.ts';

/** A misspelling differs in so many letters at most; LOGGING_ENCRYPTION_LEVEL differs in four. */
const MAX_DISTANCE = 3;
/** Longer names are not compared, because comparing takes the product of the lengths. */
const MAX_LENGTH = 80;

const RECIPIENTS_LETTERS = lettersOf(RECIPIENTS_SETTING);

/**
 * Whether a setting's name is LOGGING_ENCRYPTION_KEY misspelt: in another case, with hyphens or spaces, with something
 * added (LOGGING_ENCRYPTION_KEYS), or by a few letters.
 */
export function resemblesRecipientsSetting(name: string): boolean {
  if (name === RECIPIENTS_SETTING || name.length > MAX_LENGTH) return false;
  const letters = lettersOf(name);
  if (letters.includes(RECIPIENTS_LETTERS)) return true;
  if (Math.abs(letters.length - RECIPIENTS_LETTERS.length) > MAX_DISTANCE) return false;
  return editDistance(letters, RECIPIENTS_LETTERS) <= MAX_DISTANCE;
}

function lettersOf(name: string): string {
  return name.toUpperCase().replace(/[^A-Z0-9]/g, '');
}

/** The one of the candidates that differs least from a file's name, if any is close. */
export function closestName(name: string, candidates: Iterable<string>): string | undefined {
  if (name.length > MAX_LENGTH) return undefined;
  let closest: string | undefined;
  let least = Math.min(MAX_DISTANCE, Math.floor(name.length / 3)) + 1;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - name.length) >= least) continue;
    const distance = editDistance(candidate.toLowerCase(), name.toLowerCase());
    if (distance < least) [closest, least] = [candidate, distance];
  }
  return closest;
}

/** Levenshtein distance. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const substitution = previous[column - 1]! + (a[row - 1] === b[column - 1] ? 0 : 1);
      current.push(Math.min(previous[column]! + 1, current[column - 1]! + 1, substitution));
    }
    previous = current;
  }
  return previous[b.length]!;
}
