/** How this copy of the package gets its native module. */

import { basename, dirname } from 'node:path';

/**
 * The command that makes it.
 *
 * @param root the package's directory: in a checkout, in a project's `node_modules`, or where `npm install -g` puts it
 */
export function rebuildCommand(root: string): string {
  const modules = dirname(root);
  if (basename(modules) !== 'node_modules') return `cd ${word(root)} && npm run compile`;
  const above = dirname(modules);
  return basename(above) === 'lib' ? 'npm rebuild -g callseal' : `cd ${word(above)} && npm rebuild callseal`;
}

/** As a shell reads it as one. */
function word(path: string): string {
  return /^[\w@%+=:,./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
