/** Decrypted contents that are open: read in parts, never written anywhere, and overwritten when they are closed. */

import { openRandomAccess, type RandomAccessFile } from '../callfile/random-access.ts';
import { CallsealError } from '../errors.ts';
import type { KeyRing } from '../recipients/keyring.ts';
import type { Content } from './audio/content.ts';
import { guessKind } from './audio/kind.ts';
import { openSound, type Sound, type SoundFormat } from './audio/sound.ts';
import { WAV_HEAD_BYTES } from './audio/wav-header.ts';
import { Proof } from './proof.ts';
import type { Kind, OpenedView } from './protocol.ts';
import { type HeldFile, named, type SealedFile } from './sealed-file.ts';
import { unguessable } from './session.ts';
import { signerView } from './signer-view.ts';

/** With those that are being opened; each keeps about 1 MiB of plaintext. The one not used for longest makes room. */
const MAX_OPEN = 8;

/** Content that is open. */
export interface OpenContent {
  handle: string;
  fileId: number;
  plainName: string;
  access: RandomAccessFile;
  /** The file that `access` reads. */
  held: HeldFile;
  proof: Proof;
  /** What is read of it. */
  content: Content;
  kind: Kind;
  /** Downloads of it that run. */
  saving: number;
  /** The page looks at something else: it is closed with the last of them. */
  left: boolean;
  sounds: Map<SoundFormat, Promise<Sound>>;
}

type Test = (content: OpenContent) => boolean;

export class Contents {
  readonly #open = new Map<string, OpenContent>();
  /** Of each file that is being opened, what is closed since: what comes late is not kept. */
  readonly #opening = new Set<Test[]>();

  /**
   * Opens a file with one of the keys.
   *
   * @throws {CallsealError} what {@link openRandomAccess} throws; `ERR_KEY_USE` when it was to be closed meanwhile
   */
  async open(
    fileId: number,
    file: SealedFile,
    plainName: string,
    keys: KeyRing,
    recover: boolean,
  ): Promise<OpenedView> {
    const closedSince: Test[] = [];
    this.#opening.add(closedSince);
    try {
      await this.#makeRoom();
      const opened = await openContent(fileId, file, plainName, keys, recover);
      if (closedSince.some((test) => test(opened))) {
        await closeContent(opened);
        throw closed();
      }
      this.#open.set(opened.handle, opened);
      return viewOf(opened);
    } finally {
      this.#opening.delete(closedSince);
    }
  }

  /** @throws {CallsealError} `ERR_KEY_USE` when it was closed, as with its key */
  get(handle: string): OpenContent {
    const found = this.#open.get(handle);
    if (found === undefined) throw closed();
    this.#open.delete(handle);
    this.#open.set(handle, found);
    return found;
  }

  /** The content as a WAV file. */
  sound(handle: string, format: SoundFormat): Promise<Sound> {
    const { content, sounds } = this.get(handle);
    let sound = sounds.get(format);
    if (sound === undefined) {
      sound = openSound(content, format);
      sounds.set(format, sound);
      // What could not be read may be readable soon.
      sound.catch(() => sounds.delete(format));
    }
    return sound;
  }

  async close(handle: string): Promise<void> {
    const found = this.#open.get(handle);
    this.#open.delete(handle);
    if (found !== undefined) await closeContent(found);
  }

  /** Closes it once nothing of it is being saved any more: the page looks at something else. */
  async leave(handle: string): Promise<void> {
    const found = this.#open.get(handle);
    if (found !== undefined && found.saving > 0) found.left = true;
    else await this.close(handle);
  }

  /** Saves something of the content, which the page may leave meanwhile. */
  async whileSaving(handle: string, save: (content: OpenContent) => Promise<void>): Promise<void> {
    const content = this.get(handle);
    content.saving += 1;
    try {
      await save(content);
    } finally {
      content.saving -= 1;
      if (content.left && content.saving === 0) await this.close(handle);
    }
  }

  /** Closes what a key, or a file that is no longer there, had opened, or is opening. */
  async closeWhere(test: Test): Promise<void> {
    for (const closedSince of this.#opening) closedSince.push(test);
    const handles = [...this.#open.values()].filter(test).map(({ handle }) => handle);
    await Promise.all(handles.map((handle) => this.close(handle)));
  }

  /** For one more, which is among those that are being opened. */
  async #makeRoom(): Promise<void> {
    if (this.#opening.size > MAX_OPEN) {
      throw new CallsealError('ERR_INVALID_ARGUMENT', 'too many files are being opened at once; try again');
    }
    const excess = this.#open.size + this.#opening.size - MAX_OPEN;
    const idleFirst = [...this.#open.values()].sort((a, b) => Math.sign(a.saving) - Math.sign(b.saving));
    await Promise.all(idleFirst.slice(0, Math.max(0, excess)).map(({ handle }) => this.close(handle)));
  }
}

async function openContent(
  fileId: number,
  file: SealedFile,
  plainName: string,
  keys: KeyRing,
  recover: boolean,
): Promise<OpenContent> {
  const held = await file.hold();
  let access: RandomAccessFile | undefined;
  try {
    access = await named(file.name, held.path, (path) => openRandomAccess(path, { keys, recover }));
    const content = contentOf(access, file.name);
    const head = await content.readRange(0, Math.min(content.size, WAV_HEAD_BYTES));
    const kind = guessKind(plainName, head, content.size);
    const proof = new Proof(held, file.name);
    const state = { saving: 0, left: false, sounds: new Map() };
    return { handle: unguessable(), fileId, plainName, access, held, proof, content, kind, ...state };
  } catch (error) {
    await access?.close();
    await held.close();
    throw error;
  }
}

/** Nothing is lost when a file that was read cannot be closed, so nothing is said. */
async function closeContent({ access, held, proof }: OpenContent): Promise<void> {
  proof.close();
  await access.close().catch(() => undefined);
  await held.close();
}

/** Its errors speak of the file by its name. */
function contentOf(access: RandomAccessFile, name: string): Content {
  const readRange = (start: number, end: number) => named(name, access.path, () => access.readRange(start, end));
  return { size: access.size, readRange };
}

function closed(): CallsealError {
  return new CallsealError('ERR_KEY_USE', 'this file was closed; open it again');
}

function viewOf({ handle, fileId, access, kind }: OpenContent): OpenedView {
  const { size, complete, keyId, signer } = access;
  return { handle, file: fileId, bytes: size, complete, keyId, signer: signer && signerView(signer), kind };
}
