/** A measurement in the words of a person: what the text and the page both show. */

import { formatBytes, formatNumber, formatRate, formatSeconds } from '../../page/figures.ts';
import {
  type CallFileRates,
  cpuOfChannels,
  REFERENCE_CHANNELS,
  REFERENCE_FILES_PER_SECOND,
  ratesOf,
  sustainableChannels,
} from './channels.ts';
import type { HostMeasurement } from './measure.ts';

/** Work of Callseal's beside the limit of the host for it. */
export interface WorkRow {
  readonly work: string;
  readonly own: string;
  /** CPU of all threads for a file; empty where it is not about files. */
  readonly cpu: string;
  readonly limit: string;
  /** What the limit is. */
  readonly limitName: string;
  /** The part of the limit that is reached. */
  readonly share: number;
}

/** A fact about the host. */
export interface Fact {
  readonly name: string;
  readonly text: string;
}

/** How many channels, and what they take. */
export interface ChannelRow {
  readonly allowed: string;
  readonly synced: string;
  readonly unsynced: string;
}

export const ASSUMPTION =
  `A channel gives one call file of 64 KiB every 15 seconds: ${formatNumber(REFERENCE_CHANNELS)} channels are ` +
  `${REFERENCE_FILES_PER_SECOND} files/s. Each file is encrypted for two recipients with RSA-2048.`;

export function workRows({ callFiles, limits, largeFile, stream, memory }: HostMeasurement): WorkRow[] {
  const files = (
    work: string,
    { filesPerSecond, cpuSecondsPerFile }: HostMeasurement['callFiles']['synced'],
    limit: number,
    limitName: string,
  ): WorkRow => ({
    work,
    own: `${formatNumber(filesPerSecond.median)} files/s`,
    cpu: formatSeconds(cpuSecondsPerFile.median),
    limit: `${formatNumber(limit)} files/s`,
    limitName,
    share: filesPerSecond.median / limit,
  });
  const bytes = (work: string, own: number, limit: number, limitName: string, share = own / limit): WorkRow => ({
    work,
    own: formatRate(own),
    cpu: '',
    limit: formatRate(limit),
    limitName,
    share,
  });
  const size = formatBytes(largeFile.bytes);
  const copy = [largeFile.copyBytesPerSecond.median, 'plain copy of the file'] as const;
  return [
    files(
      'call files of 64 KiB, synced',
      callFiles.synced,
      limits.fileCopiesPerSecond.synced,
      'copied by Node alone, synced',
    ),
    files(
      'call files of 64 KiB, unsynced',
      callFiles.unsynced,
      limits.fileCopiesPerSecond.unsynced,
      'copied by Node alone',
    ),
    files('decrypting them', callFiles.decrypt, limits.rsa2048PrivatePerSecond.allCores, 'their RSA alone, all cores'),
    bytes(
      `encrypting a file of ${size}`,
      largeFile.encrypt.bytesPerSecond.median,
      ...copy,
      largeFile.encrypt.shareOfLimit.median,
    ),
    bytes('decrypting it', largeFile.decrypt.bytesPerSecond.median, ...copy, largeFile.decrypt.shareOfLimit.median),
    bytes(
      'an encrypting stream',
      stream.bytesPerSecond.median,
      stream.passThroughBytesPerSecond.median,
      'a stream that does nothing',
      stream.shareOfLimit.median,
    ),
    bytes(
      'AES-256-GCM in memory, one thread',
      memory.oneThread,
      limits.memoryCopyBytesPerSecond.median,
      'copying in memory, one thread',
    ),
  ];
}

/** The rest of what the host can do. */
export function limitFacts({ limits, memory, eventLoopDelay, rss, callFiles, largeFile }: HostMeasurement): Fact[] {
  const rates = ({ oneThread, allCores }: { oneThread: number; allCores: number }): string =>
    `${formatNumber(oneThread)}/s on one thread, ${formatNumber(allCores)}/s on all cores`;
  const above = (peak: number): string => formatBytes(Math.max(0, peak - rss.idleBytes));
  const milliseconds = (value: number): string => formatSeconds(value / 1000);
  return [
    {
      name: 'AES-256-GCM',
      text: `${formatRate(memory.oneThread)} on one thread, ${formatRate(memory.allCores)} on all cores`,
    },
    { name: 'RSA-2048, public', text: rates(limits.rsa2048PublicPerSecond) },
    { name: 'RSA-2048, private', text: rates(limits.rsa2048PrivatePerSecond) },
    {
      name: 'copying',
      text:
        `${formatRate(limits.memoryCopyBytesPerSecond.median)} in memory on one thread, ` +
        `${formatRate(limits.fileCopyBytesPerSecond.median)} of a file in the page cache`,
    },
    { name: 'fsync', text: `${formatNumber(limits.syncedWritesPerSecond)}/s, one after the other` },
    {
      name: 'event loop',
      text:
        `timers ${milliseconds(eventLoopDelay.p99)} late while all cores encrypt (99th percentile; ` +
        `at worst ${milliseconds(eventLoopDelay.max)})`,
    },
    {
      name: 'memory',
      text:
        `${formatBytes(rss.idleBytes)} idle; at the peak ${above(callFiles.unsynced.peakRssBytes)} more for call files, ` +
        `${above(largeFile.peakRssBytes)} more for the large file` +
        (rss.peaksAreOfEachPart ? '' : ' (peaks since the start)'),
    },
  ];
}

/** @param cpuShare Of one core, as for {@link sustainableChannels}. */
export function channelRows(measurement: HostMeasurement, cpuShare: number): ChannelRow[] {
  const { cores } = measurement.machine;
  const { synced, unsynced } = ratesOf(measurement);
  const cells = (share: number): Omit<ChannelRow, 'allowed'> => {
    const cell = (rates: CallFileRates): string => {
      const { channels, limitedBy } = sustainableChannels(rates, share);
      return `${formatNumber(channels)}${limitedBy === 'files' ? ' (all the host can)' : ''}`;
    };
    return { synced: cell(synced), unsynced: cell(unsynced) };
  };
  const percent = (rates: CallFileRates): string =>
    `${formatNumber(100 * cpuOfChannels(rates, REFERENCE_CHANNELS))} % of one core`;
  return [
    { allowed: `channels with ${formatNumber(100 * cpuShare)} % of one core`, ...cells(cpuShare) },
    { allowed: 'channels with one core', ...cells(1) },
    { allowed: `channels with all ${cores} cores`, ...cells(cores) },
    {
      allowed: `CPU for ${formatNumber(REFERENCE_CHANNELS)} channels`,
      synced: percent(synced),
      unsynced: percent(unsynced),
    },
  ];
}

export function machineFacts({ machine, directory }: HostMeasurement): Fact[] {
  const { cpu, cores, memoryBytes, kernel, node, libcrypto, module, fileSystem, poolThreads } = machine;
  const fips = module.fips === 'required' ? 'FIPS required' : 'FIPS OFF (CALLSEAL_FIPS=off): nothing is FIPS-approved';
  const pool = poolThreads < cores ? ', fewer than there are cores' : '';
  return [
    { name: 'machine', text: `${cpu}, ${cores} cores, ${formatBytes(memoryBytes)}; Linux ${kernel}; Node ${node}` },
    { name: 'module', text: `${module.name} ${module.version}; ${fips}; ${libcrypto}` },
    ...(module.fips === 'required' ? [{ name: 'validation', text: module.validation }] : []),
    { name: 'files', text: `in ${directory}, ${fileSystemText(fileSystem)}` },
    { name: 'thread pool', text: `${poolThreads} threads (UV_THREADPOOL_SIZE)${pool}` },
  ];
}

function fileSystemText(fileSystem: string): string {
  return fileSystem === 'tmpfs'
    ? 'tmpfs: in memory, where syncing costs nothing; --dir takes another place'
    : fileSystem;
}
