/** `callseal bench`: all that is measured of a host, in a time that was given. */

import { setMaxListeners } from 'node:events';
import { throwIfAborted } from '../../abort.ts';
import { version } from '../../version.ts';
import { currentRss, forgetPeakRss } from '../cost.ts';
import type { EventLoopDelay } from '../loads.ts';
import { describeMachine, type Machine } from '../machine.ts';
import { type Summary, summarise } from '../statistics.ts';
import { inMemory, type LargeFile, largeFile, type StreamFigure, streams } from './bulk.ts';
import { CallFiles, type FilesFigure, type SteadyFigure } from './call-files.ts';
import { CALL_FILE_BYTES } from './channels.ts';
import { memoryCopy, rsaPrivate, rsaPublic, syncedWrites, type ThreadRates } from './limits.ts';
import type { Pace } from './rounds.ts';
import { openWorkplace, type Workplace } from './workplace.ts';

/** What `callseal bench --json` writes, but for the channels, which follow from it. */
export interface HostMeasurement {
  /** Of this document; a change of meaning is another number. */
  readonly format: 1;
  readonly callseal: string;
  /** ISO 8601, UTC. */
  readonly started: string;
  readonly seconds: number;
  readonly directory: string;
  readonly machine: Machine;
  /** What the host can do at best; rates in bytes or operations a second. */
  readonly limits: {
    readonly memoryCopyBytesPerSecond: Summary;
    readonly rsa2048PublicPerSecond: ThreadRates;
    readonly rsa2048PrivatePerSecond: ThreadRates;
    readonly fileCopyBytesPerSecond: Summary;
    /** 64 KiB written and followed by fsync, one after the other. */
    readonly syncedWritesPerSecond: number;
    /** Files of 64 KiB that Node alone reads and writes again, many at once, each renamed to its name. */
    readonly fileCopiesPerSecond: { readonly synced: number; readonly unsynced: number };
    readonly passThroughBytesPerSecond: Summary;
  };
  /** AES-256-GCM in the module, as `encrypt` uses it. */
  readonly memory: ThreadRates;
  /** 64 KiB, two recipients with RSA-2048. */
  readonly callFiles: {
    readonly synced: FilesFigure;
    readonly unsynced: FilesFigure;
    readonly decrypt: FilesFigure;
    readonly steadySynced: SteadyFigure;
    readonly steadyUnsynced: SteadyFigure;
  };
  readonly largeFile: LargeFile;
  readonly stream: StreamFigure;
  /** Milliseconds that timers were late while all cores encrypted call files. */
  readonly eventLoopDelay: EventLoopDelay;
  readonly rss: {
    readonly idleBytes: number;
    /** False where the system does not let a process forget its peak: the peaks are those since its start. */
    readonly peaksAreOfEachPart: boolean;
  };
}

export interface MeasureOptions {
  /** Where files are written. */
  readonly directory: string;
  /** About how long it all takes. */
  readonly seconds: number;
  /** Ends it early; everything is taken away first. */
  readonly signal: AbortSignal;
  /** Told what is measured next. */
  readonly onPart?: (name: string) => void;
}

/** Time that keys, files and the removal of files take of the whole. */
const OVERHEAD = 0.25;

/** @throws {CallsealError} `ERR_IO`, `ERR_ABORTED`; whatever loading the module throws. */
export async function measureHost(options: MeasureOptions): Promise<HostMeasurement> {
  throwIfAborted(options.signal);
  // Every file under way listens.
  setMaxListeners(0, options.signal);
  const started = new Date();
  const begin = performance.now();
  const place = await openWorkplace(options.directory);
  try {
    const machine = describeMachine(options.directory);
    const figures = await measureParts(place, machine.cores, options);
    return {
      format: 1,
      callseal: version(),
      started: started.toISOString(),
      seconds: (performance.now() - begin) / 1000,
      directory: options.directory,
      machine,
      ...figures,
    };
  } catch (error) {
    // What was stopped half-way says that it was stopped.
    throwIfAborted(options.signal);
    throw error;
  } finally {
    place.close();
  }
}

type Figures = Pick<
  HostMeasurement,
  'limits' | 'memory' | 'callFiles' | 'largeFile' | 'stream' | 'eventLoopDelay' | 'rss'
>;

/** Each part right beside the limit that it is compared with. */
async function measureParts(
  place: Workplace,
  cores: number,
  { seconds, signal, onPart }: MeasureOptions,
): Promise<Figures> {
  const part = (name: string, weight: number): Pace => {
    throwIfAborted(signal);
    onPart?.(name);
    return { seconds: seconds * (1 - OVERHEAD) * weight, signal };
  };
  const rss = { idleBytes: currentRss(), peaksAreOfEachPart: forgetPeakRss() };
  const calls = new CallFiles(place, cores);
  const unsynced = await calls.encrypt(part('call files, unsynced', 0.1), false);
  const copiesUnsynced = await calls.copyByNode(part('the same files copied by Node, unsynced', 0.05), false);
  const rsa2048PublicPerSecond = await rsaPublic(part('RSA-2048, public', 0.05), cores, place.key);
  const synced = await calls.encrypt(part('call files, synced', 0.12), true);
  const copiesSynced = await calls.copyByNode(part('the same files copied by Node, synced', 0.06), true);
  const syncedWritesPerSecond = await syncedWrites(part('fsync', 0.03), `${place.directory}/fsync`, CALL_FILE_BYTES);
  const steadySynced = await calls.steadily(
    part('call files at a steady rate, synced', 0.1),
    true,
    synced.filesPerSecond.median,
  );
  const steadyUnsynced = await calls.steadily(
    part('call files at a steady rate, unsynced', 0.08),
    false,
    unsynced.filesPerSecond.median,
  );
  const decrypt = await calls.decrypt(part('call files, decrypting', 0.08));
  const rsa2048PrivatePerSecond = await rsaPrivate(part('RSA-2048, private', 0.05), cores, place.key);
  const eventLoopDelay = await calls.eventLoop(
    part('event loop while all cores encrypt', 0.03),
    unsynced.filesPerSecond.median,
  );
  const large = await largeFile(part('a large file', 0.13), place);
  const stream = await streams(part('streams', 0.05), place);
  const memory = await inMemory(part('AES-256-GCM in memory', 0.04), cores, place);
  const memoryCopyBytesPerSecond = summarise(await memoryCopy(part('copying in memory', 0.03)));
  return {
    limits: {
      memoryCopyBytesPerSecond,
      rsa2048PublicPerSecond,
      rsa2048PrivatePerSecond,
      fileCopyBytesPerSecond: large.copyBytesPerSecond,
      syncedWritesPerSecond,
      fileCopiesPerSecond: { synced: copiesSynced, unsynced: copiesUnsynced },
      passThroughBytesPerSecond: stream.passThroughBytesPerSecond,
    },
    memory,
    callFiles: { synced, unsynced, decrypt, steadySynced, steadyUnsynced },
    largeFile: large,
    stream,
    eventLoopDelay,
    rss,
  };
}
