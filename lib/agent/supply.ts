/**
 * For whom the agent encrypts, for as long as it runs: recipients follow their files and the clock.
 *
 * - When the configuration or a certificate changes, everything is read again. If that fails, what was read last goes on
 *   being used, and the alarm `config` stands until it succeeds.
 * - When a certificate expires or becomes valid, what was read is judged again by the policy. If that leaves nobody to
 *   encrypt for, either files wait (alarm `no-recipients`), or they are encrypted for the escrow certificate (alarm `escrow`).
 * - A certificate that expires soon is an alarm, too: `expiry:SUBJECT`.
 */

import { CallsealError } from '../errors.ts';
import type { RecipientInfo } from '../recipients/examine.ts';
import { completePolicy, FAIL_CLOSED, type RecipientPolicy } from '../recipients/policy.ts';
import { Recipients } from '../recipients/recipients.ts';
import { AlarmBoard, type AlarmListener } from './alarms.ts';
import { type CertificateExpiry, expiriesOf, expiryText, type Span, spanAround } from './expiry.ts';
import { FileWatch } from './file-watch.ts';
import { namedFiles, type RecipientFiles } from './recipient-files.ts';
import type { Alarm, RecipientSupply, SupplyState } from './types.ts';

/** Options of {@link CertificateSupply.open}. */
export interface CertificateSupplyOptions {
  /** Where recipients are named. */
  files: RecipientFiles;
  /** What to do about problems; every one is refused unless said otherwise. */
  policy?: Partial<RecipientPolicy> | undefined;
  /** A certificate to encrypt for while no recipient is usable. Without it files wait. */
  escrow?: string | undefined;
  /** A certificate that expires in fewer days is an alarm. Default 30. */
  warnDays?: number | undefined;
  /** Milliseconds that changed files must stay as they are before they are read. Default 500. */
  settle?: number | undefined;
  /** Milliseconds between looks at the files where the system tells of no changes. Default 30000. */
  poll?: number | undefined;
  listener?: SupplyListener | undefined;
}

/** What happens to a supply. No method may throw. */
export interface SupplyListener extends AlarmListener {
  /** The answer of `current` is another one; null: there is nobody to encrypt for. */
  supplied(state: SupplyState | null): void;
  /** What was read anew cannot be used; once for each reason. */
  refused(error: CallsealError): void;
}

const SILENT: SupplyListener = { supplied() {}, refused() {}, raised() {}, cleared() {} };

const NOBODY_VALID: ReadonlySet<string> = new Set([
  'ERR_CERTIFICATE_EXPIRED',
  'ERR_CERTIFICATE_NOT_YET_VALID',
  'ERR_NO_RECIPIENTS',
]);

/** The longest that a timer may wait. */
const MAX_TIMER = 2 ** 31 - 1;
const DEFAULT_POLL = 30_000;

/**
 * Recipients from certificate files, kept up to date.
 *
 * @example
 * const supply = await CertificateSupply.open({ files: { config: '/etc/lumenvox/client_property.conf' } });
 * const agent = new Agent({ directories: ['/var/lumenvox/responses'], supply });
 */
export class CertificateSupply implements RecipientSupply {
  readonly #files: RecipientFiles;
  readonly #policy: RecipientPolicy;
  readonly #escrowPath: string | undefined;
  readonly #warnDays: number;
  readonly #poll: number;
  readonly #listener: SupplyListener;
  readonly #board: AlarmBoard;
  readonly #watch: FileWatch;
  readonly #observers = new Set<() => void>();
  /** As they were read last without an error. */
  #configured: Recipients | undefined;
  #escrow: Recipients | undefined;
  /** Why the files as they are now name nobody who is valid, when there is nothing older to go by. */
  #nobody: CallsealError | null = null;
  #fault: CallsealError | null = null;
  #state: SupplyState | null = null;
  #span: Span = { from: 0, until: 0 };
  #timer: NodeJS.Timeout | undefined;
  #reading: Promise<unknown> = Promise.resolve();
  #closed = false;

  private constructor(options: CertificateSupplyOptions) {
    const { warnDays = 30, settle = 500, poll = DEFAULT_POLL, listener = SILENT } = options;
    this.#files = options.files;
    this.#policy = completePolicy(options.policy);
    this.#escrowPath = options.escrow;
    this.#warnDays = warnDays;
    this.#poll = poll;
    this.#listener = listener;
    this.#board = new AlarmBoard(listener);
    this.#watch = new FileWatch({ files: () => this.#paths(), changed: () => void this.reload(), settle, poll });
  }

  /**
   * Reads everything and watches it from then on. Close it in the end.
   *
   * @throws {CallsealError} What {@link Recipients.load} and {@link Recipients.fromConfig} throw. With an escrow
   *   certificate it is no error that no recipient is valid; that the escrow certificate cannot be used, always is.
   */
  static async open(options: CertificateSupplyOptions): Promise<CertificateSupply> {
    const supply = new CertificateSupply(options);
    try {
      await supply.#watch.start();
      const begun = supply.#begin();
      supply.#reading = begun.catch(() => {});
      await begun;
    } catch (error) {
      supply.close();
      throw error;
    }
    return supply;
  }

  /** For whom to encrypt at this moment. */
  current(): SupplyState | null {
    const now = Date.now();
    // A timer is late after the host was suspended or its clock was set.
    if (!this.#closed && (now < this.#span.from || now >= this.#span.until)) this.#judge(now);
    return this.#state;
  }

  onChange(listener: () => void): () => void {
    this.#observers.add(listener);
    return () => this.#observers.delete(listener);
  }

  /** What an operator should know now. */
  get alarms(): readonly Alarm[] {
    return this.#board.list;
  }

  /** Every certificate that is named, those of the escrow and those not in use among them. */
  get expiries(): readonly CertificateExpiry[] {
    return expiriesOf(this.#examined(), Date.now());
  }

  /**
   * Reads everything again, as after a change.
   *
   * @returns null, or why what was read before goes on being used
   */
  reload(): Promise<CallsealError | null> {
    const next = this.#reading.then(() => this.#read());
    this.#reading = next;
    return next;
  }

  /** Watches no longer. What {@link current} says stays. */
  close(): void {
    this.#closed = true;
    this.#watch.close();
    clearTimeout(this.#timer);
  }

  /** For `using`. */
  [Symbol.dispose](): void {
    this.close();
  }

  #paths(): string[] {
    return [...namedFiles(this.#files), ...(this.#escrowPath === undefined ? [] : [this.#escrowPath])];
  }

  async #begin(): Promise<void> {
    if (this.#escrowPath !== undefined) this.#escrow = await loadEscrow(this.#escrowPath);
    try {
      this.#configured = await this.#load();
    } catch (error) {
      if (this.#escrow === undefined || !isOfTime(error)) throw error;
      this.#nobody = error;
    }
    this.#judge(Date.now());
  }

  #load(): Promise<Recipients> {
    if ('config' in this.#files) return Recipients.fromConfig(this.#files.config, this.#policy);
    return Recipients.load(this.#files.certificates, this.#policy);
  }

  async #read(): Promise<CallsealError | null> {
    if (this.#closed) return null;
    const before = this.#fault;
    try {
      await this.#watch.accept();
      const escrow = this.#escrowPath === undefined ? undefined : await loadEscrow(this.#escrowPath);
      this.#configured = await this.#load();
      this.#escrow = escrow;
      this.#nobody = null;
      this.#fault = null;
    } catch (error) {
      this.#fault = asRefusal(error);
      this.#nobody = isOfTime(error) && !this.#lastIsValid() ? error : null;
    }
    if (this.#fault !== null && this.#fault.message !== before?.message) this.#listener.refused(this.#fault);
    if (this.#fault === null || this.#nobody !== null) this.#board.clear('config');
    else this.#board.raise('config', `${this.#fault.message}. What was read before goes on being used`);
    this.#judge(Date.now());
    return this.#fault;
  }

  #lastIsValid(): boolean {
    return this.#configured !== undefined && judged(this.#configured, new Date()) instanceof Recipients;
  }

  /** Decides by what was read, and by the time. */
  #judge(now: number): void {
    const time = new Date(now);
    const configured = this.#nobody ?? judged(this.#configured, time);
    if (configured instanceof Recipients) this.#supply({ recipients: configured, kind: 'configured' });
    else this.#withoutRecipients(configured, time);
    this.#span = spanAround(this.#examined(), now);
    this.#warnOfExpiry();
    this.#wakeUp(now);
  }

  #withoutRecipients(reason: CallsealError, time: Date): void {
    const escrow = this.#escrow && judged(this.#escrow, time);
    if (escrow instanceof Recipients) this.#supply({ recipients: escrow, kind: 'escrow' }, reason.message);
    else this.#supply(null, escrow === undefined ? reason.message : `${reason.message}. Also: ${escrow.message}`);
  }

  #supply(state: SupplyState | null, reason = ''): void {
    if (state === null) this.#board.raise('no-recipients', `files wait as they are, in plaintext: ${reason}`);
    else this.#board.clear('no-recipients');
    if (state?.kind === 'escrow')
      this.#board.raise('escrow', `files are encrypted for the escrow certificate: ${reason}`);
    else this.#board.clear('escrow');
    if (signature(state) === signature(this.#state)) return;
    this.#state = state;
    this.#listener.supplied(state);
    for (const observer of this.#observers) observer();
  }

  #examined(): RecipientInfo[] {
    return [...(this.#configured?.examined ?? []), ...(this.#escrow?.examined ?? [])];
  }

  #warnOfExpiry(): void {
    const soon = new Map<string, string>();
    for (const expiry of this.expiries) {
      if (expiry.days >= this.#warnDays) continue;
      const key = `expiry:${expiry.subject}`;
      const text = `certificate ${expiry.path} (${expiry.subject}) ${expiryText(expiry)}`;
      const others = soon.get(key);
      soon.set(key, others === undefined ? text : `${others}. Also: ${text}`);
    }
    this.#board.retain((key) => !key.startsWith('expiry:') || soon.has(key));
    for (const [key, text] of soon) this.#board.raise(key, `${text}; renew it and put the new one in its place`);
  }

  /** Comes back when a certificate changes its state, and now and then for expiry warnings and what has failed. */
  #wakeUp(now: number): void {
    clearTimeout(this.#timer);
    if (this.#closed) return;
    const delay = Math.min(this.#span.until - now, this.#poll, MAX_TIMER);
    this.#timer = setTimeout(() => this.#onTime(), delay).unref();
  }

  #onTime(): void {
    if (this.#fault !== null || this.#nobody !== null) void this.reload();
    else this.#judge(Date.now());
  }
}

function loadEscrow(path: string): Promise<Recipients> {
  return Recipients.load([{ path, origin: 'escrow' }], FAIL_CLOSED);
}

function judged(recipients: Recipients | undefined, time: Date): Recipients | CallsealError {
  if (recipients === undefined) return new CallsealError('ERR_NO_RECIPIENTS', 'no recipient was ever valid');
  try {
    return recipients.judgedAt(time);
  } catch (error) {
    return asRefusal(error);
  }
}

/** Whoever is supplied by the same keys in the same certificates is supplied the same. */
function signature(state: SupplyState | null): string {
  if (state === null) return '';
  const ids = state.recipients.list.map(({ keyId, certificate }) => `${keyId}/${certificate?.sha256 ?? ''}`);
  return [state.kind, ...ids].join(' ');
}

/** Refusals that time brings and time can lift: no mistake in the configuration. */
function isOfTime(error: unknown): error is CallsealError {
  return error instanceof CallsealError && NOBODY_VALID.has(error.code);
}

function asRefusal(error: unknown): CallsealError {
  return error instanceof CallsealError ? error : new CallsealError('ERR_CONFIG', String(error), { cause: error });
}
