/** What tests of the agent share: listeners that remember, and waiting for what is bound to happen. */

import { setTimeout as pause } from 'node:timers/promises';
import type { SupplyListener } from '../../lib/agent/supply.ts';
import type { AgentState } from '../../lib/agent/types.ts';
import type { CallsealError } from '../../lib/errors.ts';

/** Waits until `happened` gives something other than false, null and undefined; returns it. */
export async function eventually<T>(
  happened: () => T | Promise<T>,
  what = 'what was waited for',
): Promise<Exclude<T, false | null | undefined>> {
  for (let tries = 0; tries < 1500; tries++) {
    const result = await happened();
    if (result !== false && result !== null && result !== undefined)
      return result as Exclude<T, false | null | undefined>;
    await pause(20);
  }
  throw new Error(`${what} never happened`);
}

/** Remembers everything, as short words. */
export class SupplyDiary implements SupplyListener {
  readonly entries: string[] = [];
  readonly refusals: CallsealError[] = [];

  supplied(state: Parameters<SupplyListener['supplied']>[0]): void {
    this.entries.push(`supplied ${state?.kind ?? 'nobody'}`);
  }

  refused(error: CallsealError): void {
    this.refusals.push(error);
  }

  raised({ key }: Parameters<SupplyListener['raised']>[0]): void {
    this.entries.push(`raised ${key}`);
  }

  cleared({ key }: Parameters<SupplyListener['cleared']>[0]): void {
    this.entries.push(`cleared ${key}`);
  }
}

/** An engine that has nothing to do. */
export const IDLE: AgentState = {
  queueLength: 0,
  queueIsLowerBound: false,
  queueAge: 0,
  working: 0,
  retrying: 0,
  unfinished: 0,
  directories: 1,
  lastSuccess: null,
  alarms: [],
  stopping: false,
};
