/** Processes of their own that use a key store, against `dist/`. */

import { DIST } from './native-child.ts';
import { startTalkingChild, type TalkingChild } from './talking-child.ts';

const PRELUDE = `
  import { openStore } from '${DIST}keys/stores/open-store.js';
  const url = process.argv[2];
  const say = (word) => process.stdout.write(word + '\\n');
  const filled = (length) => new Uint8Array(length).fill(7);
  const counter = (sequence) => ({
    id: filled(16), suite: 0, state: 'active', sequence, createdAt: 1, changedAt: 1, wrapped: filled(512), signature: filled(512),
  });
`;

/** Ends with the test. Runs a module with `openStore`, `url`, `say(word)` and `counter(n)`, a row of a master key whose sequence is n. */
export function startStoreChild(url: string, body: string, env: NodeJS.ProcessEnv = {}): TalkingChild {
  return startTalkingChild(`${PRELUDE}\n${body}`, [url], env);
}
