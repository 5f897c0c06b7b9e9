/** What the desk and its page say to each other: JSON, in which times are ISO 8601 text. */

import type { ErrorCode } from '../errors.ts';
import type { Kind } from './audio/kind.ts';
import type { SoundFormat } from './audio/sound.ts';

export type { Kind, SoundFormat };

/** The header that every request of the page bears: what it was given for the one-time token. */
export const SECRET_HEADER = 'x-callseal-desk';

/** Of all files together that are dropped. */
export const MAX_DROPPED_BYTES = 16 * 2 ** 30;

/** `GET /api/desk`. */
export interface DeskInfo {
  version: string;
  fips: 'required' | 'off';
  /** Directories given on the command line. */
  roots: string[];
  /** Where `Save all` writes; null when the command line names no directory. */
  outputDir: string | null;
  /** Whether there is a page of the key hierarchy. */
  hierarchy: boolean;
  idleMinutes: number;
  forgetSeconds: number;
}

/** What went wrong. */
export interface Problem {
  code: ErrorCode | 'ERR_DESK';
  message: string;
}

/** For whom a file was encrypted, as it says itself. */
export interface RecipientView {
  keyId: string;
  bits: number;
  /** Null for a bare public key. */
  certificate: { subject: string; issuer: string; serial: string; notAfter: string; sha256: string } | null;
}

export type FileState = 'complete' | 'truncated' | 'damaged' | 'unsupported' | 'not-callseal' | 'unreadable';

/** A file at the desk; nothing of it was authenticated yet. */
export interface FileView {
  id: number;
  /** Below its directory, or as it was dropped. */
  name: string;
  /** What a decrypted copy is called. */
  plainName: string;
  dropped: boolean;
  bytes: number;
  plaintextBytes: number | null;
  state: FileState;
  /** What is wrong, in words; null when complete. */
  problem: string | null;
  createdAt: string | null;
  /** Places in the recipients that the listings tell. */
  recipients: number[];
  /** Recipients beside these, which the desk does not list. */
  unlisted: number;
  /** Who claims to have signed it. */
  signer: string | null;
}

/** `GET /api/files?from=N&known=M`: the files from the N-th that was found on, and the recipients from the M-th on. */
export interface FileListing {
  scanning: boolean;
  /** Files in the directories that are not call files. */
  passedOver: number;
  /** Folders that this user may not read. */
  closed: number;
  /** Whether there are more files than the desk lists. */
  more: boolean;
  files: FileView[];
  /** The place of the first of `recipients`. */
  recipientsFrom: number;
  recipients: RecipientView[];
}

/** A private key at the desk. */
export interface KeyView {
  id: number;
  name: string;
  /** From the command line, and still encrypted. */
  locked: boolean;
  /** Null while it is locked. */
  keyId: string | null;
  bits: number | null;
  /** What was done outside the FIPS module to open it. */
  note: string | null;
}

/** Who signed, as a reader of parts can know: what is behind the part that was read is not covered. */
export interface SignerView {
  subject: string | null;
  keyId: string;
  content: 'verified' | 'opening-only';
}

/** `POST /api/files/N/open`. */
export interface OpenedView {
  /** Names the open content in addresses. */
  handle: string;
  file: number;
  bytes: number;
  complete: boolean;
  keyId: string;
  signer: SignerView | null;
  kind: Kind;
}

/** `GET /api/open/HANDLE/sound?as=FORMAT`. */
export interface SoundView {
  description: string;
  seconds: number;
  address: string;
}

/** `POST /api/open/HANDLE/verify`, before `/media/HANDLE/save`. */
export interface VerifiedView {
  plaintextBytes: number;
  keyId: string;
  signer: SignerView | null;
}

/** How far `Save all` is. */
export interface SaveView {
  running: boolean;
  total: number;
  done: number;
  saved: number;
  /** The first hundred. */
  failures: { file: number; name: string; problem: Problem }[];
  failed: number;
  cancelled: boolean;
}

/** Lines of `GET /api/events`. */
export type DeskEvent =
  | { event: 'hello' | 'alive' | 'keys' }
  | { event: 'save'; save: SaveView }
  /** Content that was being played or downloaded could not be read on. */
  | { event: 'broken'; handle: string; what: 'sound' | 'save'; problem: Problem }
  /** The last one: keys are forgotten, what was decrypted is gone. */
  | { event: 'ended' };

/** `GET /api/hierarchy`. */
export interface HierarchyView {
  store: { description: string; id: string; createdAt: string; sequence: number };
  installation: {
    id: string;
    algorithm: string;
    bits: number;
    place: string | null;
    exportable: boolean | null;
    certificate: { subject: string; notBefore: string; notAfter: string } | null;
  };
  approved: boolean;
  strength: number;
  remarks: string[];
  /** Newest first. */
  masters: MasterView[];
  working: WorkingView[];
  audit: { entries: number; lastAt: string };
}

export interface MasterView {
  id: string;
  state: 'active' | 'disabled' | 'removed';
  current: boolean;
  suite: string;
  approved: boolean;
  strength: number;
  createdAt: string;
  changedAt: string;
  workingKeys: { active: number; retired: number; removed: number };
}

export interface WorkingView {
  id: string;
  area: string;
  version: number;
  state: 'active' | 'retired' | 'removed';
  encrypts: boolean;
  decrypts: boolean;
  master: string;
  suite: string;
  approved: boolean;
  createdAt: string;
  budget: { unit: 'messages' | 'blocks'; reserved: number; limit: number };
}

/** `GET /api/hierarchy/audit?before=N`: newest first. */
export interface AuditView {
  entries: { sequence: number; at: string; actor: string; host: string; event: string; details: string }[];
}

/** What is done to a master key that there is. */
export type MasterAction = 'master.use' | 'master.disable' | 'master.enable' | 'master.remove';

/** What may be done to a master key, as far as its state says. */
export function masterActions({ state, current }: Pick<MasterView, 'state' | 'current'>): MasterAction[] {
  if (state === 'removed') return [];
  if (state === 'disabled') return current ? ['master.enable'] : ['master.enable', 'master.remove'];
  return current ? ['master.disable'] : ['master.use', 'master.disable', 'master.remove'];
}

/** Whether a working key may be removed, as far as its state says. */
export function canRemove({ state }: Pick<WorkingView, 'state'>): boolean {
  return state === 'retired';
}

/** `POST /api/hierarchy/act`. `confirm` is what the person typed: {@link confirmationFor} says what it must be. */
export type HierarchyAction =
  | { action: 'master.rotate'; confirm: string }
  | { action: MasterAction; id: string; confirm: string }
  | { action: 'working.rotate'; area: string; confirm: string }
  | { action: 'working.remove'; id: string; confirm: string };

/** What has to be typed before an action is done: the word for new keys, the area, or the first digits of the key. */
export function confirmationFor(action: HierarchyAction): string {
  switch (action.action) {
    case 'master.rotate':
      return 'rotate';
    case 'working.rotate':
      return action.area;
    default:
      return action.id.slice(0, 8);
  }
}
