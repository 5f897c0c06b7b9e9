/** The page, as `npm run build:ts` bundles it: read once, so that nothing on the disk is looked up by a request's path. */

import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CallsealError } from '../errors.ts';

export interface Asset {
  type: string;
  body: Buffer;
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** Addresses of the page: it shows the one or the other itself. */
const PAGES = ['/', '/keys'];

/** @returns by the path of the request */
export async function loadAssets(directory = pageDirectory()): Promise<ReadonlyMap<string, Asset>> {
  const assets = new Map<string, Asset>();
  try {
    for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
      const type = TYPES[extname(entry.name)];
      if (!entry.isFile() || type === undefined) continue;
      const path = join(entry.parentPath, entry.name);
      assets.set(path.slice(directory.length), { type, body: await readFile(path) });
    }
  } catch (cause) {
    throw notBuilt(directory, cause);
  }
  const page = assets.get('/index.html');
  if (page === undefined) throw notBuilt(directory);
  for (const path of PAGES) assets.set(path, page);
  return assets;
}

/** Beside the compiled code, also for tests that run the sources. */
function pageDirectory(): string {
  return fileURLToPath(new URL('../../dist/desk/page', import.meta.url));
}

function notBuilt(directory: string, cause?: unknown): CallsealError {
  return new CallsealError('ERR_IO', `the page of the desk is not in ${directory}; run npm run build:ts`, { cause });
}
