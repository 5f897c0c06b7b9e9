/** What a piece of work costs this process: time, CPU of all its threads, memory at the peak. */

import { readFileSync, writeFileSync } from 'node:fs';

/** The cost of one run. */
export interface Cost {
  readonly seconds: number;
  /** User and system time of all threads. */
  readonly cpuSeconds: number;
  /** Most memory resident at once while the work ran, everything the process holds included. */
  readonly peakRssBytes: number;
}

/** Runs `work` and tells what it cost. */
export async function costOf(work: () => Promise<unknown>): Promise<Cost> {
  forgetPeakRss();
  const cpu = process.cpuUsage();
  const started = performance.now();
  await work();
  const seconds = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  return { seconds, cpuSeconds: (user + system) / 1e6, peakRssBytes: peakRss() };
}

/**
 * Begins a new measurement of the peak: 5 written to clear_refs resets VmHWM (proc(5)).
 *
 * @returns Whether the system allows it; otherwise the peak stays that since the start of the process.
 */
export function forgetPeakRss(): boolean {
  try {
    writeFileSync('/proc/self/clear_refs', '5');
    return true;
  } catch {
    return false;
  }
}

/** Most bytes resident since {@link forgetPeakRss}. */
export function peakRss(): number {
  return statusBytes('VmHWM');
}

/** Bytes resident now. */
export function currentRss(): number {
  return statusBytes('VmRSS');
}

function statusBytes(field: string): number {
  const line = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(readFileSync('/proc/self/status', 'latin1'));
  return Number(line?.[1]) * 1024;
}
