/**
 * What this host has seen of a store, kept outside the database, so that a store or a row that is put back to an earlier
 * copy is noticed.
 *
 * One file a store, and one for each place where a store was found. A file may lag behind the store (a process was killed,
 * or two wrote at the same time), never run ahead of it: it is written after the commit.
 */

import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { CallsealError, errnoOf } from '../errors.ts';
import { type Exposure, findExposure } from '../fips/ownership.ts';
import { hex } from '../hex.ts';
import { sha256 } from './digest.ts';
import { newId } from './ids.ts';
import type { Snapshot } from './snapshot.ts';

/** How far a working key's row had come. */
export interface RowMark {
  readonly sequence: number;
  readonly reserved: number;
}

/** The newest state of a store that this host has seen. */
export interface Mark {
  /** The manifest's. */
  readonly sequence: number;
  readonly auditSequence: number;
  /** 64 hexadecimal digits. */
  readonly auditHash: string;
  /** Of active working keys, by id; the manifest speaks for all others. */
  readonly working: Readonly<Record<string, RowMark>>;
}

interface MarkFile extends Mark {
  readonly version: 1;
  readonly store: string;
}

interface PlaceFile {
  readonly version: 1;
  readonly place: string;
  readonly store: string;
}

const DIRECTORY_MODE = 0o700;
const FILE_MODE = 0o600;

/** `/var/lib/callseal` for root, else `$XDG_STATE_HOME/callseal` or `~/.local/state/callseal`. */
export function defaultStateDirectory(): string {
  if (process.getuid?.() === 0) return '/var/lib/callseal';
  return join(process.env.XDG_STATE_HOME || join(homedir(), '.local/state'), 'callseal');
}

export class HighWater {
  readonly #directory: string | null;
  readonly #place: string;
  /** What this process has seen, also when there is no directory. */
  readonly #seen = new Map<string, Mark>();
  #lastWrite: Promise<void> = Promise.resolve();
  /** Writes that have not begun yet, by the store's id. */
  readonly #waiting = new Map<string, Promise<void>>();
  #isOwn = false;

  /**
   * @param directory Null: nothing outlives the process.
   * @param place The store's description.
   */
  constructor(directory: string | null, place: string) {
    this.#directory = directory;
    this.#place = place;
  }

  /** The id of the store that was last seen at this place, or null. */
  async storeAtPlace(): Promise<string | null> {
    const file = await this.#read(this.#placeName(), isPlace);
    return file?.store ?? null;
  }

  /** To be read before the store is: everything in it was committed before. */
  async read(storeId: Uint8Array): Promise<Mark | null> {
    const id = hex(storeId);
    return newest(this.#seen.get(id) ?? null, await this.#read(`${id}.json`, isMark));
  }

  /** Remembers a state. Does nothing when this host has seen a newer one. */
  advance(storeId: Uint8Array, mark: Mark): Promise<void> {
    const id = hex(storeId);
    this.#seen.set(id, newest(this.#seen.get(id) ?? null, mark)!);
    return this.#save(id);
  }

  /** Remembers how far one working key has come, of a store that was seen before. */
  advanceRow(storeId: Uint8Array, workingId: Uint8Array, row: RowMark): Promise<void> {
    const id = hex(storeId);
    const seen = this.#seen.get(id)!;
    this.#seen.set(id, { ...seen, working: { ...seen.working, [hex(workingId)]: row } });
    return this.#save(id);
  }

  /** Waits for what is being written. */
  async settled(): Promise<void> {
    await this.#lastWrite;
  }

  /** Remembers a state even when it is older: an administrator says that it is right. */
  replace(storeId: Uint8Array, mark: Mark): Promise<void> {
    const id = hex(storeId);
    this.#seen.set(id, mark);
    return this.#inTurn(async () => {
      await this.#write(`${id}.json`, { version: 1, store: id, ...mark });
      await this.#writePlace(id);
    });
  }

  /** Another store, or none, may be at this place from now on. */
  forgetPlace(): Promise<void> {
    return this.#inTurn(() => rm(join(this.#directory!, this.#placeName()), { force: true }));
  }

  /** One write takes all that was seen until it begins. */
  #save(id: string): Promise<void> {
    const waiting = this.#waiting.get(id);
    if (waiting !== undefined) return waiting;
    const saving = this.#inTurn(async () => {
      this.#waiting.delete(id);
      const before = await this.#read(`${id}.json`, isMark);
      const after = newest(before, this.#seen.get(id)!)!;
      if (before === null || !sameMark(before, after)) {
        await this.#write(`${id}.json`, { version: 1, store: id, ...after });
      }
      if ((await this.storeAtPlace()) !== id) await this.#writePlace(id);
    });
    if (this.#directory !== null) this.#waiting.set(id, saving);
    return saving;
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    if (this.#directory === null) return Promise.resolve();
    const result = this.#lastWrite.then(work);
    this.#lastWrite = result.catch(() => {});
    return result;
  }

  #placeName(): string {
    return `at-${hex(sha256(Buffer.from(this.#place))).slice(0, 32)}.json`;
  }

  #writePlace(store: string): Promise<void> {
    const file: PlaceFile = { version: 1, place: this.#place, store };
    return this.#write(this.#placeName(), file);
  }

  async #read<T>(name: string, fits: (file: unknown) => file is T): Promise<T | null> {
    if (this.#directory === null) return null;
    this.#requireOwn(this.#directory);
    const path = join(this.#directory, name);
    try {
      const file: unknown = JSON.parse(await readFile(path, 'utf8'));
      if (fits(file)) return file;
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return null;
      if (!(error instanceof SyntaxError)) throw unusable(path, error);
    }
    throw new CallsealError(
      'ERR_IO',
      `${path}, which says how far this host has seen the key store come, is damaged; \`callseal store accept-restore\` writes it anew`,
      { path },
    );
  }

  /** Whoever may write there could have it forget what this host has seen. Looked at once, before the first file. */
  #requireOwn(directory: string): void {
    if (this.#isOwn) return;
    const exposure = exposureOf(directory);
    if (exposure !== null) {
      throw new CallsealError(
        'ERR_NOT_APPROVED',
        `${directory}, in which this host remembers how far the key store has come, is not safe for that: ${exposure.path}: ` +
          `${exposure.fact}. Run: ${exposure.command}`,
        { path: directory },
      );
    }
    this.#isOwn = true;
  }

  /** Under another name first, synced: after a power failure there is the old file or the new one. */
  async #write(name: string, content: MarkFile | PlaceFile): Promise<void> {
    const directory = this.#directory!;
    const path = join(directory, name);
    // Not by the process's number, which its threads share, and which is the same again after a restart in a container.
    const temporary = `${path}.${hex(newId())}.tmp`;
    try {
      await mkdir(directory, { recursive: true, mode: DIRECTORY_MODE });
      const file = await open(temporary, 'wx', FILE_MODE);
      try {
        await file.writeFile(JSON.stringify(content));
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(temporary, path);
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => {});
      throw unusable(path, error);
    }
  }
}

function exposureOf(directory: string): Exposure | null {
  try {
    return findExposure(directory);
  } catch (error) {
    throw unusable(directory, error);
  }
}

type Fields = Record<string, unknown>;

function isFile(file: unknown): file is Fields {
  return typeof file === 'object' && file !== null && 'version' in file && file.version === 1;
}

function isPlace(file: unknown): file is PlaceFile {
  return isFile(file) && typeof file.store === 'string';
}

function isMark(file: unknown): file is MarkFile {
  if (!isFile(file) || typeof file.working !== 'object' || file.working === null) return false;
  const rows: unknown[] = Object.values(file.working);
  const numbers = [file, ...rows].map((row) => (row as Fields | null)?.sequence);
  const reserved = rows.map((row) => (row as Fields | null)?.reserved);
  return [...numbers, ...reserved, file.auditSequence].every(isCount) && typeof file.auditHash === 'string';
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** What a verified state leaves in memory. */
export function markOf(snapshot: Snapshot): Mark {
  const active = snapshot.working.filter((row) => row.state === 'active');
  return {
    sequence: snapshot.store.sequence,
    auditSequence: snapshot.store.auditSequence,
    auditHash: hex(snapshot.store.auditHash),
    working: Object.fromEntries(
      active.map((row) => [hex(row.id), { sequence: row.sequence, reserved: row.reserved }] as const),
    ),
  };
}

/** The newer of two states, and of each working key that it holds the newer row. */
function newest(a: Mark | null, b: Mark | null): Mark | null {
  if (a === null || b === null) return a ?? b;
  const [older, newer] = a.sequence <= b.sequence ? [a, b] : [b, a];
  const working = Object.entries(newer.working).map(([id, row]): [string, RowMark] => {
    const other = older.working[id];
    return [id, other !== undefined && other.sequence > row.sequence ? other : row];
  });
  const { sequence, auditSequence, auditHash } = newer;
  return { sequence, auditSequence, auditHash, working: Object.fromEntries(working) };
}

function sameMark(a: Mark, b: Mark): boolean {
  if (a.sequence !== b.sequence || a.auditHash !== b.auditHash) return false;
  return Object.entries(b.working).every(([id, row]) => a.working[id]?.sequence === row.sequence);
}

function unusable(path: string, error: unknown): CallsealError {
  const errno = errnoOf(error);
  return new CallsealError(
    'ERR_IO',
    `${path}, in which this host remembers how far the key store has come, cannot be used (${errno ?? String(error)}); ` +
      'give a state directory that this user may write to',
    { cause: error, path, ...(errno !== undefined && { errno }) },
  );
}
