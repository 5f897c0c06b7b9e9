/** Many files decrypted into the directory that the command line names. */

import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { decryptFile } from '../callfile/decrypt.ts';
import { CallsealError } from '../errors.ts';
import type { KeyRing } from '../recipients/keyring.ts';
import { systemError } from '../recipients/regular-file.ts';
import { problemOf } from './answer.ts';
import type { FileView, SaveView } from './protocol.ts';
import type { SealedFile } from './sealed-file.ts';

/** Jobs of libuv's pool at a time; the rest of it serves the page. */
const AT_A_TIME = 2;
const MAX_FAILURES = 100;
/** How often the page is told. */
const TELL_INTERVAL = 100;

/** A file to decrypt. */
export interface SaveTask {
  file: SealedFile;
  view: FileView;
}

const NOTHING: SaveView = {
  running: false,
  total: 0,
  done: 0,
  saved: 0,
  failures: [],
  failed: 0,
  cancelled: false,
};

export class SaveAll {
  readonly #directory: string;
  readonly #tell: (save: SaveView) => void;
  #view: SaveView = NOTHING;
  #cancel = new AbortController();
  #running: Promise<void> | null = null;
  #told = 0;

  /** @param tell Hears how far it is, now and then, and of the end. */
  constructor(directory: string, tell: (save: SaveView) => void) {
    this.#directory = directory;
    this.#tell = tell;
  }

  get view(): SaveView {
    return this.#view;
  }

  /**
   * Begins. Existing files are left as they are: each is a failure of its own.
   *
   * @param onTrouble Hears of errors that are nobody's fault but ours.
   * @throws {CallsealError} `ERR_INVALID_ARGUMENT` while another run goes on
   */
  start(tasks: readonly SaveTask[], keys: KeyRing, onTrouble: (error: unknown) => void): void {
    if (this.#running !== null) throw new CallsealError('ERR_INVALID_ARGUMENT', 'files are being saved already');
    this.#cancel = new AbortController();
    this.#view = { ...NOTHING, running: true, total: tasks.length };
    const waiting = [...tasks];
    const work = async (): Promise<void> => {
      for (let task = waiting.shift(); task !== undefined; task = waiting.shift()) {
        if (this.#cancel.signal.aborted) return;
        await this.#save(task, keys).catch((error: unknown) => this.#fail(task, error, onTrouble));
      }
    };
    this.#running = Promise.all(Array.from({ length: AT_A_TIME }, work)).then(() => this.#finish());
  }

  /** Stops; unfinished outputs do not appear. */
  async cancel(): Promise<void> {
    this.#cancel.abort();
    await this.#running;
  }

  async #save({ file, view }: SaveTask, keys: KeyRing): Promise<void> {
    const { signal } = this.#cancel;
    const output = join(this.#directory, view.plainName);
    await mkdir(dirname(output), { recursive: true, mode: 0o700 }).catch((error: unknown) => {
      throw systemError(error, 'cannot make the directory', dirname(output));
    });
    await file.with((path) => decryptFile(path, output, { keys, signal }));
    this.#count({ saved: this.#view.saved + 1 });
  }

  #fail({ view }: SaveTask, error: unknown, onTrouble: (error: unknown) => void): void {
    if (this.#cancel.signal.aborted) return;
    if (!(error instanceof CallsealError)) onTrouble(error);
    const failure = { file: view.id, name: view.name, problem: problemOf(error) };
    const failures = [...this.#view.failures, failure].slice(0, MAX_FAILURES);
    this.#count({ failed: this.#view.failed + 1, failures });
  }

  #count(change: Partial<SaveView>): void {
    this.#view = { ...this.#view, ...change, done: this.#view.done + 1 };
    if (Date.now() - this.#told < TELL_INTERVAL) return;
    this.#told = Date.now();
    this.#tell(this.#view);
  }

  #finish(): void {
    this.#running = null;
    this.#view = { ...this.#view, running: false, cancelled: this.#cancel.signal.aborted };
    this.#tell(this.#view);
  }
}
