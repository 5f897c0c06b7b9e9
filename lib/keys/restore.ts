/** The deliberate way past the host's memory: an administrator says that an older state of the store is right. */

import { CallsealError } from '../errors.ts';
import { hex } from '../hex.ts';
import { Change } from './change.ts';
import type { Engine } from './engine.ts';
import { type HighWater, type Mark, markOf } from './high-water.ts';
import type { Snapshot } from './snapshot.ts';
import { retire } from './versions.ts';

/** What `KeyHierarchy.acceptRestore` did. */
export interface RestoreAccepted {
  /** False when the store was as this host remembers it: then nothing was changed. */
  readonly accepted: boolean;
  /** Sequence of the manifest that was found; null for an empty store, which may be begun anew now. */
  readonly found: number | null;
  /** Sequence of the newest manifest that this host had seen; null when it remembered none of this store. */
  readonly seen: number | null;
  /** Working keys that were retired, because their counters may have gone back. */
  readonly retired: number;
}

/**
 * Verifies everything but what this host remembers; then retires every active working key, as its counter may have gone
 * back and budget be used twice, signs a manifest later than any seen here, and remembers that.
 */
export async function acceptRestore(engine: Engine, highWater: HighWater): Promise<RestoreAccepted> {
  const sound = await asRemembered(engine);
  if (sound !== null) {
    return { accepted: false, found: sound.store.sequence, seen: sound.store.sequence, retired: 0 };
  }
  const outcome = await engine.transaction(async (writer) => {
    const before = await engine.loadUnremembered(writer);
    if (before === null) return null;
    const mark = await readMark(highWater, before);
    const change = new Change(before);
    const active = before.working.filter((row) => row.state === 'active');
    for (const row of active) change.putWorking(retire(row));
    change.goOnAfter(mark?.sequence ?? 0);
    const [found, seen] = [before.store.sequence, mark?.sequence ?? null];
    change.record('store.accept-restore', { found, seen, retired: active.map((row) => hex(row.id)) });
    const result = { accepted: true, found, seen, retired: active.length };
    return { result, snapshot: await engine.write(writer, change) };
  });
  if (outcome === null) {
    await highWater.forgetPlace();
    return { accepted: true, found: null, seen: null, retired: 0 };
  }
  await highWater.replace(outcome.snapshot.store.storeId, markOf(outcome.snapshot));
  return outcome.result;
}

/** The store, when nothing contradicts what this host has seen. */
async function asRemembered(engine: Engine): Promise<Snapshot | null> {
  try {
    return await engine.load();
  } catch (error) {
    const code = error instanceof CallsealError ? error.code : null;
    if (code === 'ERR_KEY_SUBSTITUTED' || code === 'ERR_IO') return null; // whatever else is wrong with it shows below
    throw error;
  }
}

/** A memory that is damaged says nothing; it is written anew. */
async function readMark(highWater: HighWater, before: Snapshot): Promise<Mark | null> {
  return highWater.read(before.store.storeId).catch(() => null);
}
