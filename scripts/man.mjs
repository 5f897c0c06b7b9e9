#!/usr/bin/env node
/** Writes the manual page, dist/man/callseal.1, from the commands as they are compiled. Part of `npm run build:ts`. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const DIST = fileURLToPath(new URL('../dist/', import.meta.url));

const { manualPage } = await import(join(DIST, 'cli/manual/manual.js'));
const { version } = await import(join(DIST, 'version.js'));

mkdirSync(join(DIST, 'man'), { recursive: true });
writeFileSync(join(DIST, 'man/callseal.1'), await manualPage(version()));
