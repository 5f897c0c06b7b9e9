/** The files at the desk: those below the directories of the command line, and those that were dropped on the page. */

import { realpath, stat } from 'node:fs/promises';
import { basename, dirname, relative } from 'node:path';
import { CallsealError } from '../errors.ts';
import { systemError } from '../recipients/regular-file.ts';
import { walk } from '../report/walk.ts';
import { describeFile, type FileDescription } from './file-view.ts';
import type { FileListing, FileView } from './protocol.ts';
import { RecipientTable } from './recipient-table.ts';
import { type DroppedFile, FolderFile, type SealedFile } from './sealed-file.ts';

/** Files that a person can look through. */
const MAX_FILES = 10_000;
/** Headers that are read at a time. */
const AT_A_TIME = 8;

interface Place {
  /** With all links resolved. */
  root: string;
  /** One file of it, or all. */
  only: string | null;
}

export class Shelf {
  readonly #places: readonly Place[];
  readonly #suffix: string;
  readonly #files = new Map<number, { file: SealedFile; view: FileView }>();
  readonly #table = new RecipientTable();
  #nextId = 0;
  #passedOver = 0;
  #closedFolders = 0;
  #more = false;
  #scanning: Promise<void> | null = null;
  #closed = false;

  private constructor(places: readonly Place[], suffix: string) {
    this.#places = places;
    this.#suffix = suffix;
  }

  /**
   * @param paths Directories and files of the command line.
   * @throws {CallsealError} `ERR_IO`
   */
  static async open(paths: readonly string[], suffix: string): Promise<Shelf> {
    const places: Place[] = [];
    for (const path of paths) {
      try {
        const real = await realpath(path);
        const isDirectory = (await stat(real)).isDirectory();
        places.push(isDirectory ? { root: real, only: null } : { root: dirname(real), only: basename(real) });
      } catch (error) {
        throw systemError(error, 'cannot look at', path);
      }
    }
    return new Shelf(places, suffix);
  }

  /** Looks through the directories, once more if that was done before. Ends when all headers have been read. */
  scan(): Promise<void> {
    this.#scanning ??= this.#scan().finally(() => {
      this.#scanning = null;
    });
    return this.#scanning;
  }

  async #scan(): Promise<void> {
    for (const [id, { file }] of this.#files) if (!file.dropped) this.#files.delete(id);
    this.#passedOver = 0;
    this.#closedFolders = 0;
    this.#more = false;
    let waiting: Promise<void>[] = [];
    for await (const file of this.#found()) {
      if (this.#closed) break;
      const considered = this.#consider(file);
      // It may fail before anybody waits for it; whoever waits hears of it.
      considered.catch(() => undefined);
      waiting.push(considered);
      if (waiting.length === AT_A_TIME) {
        await Promise.all(waiting);
        waiting = [];
      }
      if (this.#files.size >= MAX_FILES) {
        this.#more = true;
        break;
      }
    }
    await Promise.all(waiting);
  }

  async *#found(): AsyncGenerator<FolderFile> {
    for (const { root, only } of this.#places) {
      if (only !== null) {
        yield new FolderFile(root, only);
        continue;
      }
      for await (const met of walk([root])) {
        if (met.kind === 'file') yield new FolderFile(root, relative(root, met.path));
        else if (met.kind === 'closed') this.#closedFolders += 1;
      }
    }
  }

  /** Only what was meant to be encrypted is listed; the rest is counted. */
  async #consider(file: FolderFile): Promise<void> {
    const found = await describeFile(file, this.#suffix, this.#table);
    if (found.state === 'not-callseal' && !file.name.endsWith(this.#suffix)) this.#passedOver += 1;
    else this.#put(file, found);
  }

  /** Takes a file that was dropped. */
  async add(file: DroppedFile): Promise<FileView> {
    if (this.#files.size >= MAX_FILES) {
      throw new CallsealError('ERR_INVALID_ARGUMENT', `the desk takes ${MAX_FILES} files; remove some first`);
    }
    return this.#put(file, await describeFile(file, this.#suffix, this.#table));
  }

  /** The number is given when the file is listed, not before: who knows all up to a number has missed none. */
  #put(file: SealedFile, found: FileDescription): FileView {
    const view = { id: this.#nextId++, ...found };
    this.#files.set(view.id, { file, view });
    return view;
  }

  /**
   * @param from Files from that number on.
   * @param known How many recipients the one who asks has been told already.
   */
  listing(from: number, known: number): FileListing {
    const views = [...this.#files.values()].map(({ view }) => view);
    return {
      scanning: this.#scanning !== null,
      passedOver: this.#passedOver,
      closed: this.#closedFolders,
      more: this.#more,
      files: views.filter(({ id }) => id >= from).sort((a, b) => a.id - b.id),
      recipientsFrom: Math.min(known, this.#table.size),
      recipients: this.#table.after(known),
    };
  }

  /** @throws {CallsealError} `ERR_INVALID_ARGUMENT` */
  file(id: number): { file: SealedFile; view: FileView } {
    const found = this.#files.get(id);
    if (found === undefined) throw new CallsealError('ERR_INVALID_ARGUMENT', 'this file is not at the desk any more');
    return found;
  }

  async remove(id: number): Promise<void> {
    const { file } = this.file(id);
    this.#files.delete(id);
    await file.close();
  }

  async close(): Promise<void> {
    this.#closed = true;
    // Whoever had it scan hears why that failed.
    await this.#scanning?.catch(() => undefined);
    const files = [...this.#files.values()];
    this.#files.clear();
    await Promise.all(files.map(({ file }) => file.close()));
  }
}
