/** The session that README.md shows: what it shows is what the commands print today. */

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readScreen } from '../scripts/record/screen.mjs';
import { drawSession, textOf } from '../scripts/record/svg.mjs';

const ROOT = join(import.meta.dirname, '..');
const picture = readFileSync(join(ROOT, 'docs/session.svg'), 'utf8');
const ESC = String.fromCharCode(27);

describe('docs/session.svg', () => {
  it('is in README.md, small, and needs nothing from elsewhere', () => {
    expect(readFileSync(join(ROOT, 'README.md'), 'utf8')).toContain('(docs/session.svg)');
    expect(Buffer.byteLength(picture)).toBeLessThan(60_000);
    expect(picture.replace('http://www.w3.org/2000/svg', '')).not.toMatch(/href|url\(|@import|script|https?:/);
  });

  it('shows what the commands print today', () => {
    const { status, stderr } = spawnSync(process.execPath, ['scripts/record.mjs', '--check'], {
      cwd: ROOT,
      encoding: 'utf8',
      env: { ...process.env, NO_COLOR: undefined },
    });
    expect([stderr, status]).toEqual(['', 0]);
  });

  it('says what a terminal says, in its colours', () => {
    const screen = `${ESC}[1ma.sealed${ESC}[22m\r\n  ${ESC}[32m<ok>${ESC}[39m & done\r\n`;
    const lines = readScreen(screen);
    expect(lines).toEqual([
      [{ text: 'a.sealed', styles: ['bold'] }],
      [
        { text: '  ', styles: [] },
        { text: '<ok>', styles: ['green'] },
        { text: ' & done', styles: [] },
      ],
    ]);
    const drawn = drawSession([{ typed: 'look', lines }]);
    expect(textOf(drawn)).toBe('$ look\na.sealed\n  <ok> & done');
    expect(drawn).toContain('class="green">&lt;ok&gt;<');
  });
});
