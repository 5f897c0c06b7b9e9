#!/usr/bin/env node
/**
 * Records a session of the command for the README: runs it on a pseudo-terminal, and draws what appeared.
 *
 *   node scripts/record.mjs            writes docs/session.svg
 *   node scripts/record.mjs --check    ends with 1 when the commands print something else today, but for ids and dates
 */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readScreen } from './record/screen.mjs';
import { runSession } from './record/session.mjs';
import { drawSession, textOf } from './record/svg.mjs';

const PICTURE = fileURLToPath(new URL('../docs/session.svg', import.meta.url));

/** The same in every run: ids and fingerprints, times, days, and what takes as long as it takes. */
function lasting(text) {
  return text
    .replaceAll(/[0-9a-f]{16,}/g, 'HEX')
    .replaceAll(/\d{4}-\d\d-\d\d( \d\d:\d\d:\d\d UTC)?/g, 'DATE')
    .replaceAll(/in \d+ days/g, 'in N days');
}

const place = mkdtempSync(join(tmpdir(), 'callseal-record-'));
try {
  const steps = await runSession(place);
  const scenes = steps.map(({ typed, screen }) => ({ typed, lines: readScreen(screen) }));
  const drawn = drawSession(scenes);
  if (process.argv.includes('--check')) {
    const [shown, today] = [lasting(textOf(readFileSync(PICTURE, 'utf8'))), lasting(textOf(drawn))];
    if (shown !== today) {
      console.error(`docs/session.svg shows:\n${shown}\n\nToday the commands print:\n${today}\n\nnpm run record`);
      process.exitCode = 1;
    }
  } else {
    writeFileSync(PICTURE, drawn);
    console.log(`${PICTURE}: ${scenes.length} commands, ${Buffer.byteLength(drawn)} bytes`);
  }
} finally {
  rmSync(place, { recursive: true, force: true });
}
