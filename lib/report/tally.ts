/** Adds findings up. What it holds does not grow with their number. */

import type { Inspection, RecipientEntryInfo } from '../callfile/inspect.ts';
import type { SignerInfo } from '../signing/info.ts';
import type { Finding, ProblemKind } from './examine.ts';
import { addTo, emptyListing, type Listing, Rows } from './listing.ts';

const DAY = 86_400_000;

const MAX_RECIPIENT_ROWS = 1000;
const MAX_SIGNER_ROWS = 1000;
const MAX_ALGORITHM_ROWS = 100;
const MAX_MONTH_ROWS = 1200;

/** How a recipient's certificate stands at the time of the report; `bare`: a public key without one. */
export type Validity = 'valid' | 'expiring' | 'expired' | 'not yet valid' | 'bare';

/** A certificate or bare key, and what it opens. */
export interface RecipientRow {
  subject: string | null;
  issuer: string | null;
  /** SHA-256 of the DER SubjectPublicKeyInfo, lower-case hexadecimal. */
  keyId: string;
  /** SHA-256 of the DER certificate, lower-case hexadecimal. */
  certificate: string | null;
  keyWrap: string;
  /** Of the RSA modulus. */
  bits: number;
  weak: boolean;
  notBefore: Date | null;
  notAfter: Date | null;
  /** Whole days until `notAfter`; negative once it has passed. */
  daysLeft: number | null;
  validity: Validity;
  files: number;
  /** Of those files. */
  bytes: number;
  /** Files that nobody else can open. */
  onlyKeyOf: number;
}

/** Who is named as the signer of files; no signature was verified. */
export interface SignerRow {
  /** Null for a bare public key. */
  subject: string | null;
  keyId: string;
  /** SHA-256 of the DER certificate, lower-case hexadecimal. */
  certificate: string | null;
  algorithm: string;
  files: number;
  bytes: number;
}

export interface AlgorithmRow {
  suite: { id: number; name: string };
  version: number;
  keyWraps: string[];
  /** Bytes of a full encrypted segment. */
  segmentLength: number;
  files: number;
  bytes: number;
}

export interface MonthRow {
  /** Of creation, UTC: `2026-11`. */
  month: string;
  files: number;
  bytes: number;
  /** Of complete files. */
  plaintextBytes: number;
}

/** Files and their bytes. */
export interface Sum {
  files: number;
  bytes: number;
}

/** What is there. */
export interface Totals {
  /** Every regular file that was looked at. */
  all: Sum;
  /** Those with a well-formed header. */
  callFiles: Sum & { complete: number; signed: number; plaintextBytes: number };
  empty: number;
  /** Links and devices, which are not followed, and files that vanished meanwhile. */
  passedOver: number;
}

/** What recipients are judged by. */
export interface Judgement {
  now: Date;
  /** A certificate that expires within so many days is `expiring`. */
  warnDays: number;
  /** A shorter RSA key is weak. */
  minBits: number;
}

/** Files that one key alone opens are listed with the problems: when it is lost, so are they. */
export type ListingKind = ProblemKind | 'singleRecipient';

const KINDS: readonly ListingKind[] = [
  'plaintext',
  'truncated',
  'damaged',
  'misnamed',
  'unsupported',
  'unfinished',
  'unreadable',
  'singleRecipient',
];

export class Tally {
  readonly totals: Totals = {
    all: { files: 0, bytes: 0 },
    callFiles: { files: 0, bytes: 0, complete: 0, signed: 0, plaintextBytes: 0 },
    empty: 0,
    passedOver: 0,
  };
  readonly listings = Object.fromEntries(KINDS.map((kind) => [kind, emptyListing()])) as Record<ListingKind, Listing>;
  readonly #recipients = new Rows<RecipientRow>(MAX_RECIPIENT_ROWS);
  readonly #signers = new Rows<SignerRow>(MAX_SIGNER_ROWS);
  readonly #algorithms = new Rows<AlgorithmRow>(MAX_ALGORITHM_ROWS);
  readonly #months = new Rows<MonthRow>(MAX_MONTH_ROWS);
  readonly #judgement: Judgement;

  constructor(judgement: Judgement) {
    this.#judgement = judgement;
  }

  add({ path, bytes, inspection, problem }: Finding): void {
    addFile(this.totals.all, bytes);
    if (problem !== null) addTo(this.listings[problem.kind], path, bytes, problem.message);
    else if (inspection === null) this.totals.empty += 1;
    if (inspection !== null) this.#addCallFile(path, inspection);
  }

  passOver(): void {
    this.totals.passedOver += 1;
  }

  /** A directory whose files are not among those counted. */
  addClosed(path: string, message: string): void {
    addTo(
      this.listings.unreadable,
      path,
      0,
      message.startsWith(`${path}: `) ? message.slice(path.length + 2) : message,
    );
  }

  recipients(): RecipientRow[] {
    return this.#recipients.sorted((a, b) => b.files - a.files || order(label(a), label(b)));
  }

  signers(): SignerRow[] {
    return this.#signers.sorted((a, b) => b.files - a.files || order(label(a), label(b)));
  }

  algorithms(): AlgorithmRow[] {
    return this.#algorithms.sorted((a, b) => b.files - a.files || a.segmentLength - b.segmentLength);
  }

  months(): MonthRow[] {
    return this.#months.sorted((a, b) => order(a.month, b.month));
  }

  /** Entries that the tables had no room for. */
  get leftOut(): { recipients: number; signers: number; algorithms: number; months: number } {
    return {
      recipients: this.#recipients.leftOut,
      signers: this.#signers.leftOut,
      algorithms: this.#algorithms.leftOut,
      months: this.#months.leftOut,
    };
  }

  #addCallFile(path: string, inspection: Inspection): void {
    const { recipients, fileBytes, complete, plaintextBytes } = inspection;
    const { callFiles } = this.totals;
    addFile(callFiles, fileBytes);
    callFiles.plaintextBytes += plaintextBytes ?? 0;
    if (complete) callFiles.complete += 1;
    const single = recipients.length === 1;
    for (const recipient of recipients) this.#addRecipient(recipient, fileBytes, single);
    if (single) addTo(this.listings.singleRecipient, path, fileBytes, `only ${shortName(recipients[0]!)} opens it`);
    if (inspection.signer !== null) this.#addSigner(inspection.signer, fileBytes);
    this.#addAlgorithms(inspection);
    this.#addMonth(inspection);
  }

  #addRecipient(recipient: RecipientEntryInfo, bytes: number, single: boolean): void {
    const row = this.#recipients.get(JSON.stringify(recipient), () => newRow(recipient, this.#judgement));
    if (row === null) return;
    addFile(row, bytes);
    if (single) row.onlyKeyOf += 1;
  }

  #addSigner({ keyId, algorithm, certificate }: SignerInfo, bytes: number): void {
    this.totals.callFiles.signed += 1;
    const named = { subject: certificate?.subject ?? null, keyId, certificate: certificate?.sha256 ?? null, algorithm };
    const row = this.#signers.get(JSON.stringify(named), () => ({ ...named, files: 0, bytes: 0 }));
    if (row !== null) addFile(row, bytes);
  }

  #addAlgorithms({ suite, version, recipients, segmentLength, fileBytes }: Inspection): void {
    const keyWraps = [...new Set(recipients.map(({ keyWrap }) => keyWrap))].sort();
    const key = JSON.stringify([suite.id, version, keyWraps, segmentLength]);
    const row = this.#algorithms.get(key, () => ({ suite, version, keyWraps, segmentLength, files: 0, bytes: 0 }));
    if (row !== null) addFile(row, fileBytes);
  }

  #addMonth({ createdAt, fileBytes, plaintextBytes }: Inspection): void {
    const month = createdAt.toISOString().slice(0, 7);
    const row = this.#months.get(month, () => ({ month, files: 0, bytes: 0, plaintextBytes: 0 }));
    if (row === null) return;
    addFile(row, fileBytes);
    row.plaintextBytes += plaintextBytes ?? 0;
  }
}

function addFile(sum: Sum, bytes: number): void {
  sum.files += 1;
  sum.bytes += bytes;
}

function newRow({ keyWrap, keyId, bits, certificate }: RecipientEntryInfo, judgement: Judgement): RecipientRow {
  const { now, minBits } = judgement;
  return {
    subject: certificate?.subject ?? null,
    issuer: certificate?.issuer ?? null,
    keyId,
    certificate: certificate?.sha256 ?? null,
    keyWrap,
    bits,
    weak: bits < minBits,
    notBefore: certificate?.notBefore ?? null,
    notAfter: certificate?.notAfter ?? null,
    daysLeft: certificate === null ? null : Math.trunc((certificate.notAfter.getTime() - now.getTime()) / DAY),
    validity: validityOf(certificate, judgement),
    files: 0,
    bytes: 0,
    onlyKeyOf: 0,
  };
}

function validityOf(certificate: RecipientEntryInfo['certificate'], { now, warnDays }: Judgement): Validity {
  if (certificate === null) return 'bare';
  if (certificate.notAfter < now) return 'expired';
  if (certificate.notBefore > now) return 'not yet valid';
  return certificate.notAfter.getTime() - now.getTime() < warnDays * DAY ? 'expiring' : 'valid';
}

/** What a recipient is called in a line about something else. */
function shortName({ keyId, certificate }: Pick<RecipientEntryInfo, 'keyId' | 'certificate'>): string {
  return certificate?.subject || `public key ${keyId.slice(0, 16)}…`;
}

const label = ({ subject, keyId, certificate }: Pick<RecipientRow, 'subject' | 'keyId' | 'certificate'>): string =>
  `${subject ?? '\uffff'} ${keyId} ${certificate}`;

const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
