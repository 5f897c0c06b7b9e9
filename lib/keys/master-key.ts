/** Makes a master key, wrapped for the installation key, and proves first that the crypto module can do its suite. */

import type { NativeMasterKey } from '../native/keys-binding.ts';
import { native } from '../native/load.ts';
import { attemptStep, stepOfWorkingKey } from './assessment.ts';
import type { MasterDraft } from './change.ts';
import { newId } from './ids.ts';
import type { InstallationKey } from './installation-key.ts';
import { encodeHeader } from './record.ts';
import type { Suite } from './suites.ts';
import { type MasterVault, masterContext } from './vault.ts';

/** @throws {CallsealError} `ERR_NOT_APPROVED` when the module refuses a step; names it, the rule, and the suite to take instead. */
export async function makeMaster(
  installation: InstallationKey,
  vault: MasterVault,
  storeId: Uint8Array,
  suite: Suite,
  at: number,
): Promise<MasterDraft> {
  const id = newId();
  const context = masterContext(storeId, id);
  const master = attemptStep('wrap a working key', suite, () => native().MasterKey.generate(suite.master, context));
  try {
    tryOut(master, id, suite);
    const wrapped = await installation.key.publicKey.wrapMaster(master);
    vault.add(id, master);
    return { id, suite: suite.byte, state: 'active', createdAt: at, wrapped };
  } catch (error) {
    master.destroy();
    throw error;
  }
}

/** Better to fail here than at the first record. */
function tryOut(master: NativeMasterKey, id: Uint8Array, suite: Suite): void {
  const { key } = attemptStep(stepOfWorkingKey(suite), suite, () => master.createWorkingKey(suite.working, suite.hash));
  try {
    const header = encodeHeader(suite, id, newId(), 'trial');
    attemptStep('encrypt a record', suite, () => key.protect(header, header, header));
  } finally {
    key.destroy();
  }
}
