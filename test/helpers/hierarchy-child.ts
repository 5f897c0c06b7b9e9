/** Processes of their own that use a key hierarchy, against `dist/`. */

import { installationFile, type Place } from './hierarchy.ts';
import { DIST } from './native-child.ts';
import { startTalkingChild, type TalkingChild } from './talking-child.ts';

const PRELUDE = `
  import { KeyHierarchy } from '${DIST}keys/index.js';
  import { setTimeout as pause } from 'node:timers/promises';
  const [store, stateDirectory, key] = process.argv.slice(2);
  const say = (word) => process.stdout.write(word + '\\n');
  const ENTITY = { tenant: 'acme', type: 'claimant', id: 'c-41', field: 'template' };
  const open = (options) => KeyHierarchy.open({ store, stateDirectory, installation: { key }, actor: 'child', ...options });
  const given = () => Buffer.from(process.env.SEALED, 'base64');
`;

/** Runs a module with `open(options)`, `say(word)`, `pause(ms)`, `ENTITY` and `given()`, the bytes of `sealed`. Ends with the test. */
export async function startHierarchyChild(
  { store, stateDirectory }: Place,
  body: string,
  sealed: Uint8Array = new Uint8Array(0),
): Promise<TalkingChild> {
  const args = [store, stateDirectory, await installationFile()];
  return startTalkingChild(`${PRELUDE}\n${body}`, args, { SEALED: Buffer.from(sealed).toString('base64') });
}
