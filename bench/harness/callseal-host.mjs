/** Runs in a worker: Callseal's loads (lib/bench), with keys and files by path. */

import { currentRss } from '../../dist/bench/cost.js';
import * as loads from '../../dist/bench/loads.js';
import { KeyRing, Recipients } from '../../dist/index.js';

let recipients;
let keys;

/** Loads what every call below uses; the module is loaded and proved with it. */
export async function open(certificates, privateKeys) {
  recipients = await Recipients.load(certificates);
  keys = new KeyRing(privateKeys);
}

export const encryptFiles = (pairs, options) => loads.encryptFiles(pairs, recipients, options);
export const decryptFiles = (pairs, options) => loads.decryptFiles(pairs, keys, options);
export const encryptAtRate = (pairs, options) => loads.encryptAtRate(pairs, recipients, options);

let buffer = new Uint8Array(0);

export function encryptBuffer(bytes, options) {
  if (buffer.length !== bytes) buffer = new Uint8Array(bytes).fill(0x5a);
  return loads.encryptBuffer(buffer, recipients, options);
}

export const throughEncryptStream = (load) => loads.throughEncryptStream(load, recipients);
export const throughPassThrough = loads.throughPassThrough;

/** Memory resident when nothing happens and what can be collected has been. */
export function idleRss() {
  globalThis.gc();
  return currentRss();
}

/** The event loop while the pairs are encrypted with all cores at work, and while nothing is. */
export async function eventLoopDelay(pairs, options) {
  const milliseconds = 1000 * options.idleSeconds;
  const idle = await loads.eventLoopDelay(() => new Promise((resolve) => setTimeout(resolve, milliseconds)));
  const busy = await loads.eventLoopDelay(() => loads.encryptFiles(pairs, recipients, options));
  return { idle, busy };
}
