/** The blanks of the file format. */

/** Takes spaces and tabs off both ends, and no other character: an invisible one is reported, not passed over. */
export function trimBlanks(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text[start])) start += 1;
  while (end > start && isBlank(text[end - 1])) end -= 1;
  return text.slice(start, end);
}

export function isBlank(character: string | undefined): boolean {
  return character === ' ' || character === '\t';
}
