/** The desk: files, keys and open contents of one person, for as long as the person is there. */

import { CallsealError } from '../errors.ts';
import type { KeyHierarchy } from '../keys/hierarchy.ts';
import { fipsMode } from '../native/load.ts';
import type { PassphraseSource } from '../recipients/passphrases.ts';
import { version } from '../version.ts';
import { Contents } from './contents.ts';
import { DroppedFiles } from './dropped.ts';
import { KeyTray } from './key-tray.ts';
import { Listeners } from './listeners.ts';
import type { DeskInfo, OpenedView, VerifiedView } from './protocol.ts';
import { SaveAll } from './save-all.ts';
import { Shelf } from './shelf.ts';

/** How a desk is set up. */
export interface DeskOptions {
  /** Directories and files to show. */
  paths: readonly string[];
  /** Key files, which are offered on the page, or opened with `passphrases`. */
  keys: readonly string[];
  passphrases: readonly PassphraseSource[];
  /** Of encrypted names. */
  suffix: string;
  /** Where `Save all` writes. */
  outputDir: string | null;
  /** For the administrator's page; stays the caller's to close. */
  hierarchy: KeyHierarchy | null;
  /** Ends after so long without a request. */
  idleMinutes: number;
}

/** A page that is loaded anew is back by then. */
const FORGET_SECONDS = 15;

const SECOND = 1000;
const MINUTE = 60 * SECOND;

export class Desk {
  readonly shelf: Shelf;
  readonly keys = new KeyTray();
  readonly contents = new Contents();
  readonly dropped = new DroppedFiles();
  readonly listeners: Listeners;
  readonly save: SaveAll | null;
  readonly hierarchy: KeyHierarchy | null;
  /** Settles when the person has closed the desk, or has been away for too long. */
  readonly ended: Promise<'closed' | 'idle'>;
  readonly #options: DeskOptions;
  readonly #forgetMilliseconds: number;
  #end: (why: 'closed' | 'idle') => void = () => {};
  /** Requests under way, but for those of pages that listen. */
  #asking = 0;
  #idle: NodeJS.Timeout;
  #forgetting: NodeJS.Timeout | undefined;

  private constructor(options: DeskOptions, shelf: Shelf, forgetSeconds: number) {
    this.#options = options;
    this.shelf = shelf;
    this.hierarchy = options.hierarchy;
    this.#forgetMilliseconds = forgetSeconds * SECOND;
    this.listeners = new Listeners(() => this.#left());
    this.save =
      options.outputDir === null
        ? null
        : new SaveAll(options.outputDir, (save) => this.listeners.tell({ event: 'save', save }));
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    this.#idle = setTimeout(() => this.#expire(), options.idleMinutes * MINUTE);
  }

  /**
   * @param forgetSeconds How long after the last page has gone keys are forgotten.
   * @throws {CallsealError} what {@link KeyTray.takeFiles} and {@link Shelf.open} throw
   */
  static async open(options: DeskOptions, forgetSeconds: number = FORGET_SECONDS): Promise<Desk> {
    const desk = new Desk(options, await Shelf.open(options.paths, options.suffix), forgetSeconds);
    try {
      await desk.keys.takeFiles(options.keys, options.passphrases);
      return desk;
    } catch (error) {
      await desk.close();
      throw error;
    }
  }

  info(): DeskInfo {
    const { paths, outputDir, idleMinutes } = this.#options;
    return {
      version: version(),
      fips: fipsMode(),
      roots: [...paths],
      outputDir,
      hierarchy: this.hierarchy !== null,
      idleMinutes,
      forgetSeconds: this.#forgetMilliseconds / SECOND,
    };
  }

  /** Somebody asks for something; until {@link requestEnded} somebody is there. */
  requestBegan(): void {
    this.#asking += 1;
    this.#idle.refresh();
  }

  requestEnded(): void {
    this.#asking -= 1;
    this.#idle.refresh();
    this.#left();
  }

  /** Opens a file with the keys at hand. */
  open(id: number, recover: boolean): Promise<OpenedView> {
    const { file, view } = this.shelf.file(id);
    return this.contents.open(id, file, view.plainName, this.keys.ring(), recover);
  }

  /** Authenticates every byte of a file that is open, and all of its signature. */
  verify(handle: string, signal: AbortSignal): Promise<VerifiedView> {
    return this.contents.get(handle).proof.find(this.keys.ring(), signal);
  }

  /** @throws {CallsealError} `ERR_INVALID_ARGUMENT` without `outputDir` */
  requireSave(): SaveAll {
    if (this.save !== null) return this.save;
    const how = 'start the desk with --output-dir DIR to save many files at once';
    throw new CallsealError('ERR_INVALID_ARGUMENT', `no directory was named to save to; ${how}`);
  }

  /** Cleanses a key, closes what it had opened, and stops saving, which goes on with no key that is forgotten. */
  async forgetKey(id: number): Promise<void> {
    const keyId = this.keys.forget(id);
    if (keyId === null) return;
    await Promise.all([this.save?.cancel(), this.contents.closeWhere(({ access }) => access.keyId === keyId)]);
    // A tab that was duplicated has the session, too.
    this.listeners.tell({ event: 'keys' });
  }

  /** Cleanses all keys, closes everything that is decrypted or being decrypted, and stops saving. Never fails. */
  async forget(): Promise<void> {
    this.keys.forgetAll();
    await Promise.all([this.save?.cancel(), this.contents.closeWhere(() => true)]);
    this.listeners.tell({ event: 'keys' });
  }

  async removeFile(id: number): Promise<void> {
    await this.contents.closeWhere(({ fileId }) => fileId === id);
    await this.shelf.remove(id);
  }

  /** What the button does. */
  leave(): void {
    this.#end('closed');
  }

  async close(): Promise<void> {
    clearTimeout(this.#idle);
    clearTimeout(this.#forgetting);
    this.listeners.close();
    this.keys.close();
    await this.forget();
    await this.shelf.close();
    clearTimeout(this.#forgetting);
  }

  /** Perhaps nobody is there any more: then keys are forgotten soon, unless somebody comes back. */
  #left(): void {
    clearTimeout(this.#forgetting);
    this.#forgetting = setTimeout(() => {
      if (this.listeners.size > 0) return;
      if (this.#works()) this.#left();
      else void this.forget();
    }, this.#forgetMilliseconds).unref();
  }

  #expire(): void {
    if (this.#works()) this.#idle.refresh();
    else this.#end('idle');
  }

  /** Whether something is under way that needs keys, such as a long download. */
  #works(): boolean {
    return this.#asking > 0 || this.save?.view.running === true;
  }
}
