/**
 * A session as SVG: a window that is light or dark as the reader's page is, with the fonts that a reader has. Commands
 * appear one after the other, once; where nothing moves, all of them are there from the start.
 */

const LETTER = 8.2;
const LINE = 19;
const MARGIN = 18;
const BAR = 30;
const COLUMNS = 104;
/** Seconds until a command appears, and until its output does. */
const BETWEEN = 1.6;
const ANSWER = 0.7;

const STYLE = `
.window{fill:#f6f8fa;stroke:#d0d7de}.bar{fill:#d8dee4}.dot{fill:#afb8c1}
text{font:13px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;fill:#1f2328;white-space:pre}
.typed,.bold{font-weight:600}.prompt,.dim{fill:#59636e}
.red{fill:#b91c1c}.green{fill:#116329}.yellow{fill:#7d4e00}.blue{fill:#0550ae}.magenta{fill:#8250df}.cyan{fill:#0a6178}
@media(prefers-color-scheme:dark){.window{fill:#0d1117;stroke:#30363d}.bar{fill:#21262d}.dot{fill:#484f58}
text{fill:#e6edf3}.prompt,.dim{fill:#9198a1}
.red{fill:#ff7b72}.green{fill:#7ee787}.yellow{fill:#e3b341}.blue{fill:#79c0ff}.magenta{fill:#d2a8ff}.cyan{fill:#76e3ea}}
@keyframes appear{from{opacity:0}to{opacity:1}}
.step{animation:appear .2s both}
@media(prefers-reduced-motion:reduce){.step{animation:none}}`;

/**
 * @param {{ typed: string, lines: { text: string, styles: string[] }[][] }[]} scenes
 * @returns {string}
 */
export function drawSession(scenes) {
  let row = 0;
  const at = () => BAR + MARGIN + LINE * row++;
  const parts = scenes.flatMap(({ typed, lines }, index) => {
    const command = drawLine(at(), [
      { text: '$ ', styles: ['prompt'] },
      { text: typed, styles: ['typed'] },
    ]);
    const answers = lines.flatMap(wrapped).map((spans) => drawLine(at(), spans));
    row += 0.5;
    return [step(index * BETWEEN, [command]), step(index * BETWEEN + ANSWER, answers)];
  });
  const width = Math.round(2 * MARGIN + COLUMNS * LETTER);
  const height = Math.round(BAR + 1.2 * MARGIN + LINE * (row - 0.5));
  const title = 'callseal makes a key, encrypts a recording, shows who can open it, and opens it again';
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${title}">
<title>${title}</title>
<style>${STYLE}</style>
<rect class="window" x=".5" y=".5" width="${width - 1}" height="${height - 1}" rx="8"/>
<path class="bar" d="M1 ${BAR - 6}V9q0-8 8-8h${width - 18}q8 0 8 8v${BAR - 15}z"/>
${[16, 34, 52].map((x) => `<circle class="dot" cx="${x}" cy="12.5" r="5"/>`).join('')}
${parts.join('\n')}
</svg>
`;
}

/** A terminal of so many columns breaks a longer line. */
function wrapped(spans) {
  const rows = [[]];
  let column = 0;
  for (const { text, styles } of spans) {
    let rest = text;
    while (rest !== '') {
      if (column === COLUMNS) {
        rows.push([]);
        column = 0;
      }
      const piece = rest.slice(0, COLUMNS - column);
      rows.at(-1).push({ text: piece, styles });
      column += piece.length;
      rest = rest.slice(piece.length);
    }
  }
  return rows;
}

function step(seconds, lines) {
  return `<g class="step" style="animation-delay:${seconds.toFixed(1)}s">\n${lines.join('\n')}\n</g>`;
}

/** Every span is as wide as its columns, whatever font there is. */
function drawLine(y, spans) {
  let column = 0;
  const drawn = spans.map(({ text, styles }) => {
    const x = (MARGIN + column * LETTER).toFixed(1);
    const length = (text.length * LETTER).toFixed(1);
    column += text.length;
    const kind = styles.length === 0 ? '' : ` class="${styles.join(' ')}"`;
    return `<tspan x="${x}" textLength="${length}"${kind}>${escaped(text)}</tspan>`;
  });
  return `<text y="${y}" xml:space="preserve">${drawn.join('')}</text>`;
}

function escaped(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** What a picture says, line by line. */
export function textOf(svg) {
  return [...svg.matchAll(/<text [^>]*>(.*?)<\/text>/g)]
    .map(([, line]) =>
      line
        .replaceAll(/<[^>]*>/g, '')
        .replaceAll('&lt;', '<')
        .replaceAll('&gt;', '>')
        .replaceAll('&amp;', '&'),
    )
    .join('\n');
}
