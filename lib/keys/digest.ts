/** SHA-256, computed in the crypto module like everything else. */

import { native } from '../native/load.ts';

export function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  return native().sha256(parts.length === 1 ? parts[0]! : Buffer.concat(parts));
}
