/** Lines of a terminal, with the styles that select-graphic-rendition sequences (ECMA-48) give their parts. */

const ESCAPE = String.fromCharCode(27);
const SGR = new RegExp(`${ESCAPE}\\[([0-9;]*)m`, 'g');
const OTHER = new RegExp(`${ESCAPE}\\[[0-9;?]*[A-Za-ln-z]`, 'g');

const STYLES = { 1: 'bold', 2: 'dim', 31: 'red', 32: 'green', 33: 'yellow', 34: 'blue', 35: 'magenta', 36: 'cyan' };
/** Which styles a sequence ends. */
const ENDS = {
  0: Object.values(STYLES),
  22: ['bold', 'dim'],
  39: ['red', 'green', 'yellow', 'blue', 'magenta', 'cyan'],
};

/**
 * @param {string} screen what a program wrote
 * @returns {{ text: string, styles: string[] }[][]} lines of spans
 */
export function readScreen(screen) {
  const styles = new Set();
  const lines = screen.replaceAll('\r', '').replaceAll(OTHER, '').replace(/\n+$/, '').split('\n');
  return lines.map((line) => spansOf(line, styles));
}

function spansOf(line, styles) {
  const spans = [];
  let from = 0;
  const add = (text) => {
    if (text !== '') spans.push({ text, styles: [...styles].sort() });
  };
  for (const match of line.matchAll(SGR)) {
    add(line.slice(from, match.index));
    from = match.index + match[0].length;
    for (const code of match[1].split(';')) apply(Number(code), styles);
  }
  add(line.slice(from));
  return spans;
}

function apply(code, styles) {
  for (const ended of ENDS[code] ?? []) styles.delete(ended);
  if (STYLES[code] !== undefined) styles.add(STYLES[code]);
}
