/** How many channels a host can record: what the figures mean for the person who plans it. */

import type { HostMeasurement } from './measure.ts';

/** The load that is assumed: a channel gives one call file of this length in this time. */
export const CALL_FILE_BYTES = 65_536;
export const SECONDS_PER_FILE = 15;
export const RECIPIENTS = 2;
/** The host that was planned for: 333 files a second. */
export const REFERENCE_CHANNELS = 5000;
export const REFERENCE_FILES_PER_SECOND = Math.floor(REFERENCE_CHANNELS / SECONDS_PER_FILE);

/** What decides the number of channels. */
export interface CallFileRates {
  /** As fast as it goes. */
  readonly filesPerSecond: number;
  /** CPU of all threads for each file, at a steady rate. */
  readonly cpuSecondsPerFile: number;
}

/** How many channels, and why not more. */
export interface Channels {
  readonly channels: number;
  /** The CPU share, or files a second with all cores and the disk at their limit. */
  readonly limitedBy: 'cpu' | 'files';
}

/** @param cpuShare Of one core: 0.08 is 8 %, 2 are two cores. */
export function sustainableChannels({ filesPerSecond, cpuSecondsPerFile }: CallFileRates, cpuShare: number): Channels {
  const byCpu = cpuShare / cpuSecondsPerFile;
  const limitedBy = byCpu < filesPerSecond ? 'cpu' : 'files';
  return { channels: Math.floor(Math.min(byCpu, filesPerSecond) * SECONDS_PER_FILE), limitedBy };
}

/** CPU that a number of channels takes, 1 being one core. */
export function cpuOfChannels({ cpuSecondsPerFile }: CallFileRates, channels: number): number {
  return (channels / SECONDS_PER_FILE) * cpuSecondsPerFile;
}

/** The rates of a host, with each file waited for and without. */
export function ratesOf({
  callFiles,
}: Pick<HostMeasurement, 'callFiles'>): Record<'synced' | 'unsynced', CallFileRates> {
  const { synced, unsynced, steadySynced, steadyUnsynced } = callFiles;
  return {
    synced: {
      filesPerSecond: synced.filesPerSecond.median,
      cpuSecondsPerFile: steadySynced.cpuSecondsPerFile,
    },
    unsynced: {
      filesPerSecond: unsynced.filesPerSecond.median,
      cpuSecondsPerFile: steadyUnsynced.cpuSecondsPerFile,
    },
  };
}

/** The channels of a host with a share of one core, as JSON has them. */
export function channelsOf(measurement: Pick<HostMeasurement, 'callFiles'>, cpuShare: number) {
  const { synced, unsynced } = ratesOf(measurement);
  return {
    assumption: { fileBytes: CALL_FILE_BYTES, secondsPerFile: SECONDS_PER_FILE, recipients: RECIPIENTS, rsaBits: 2048 },
    cpuShare,
    synced: sustainableChannels(synced, cpuShare),
    unsynced: sustainableChannels(unsynced, cpuShare),
    reference: {
      channels: REFERENCE_CHANNELS,
      cpuShareSynced: cpuOfChannels(synced, REFERENCE_CHANNELS),
      cpuShareUnsynced: cpuOfChannels(unsynced, REFERENCE_CHANNELS),
    },
  };
}
