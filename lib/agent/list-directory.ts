/** Reads a directory of any size in memory for a part of it. */

import type { Dirent } from 'node:fs';
import { lstat, opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf } from '../errors.ts';
import { comparePlaces, Oldest, type Place } from './oldest.ts';

export interface ListOptions {
  /** Files up to this place were seen in this pass already; null for all. */
  after: Place | null;
  /** How many files to find: the oldest. */
  limit: number;
  /** Whether a regular file of this name is to be found. */
  takes: (name: string) => boolean;
  /** Whether a directory of this name is to be found. */
  enters: (name: string) => boolean;
  /** Ends the reading early. */
  cancelled: () => boolean;
}

export interface Listing {
  /** Oldest first. */
  files: Place[];
  /** There are more files after these. */
  more: boolean;
  directories: string[];
  /** Names that are no UTF-8: Node cannot open them. */
  unspeakable: string[];
  /** Names of temporary files. */
  temporaries: number;
}

/** Entries that are read in one turn of a pool thread. */
const BATCH = 512;
/** What `sealFile` leaves behind when its process is killed, and `cleanDirectory` sets right. */
const TEMPORARY = /^\..*\.[0-9a-f]{16}\.callseal-(tmp|plain)$/;

/** @throws What `opendir` throws. */
export async function listDirectory(path: string, options: ListOptions): Promise<Listing> {
  const oldest = new Oldest(options.limit);
  const listing: Listing = { files: [], more: false, directories: [], unspeakable: [], temporaries: 0 };
  let names: string[] = [];
  const look = async (): Promise<void> => {
    const looked = names;
    names = [];
    await addAll(path, looked, options.after, oldest, listing);
  };
  for await (const entry of await opendir(path, { bufferSize: BATCH })) {
    if (options.cancelled()) break;
    if (sort(entry, options, listing)) names.push(entry.name);
    if (names.length === BATCH) await look();
  }
  await look();
  listing.files = oldest.sorted();
  listing.more = oldest.overflowed;
  return listing;
}

/** Whether the entry is a file to look at. Links are neither followed nor taken. */
function sort(entry: Dirent, options: ListOptions, listing: Listing): boolean {
  if (entry.isDirectory()) {
    if (options.enters(entry.name)) listing.directories.push(entry.name);
    return false;
  }
  if (!entry.isFile()) return false;
  if (TEMPORARY.test(entry.name)) listing.temporaries += 1;
  return options.takes(entry.name);
}

async function addAll(
  path: string,
  names: readonly string[],
  after: Place | null,
  oldest: Oldest,
  listing: Listing,
): Promise<void> {
  const places = await Promise.all(names.map((name) => placeOf(path, name, listing)));
  for (const place of places) {
    if (place !== null && (after === null || comparePlaces(place, after) > 0)) oldest.add(place);
  }
}

/** Null for a file that has gone meanwhile, or cannot be named. */
async function placeOf(path: string, name: string, listing: Listing): Promise<Place | null> {
  try {
    const status = await lstat(join(path, name));
    return status.isFile() ? { name, mtime: status.mtimeMs, ctime: status.ctimeMs } : null;
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    if (name.includes('\ufffd')) listing.unspeakable.push(name);
    return null;
  }
}
