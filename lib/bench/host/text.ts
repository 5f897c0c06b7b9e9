/** A measurement as text for a terminal. */

import { formatTable } from '../../page/figures.ts';
import type { HostMeasurement } from './measure.ts';
import { ASSUMPTION, channelRows, type Fact, limitFacts, machineFacts, workRows } from './rows.ts';

/** @param cpuShare Of one core. */
export function hostText(measurement: HostMeasurement, cpuShare: number): string {
  const work = workRows(measurement).map(({ work, own, cpu, limit, limitName, share }) => [
    work,
    own,
    cpu,
    `${Math.round(100 * share)} %`,
    limit,
    limitName,
  ]);
  const channels = channelRows(measurement, cpuShare).map(({ allowed, synced, unsynced }) => [
    allowed,
    synced,
    unsynced,
  ]);
  return [
    formatTable([['', 'Callseal', 'CPU/file', 'of', 'the limit', ''], ...work], [1, 2, 3, 4]),
    formatTable([['', 'synced', 'unsynced'], ...channels], [1, 2]),
    ASSUMPTION,
    facts(limitFacts(measurement)),
    facts(machineFacts(measurement)),
  ].join('\n\n');
}

function facts(list: readonly Fact[]): string {
  return formatTable(list.map(({ name, text }) => [name, text]));
}
