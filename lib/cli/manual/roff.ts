/** Text as roff reads it: man(7), groff_char(7). */

/** In bytes, escapes included. */
const LINE = 80;

const SPECIAL: Readonly<Record<string, string>> = {
  '\\': '\\e',
  '-': '\\-',
  '~': '\\(ti',
  '^': '\\(ha',
  '`': '\\(ga',
  "'": '\\(aq',
  '"': '\\(dq',
};

/** Running text: nothing in it is an instruction. Letters beyond ASCII by number, whatever the reader's locale is. */
export function escaped(text: string): string {
  const plain = [...text].map((letter) => SPECIAL[letter] ?? (letter > '~' ? numbered(letter) : letter)).join('');
  return plain.replace(/^\./gm, '\\&.');
}

function numbered(letter: string): string {
  return `\\[u${letter.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}]`;
}

export function bold(text: string): string {
  return `\\fB${escaped(text)}\\fR`;
}

/** What stands for something else: `<file>`. */
export function italic(text: string): string {
  return `\\fI${escaped(text)}\\fR`;
}

/** Running text in lines of no great length, as the format asks for. */
export function filled(text: string): string {
  const lines = [''];
  for (const word of text.split(/\s+/)) {
    const line = `${lines.at(-1)} ${word}`.trimStart();
    if (escaped(line).length > LINE && lines.at(-1) !== '') lines.push(word);
    else lines[lines.length - 1] = line;
  }
  return escaped(lines.join('\n'));
}

/** A heading of the first level, or of the second. */
export function heading(level: 1 | 2, text: string): string {
  return `.${level === 1 ? 'SH' : 'SS'} "${escaped(text)}"`;
}

/** A term, and what is to be said of it. */
export function entry(term: string, description: string): string {
  return `.TP\n${term}\n${filled(description)}`;
}

/** Lines that stay as they are. */
export function verbatim(text: string): string {
  return `.EX\n${escaped(text)}\n.EE`;
}
