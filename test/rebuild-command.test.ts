/** What an operator is told to type when there is no native module: what npm takes where the package lies. */

import { expect, it } from 'vitest';
import { rebuildCommand } from '../lib/native/rebuild.ts';

it.each([
  ['/usr/local/lib/node_modules/callseal', 'npm rebuild -g callseal'],
  ['/srv/voice/node_modules/callseal', 'cd /srv/voice && npm rebuild callseal'],
  ["/srv/mary's calls/node_modules/callseal", "cd '/srv/mary'\\''s calls' && npm rebuild callseal"],
  ['/home/mary/callseal', 'cd /home/mary/callseal && npm run compile'],
])('in %s', (root, command) => {
  expect(rebuildCommand(root)).toBe(command);
});
