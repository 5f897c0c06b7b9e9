/** Text of unknown origin, made safe to show. */

/**
 * Control characters, line and paragraph separators, lone surrogates, and the invisible ones that reorder or hide text.
 * A file name, or a subject in a file's header, is chosen by whoever made it: it must not move the cursor or lie.
 */
export const UNSAFE =
  /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/gu;

const SHORT: Record<string, string> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** One line of text with everything a terminal would act upon written as `\n`, `\u{1b}`, … */
export function safe(text: string): string {
  return text.replace(UNSAFE, (c) => SHORT[c] ?? `\\u{${c.codePointAt(0)!.toString(16)}}`);
}
