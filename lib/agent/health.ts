/** Whether an operator is needed. */

import type { AgentState, Alarm } from './types.ts';

export interface Health {
  readonly healthy: boolean;
  readonly alarms: readonly { readonly key: string; readonly message: string; readonly since: string }[];
  readonly queueLength: number;
  readonly queueAgeSeconds: number;
  readonly lastSuccess: string | null;
}

/**
 * Unhealthy while an alarm stands, other than that a certificate expires soon, or while a file has waited for longer than
 * `maxQueueAge` milliseconds.
 */
export function healthOf(state: AgentState, alarms: readonly Alarm[], maxQueueAge: number): Health {
  const late = state.queueAge > maxQueueAge;
  const all = late ? [...alarms, lateness(state.queueAge)] : alarms;
  return {
    healthy: all.every(({ key }) => key.startsWith('expiry:')),
    alarms: all.map(({ key, message, since }) => ({ key, message, since: new Date(since).toISOString() })),
    queueLength: state.queueLength,
    queueAgeSeconds: state.queueAge / 1000,
    lastSuccess: state.lastSuccess === null ? null : new Date(state.lastSuccess).toISOString(),
  };
}

function lateness(queueAge: number): Alarm {
  const message = `a file has waited for ${Math.round(queueAge / 1000)} s: see what else is wrong, or give the host more cores`;
  return { key: 'queue-age', message, since: Date.now() - queueAge };
}
