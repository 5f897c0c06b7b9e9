/** Call files: made, waited for, opened; as fast as it goes, and at the rate at which calls end. */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Cost } from '../cost.ts';
import { freshDirectory, makeFiles, release } from '../files.ts';
import {
  decryptFiles,
  type EventLoopDelay,
  encryptAtRate,
  encryptFiles,
  eventLoopDelay,
  type FileLoadOptions,
  type FilePair,
} from '../loads.ts';
import { type Summary, summarise } from '../statistics.ts';
import { CALL_FILE_BYTES, REFERENCE_FILES_PER_SECOND } from './channels.ts';
import { writeFileAside } from './limits.ts';
import { inRounds, type Pace, share } from './rounds.ts';
import type { Workplace } from './workplace.ts';

/** Distinct inputs; a round works on some of them. */
const INPUTS = 500;
const FIRST_ROUND = 16;
const ROUNDS = 5;
/** Operations under way at once for each core, so that none waits for work. */
const AT_ONCE_PER_CORE = 16;

/** How fast files were worked on, and what one of them cost. */
export interface FilesFigure {
  readonly filesPerSecond: Summary;
  readonly cpuSecondsPerFile: Summary;
  readonly peakRssBytes: number;
  /** In a round. */
  readonly files: number;
}

/** A steady load. */
export interface SteadyFigure {
  readonly filesPerSecond: number;
  readonly cpuSecondsPerFile: number;
  readonly files: number;
  /** By how much the last file was behind the schedule. */
  readonly lateSeconds: number;
}

/** The files of a run, and what is done with them. */
export class CallFiles {
  readonly #place: Workplace;
  readonly #atOnce: number;
  readonly #from: string;
  /** Where outputs go: another directory each round, see {@link release}. */
  #sealed: string;
  #opened: string;
  readonly #names: readonly string[];

  constructor(place: Workplace, cores: number) {
    this.#place = place;
    this.#atOnce = AT_ONCE_PER_CORE * cores;
    this.#from = join(place.directory, 'calls');
    this.#sealed = freshDirectory(place.directory);
    this.#opened = freshDirectory(place.directory);
    this.#names = makeFiles(this.#from, INPUTS, CALL_FILE_BYTES);
  }

  /** Encrypts as fast as it goes. */
  async encrypt(pace: Pace, sync: boolean): Promise<FilesFigure> {
    const work = (count: number): Promise<Cost> =>
      encryptFiles(this.#pairs(count), this.#place.recipients, this.#options(pace, sync));
    return this.#measure(pace, work, () => this.#seal());
  }

  /** Decrypts as fast as it goes. */
  async decrypt(pace: Pace): Promise<FilesFigure> {
    this.#seal();
    await encryptFiles(this.#pairs(INPUTS), this.#place.recipients, this.#options(pace, false));
    const work = (count: number): Promise<Cost> =>
      decryptFiles(this.#pairs(count).map(this.#back), this.#place.keys, this.#options(pace, false));
    return this.#measure(pace, work, () => this.#open());
  }

  /** Encrypts at the rate of the reference host, or at half of what the host can do when that is less. */
  async steadily({ seconds, signal }: Pace, sync: boolean, most: number): Promise<SteadyFigure> {
    const filesPerSecond = Math.min(REFERENCE_FILES_PER_SECOND, most / 2);
    const files = Math.max(FIRST_ROUND, Math.round(filesPerSecond * seconds));
    this.#seal();
    const { cpuSeconds, lateSeconds } = await encryptAtRate(this.#pairs(files), this.#place.recipients, {
      sync,
      filesPerSecond,
      signal,
    });
    return { filesPerSecond, cpuSecondsPerFile: cpuSeconds / files, files, lateSeconds };
  }

  /** What the event loop notices while all cores encrypt. */
  async eventLoop(pace: Pace, perSecond: number): Promise<EventLoopDelay> {
    this.#seal();
    const count = roundOf(perSecond * pace.seconds);
    return eventLoopDelay(() => encryptFiles(this.#pairs(count), this.#place.recipients, this.#options(pace, false)));
  }

  /** Files a second that Node alone reads and writes again. */
  async copyByNode(pace: Pace, sync: boolean): Promise<number> {
    const work = async (count: number): Promise<{ seconds: number }> => {
      const queue = this.#pairs(count).values();
      const worker = async (): Promise<void> => {
        for (const { input, output } of queue) await writeFileAside(output, await readFile(input), sync);
      };
      const started = performance.now();
      await Promise.all(Array.from({ length: this.#atOnce }, worker));
      return { seconds: (performance.now() - started) / 1000 };
    };
    const { costs, files } = await this.#rounds(pace, work, () => this.#seal());
    return summarise(costs.map(({ seconds }) => files / seconds)).median;
  }

  async #measure(pace: Pace, work: (count: number) => Promise<Cost>, prepare: () => void): Promise<FilesFigure> {
    const { costs, files } = await this.#rounds(pace, work, prepare);
    return {
      filesPerSecond: summarise(costs.map(({ seconds }) => files / seconds)),
      cpuSecondsPerFile: summarise(costs.map(({ cpuSeconds }) => cpuSeconds / files)),
      peakRssBytes: Math.max(...costs.map(({ peakRssBytes }) => peakRssBytes)),
      files,
    };
  }

  /** A first round, not counted, shows how many files a round can have. */
  async #rounds<T extends { seconds: number }>(
    pace: Pace,
    work: (count: number) => Promise<T>,
    prepare: () => void,
  ): Promise<{ costs: T[]; files: number }> {
    prepare();
    const { seconds } = await work(FIRST_ROUND);
    const files = roundOf((FIRST_ROUND / seconds) * (pace.seconds / ROUNDS));
    const costs = await inRounds(share(pace, 1 - 1 / ROUNDS), () => {
      prepare();
      return work(files);
    });
    return { costs, files };
  }

  /** A new place for encrypted files. */
  #seal(): void {
    release(this.#sealed);
    this.#sealed = freshDirectory(this.#place.directory);
  }

  /** A new place for decrypted files. */
  #open(): void {
    release(this.#opened);
    this.#opened = freshDirectory(this.#place.directory);
  }

  #options({ signal }: Pace, sync: boolean): FileLoadOptions {
    return { sync, concurrency: this.#atOnce, signal };
  }

  /** The first inputs, again from the beginning when there are not enough of them. */
  #pairs(count: number): FilePair[] {
    return Array.from({ length: count }, (_, index) => ({
      input: join(this.#from, this.#names[index % INPUTS] as string),
      output: join(this.#sealed, `${index}.sealed`),
    }));
  }

  readonly #back = ({ output }: FilePair, index: number): FilePair => ({
    input: output,
    output: join(this.#opened, `${index}.callsre`),
  });
}

const roundOf = (files: number): number => Math.min(INPUTS, Math.max(FIRST_ROUND, Math.floor(files)));
