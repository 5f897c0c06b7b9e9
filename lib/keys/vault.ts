/** Master keys at hand, as native handles. Each is opened by one RSA private operation, when it is first needed. */

import { hasCode } from '../errors.ts';
import { hex } from '../hex.ts';
import type { NativeMasterKey } from '../native/keys-binding.ts';
import { masterName, substituted } from './faults.ts';
import type { InstallationKey } from './installation-key.ts';
import type { MasterRow } from './stores/store.ts';
import { suiteOfByte } from './suites.ts';

export class MasterVault {
  readonly #installation: InstallationKey;
  readonly #opened = new Map<string, Promise<NativeMasterKey>>();

  constructor(installation: InstallationKey) {
    this.#installation = installation;
  }

  /** `use` runs at once and must not keep the handle: after it, the handle may be destroyed at any time. */
  async with<T>(storeId: Uint8Array, row: MasterRow, use: (master: NativeMasterKey) => T): Promise<T> {
    const id = hex(row.id);
    for (;;) {
      const opening = this.#opened.get(id) ?? this.#open(id, storeId, row);
      const master = await opening;
      if (this.#opened.get(id) === opening) return use(master);
    }
  }

  /** Takes a key that was just made. */
  add(id: Uint8Array, master: NativeMasterKey): void {
    this.#opened.set(hex(id), Promise.resolve(master));
  }

  /** Destroys every handle whose key `keeps` does not want, such as those of disabled keys. */
  keepOnly(keeps: (id: string) => boolean): void {
    for (const [id, opening] of this.#opened) {
      if (keeps(id)) continue;
      this.#opened.delete(id);
      opening.then(
        (master) => master.destroy(),
        () => {}, // was never opened; whoever asked for it has the error
      );
    }
  }

  clear(): void {
    this.keepOnly(() => false);
  }

  #open(id: string, storeId: Uint8Array, row: MasterRow): Promise<NativeMasterKey> {
    const context = masterContext(storeId, row.id);
    const opening = this.#installation.key
      .unwrapMaster(row.wrapped, suiteOfByte(row.suite).master, context)
      .catch((error: unknown) => {
        if (this.#opened.get(id) === opening) this.#opened.delete(id);
        if (hasCode(error, 'ERR_TAMPERED')) {
          throw substituted(masterName(row.id), 'was signed, but cannot be opened', error);
        }
        throw error;
      });
    this.#opened.set(id, opening);
    return opening;
  }
}

/** What a master key's derivations are bound to. */
export function masterContext(storeId: Uint8Array, masterId: Uint8Array): Uint8Array {
  return Buffer.concat([storeId, masterId]);
}
