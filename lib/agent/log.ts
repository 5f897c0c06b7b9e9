/**
 * The agent's log: one JSON object a line on standard output, which a service manager keeps.
 *
 * Lines have `level`, `time` (ISO 8601, UTC), `event` (stable, listed in docs/operations.md) and `msg`. Names of files
 * and reasons are in it; contents and secrets never are. A sealed file is a line of level `debug`, as there may be
 * hundreds a second; once a minute a line says how many there were.
 */

import { setTimeout as pause } from 'node:timers/promises';
import { type DestinationStream, destination, type Logger, pino, stdTimeFunctions } from 'pino';
import type { CallsealError } from '../errors.ts';
import type { RecipientInfo } from '../recipients/examine.ts';
import type { SupplyListener } from './supply.ts';
import type { AgentListener, Alarm, FailedFile, SealedFile, SupplyState } from './types.ts';

export const LOG_LEVELS = ['error', 'warn', 'info', 'debug'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Bytes of lines that wait for a reader who takes none; those after them are lost rather than the host's memory. */
const MAX_WAITING = 16 << 20;
const MINUTE = 60_000;
/** Milliseconds. */
const LAST_WORDS = 2000;

export class AgentLog implements AgentListener, SupplyListener {
  readonly #pino: Logger;
  readonly #end: () => Promise<void>;
  readonly #summary: NodeJS.Timeout;
  #sealed = 0;
  #bytes = 0;
  #failed = 0;

  /** @param stream Standard output unless given; it is not closed. */
  constructor(level: LogLevel, stream?: DestinationStream) {
    const output = stream ?? standardOutput();
    this.#end = 'end' in output ? () => ended(output as StandardOutput) : async () => {};
    const formatters = { level: (label: string) => ({ level: label }) };
    this.#pino = pino({ level, base: null, timestamp: stdTimeFunctions.isoTime, formatters }, output);
    this.#summary = setInterval(() => this.summarise(), MINUTE).unref();
  }

  sealed({ path, output, inputBytes, outputBytes, kind, age, leased }: SealedFile): void {
    this.#sealed++;
    this.#bytes += inputBytes;
    this.#pino.debug(
      { event: 'sealed', path, output, inputBytes, outputBytes, kind, age: Math.round(age), leased },
      'sealed',
    );
  }

  failed({ path, error, attempt, retryIn }: FailedFile): void {
    this.#failed++;
    this.#pino.warn({ event: 'failed', path, ...errorFields(error), attempt, retryIn }, error.message);
  }

  vanished(path: string): void {
    this.#pino.debug({ event: 'vanished', path }, 'gone before its turn came');
  }

  raised({ key, message }: Alarm): void {
    const level = key.startsWith('expiry:') ? 'warn' : 'error';
    this.#pino[level]({ event: 'alarm', alarm: key }, message);
  }

  cleared({ key, since }: Alarm): void {
    this.#pino.info({ event: 'alarm-over', alarm: key, seconds: seconds(Date.now() - since) }, `over: ${key}`);
  }

  watching(directory: string, yes: boolean): void {
    this.#pino.info({ event: 'watching', directory, watching: yes }, yes ? 'watching' : 'watching no longer');
  }

  supplied(state: SupplyState | null): void {
    const recipients = state?.recipients.list.map(recipientFields) ?? [];
    this.#pino.info({ event: 'recipients', kind: state?.kind ?? 'none', recipients }, 'recipients from now on');
    for (const { code, message } of state?.recipients.warnings ?? []) {
      this.#pino.warn({ event: 'recipient-problem', code }, message);
    }
    for (const { rule, line, message } of state?.recipients.configWarnings ?? []) {
      this.#pino.warn({ event: 'config-problem', rule, line }, message);
    }
  }

  refused(error: CallsealError): void {
    this.#pino.error({ event: 'recipients-refused', ...errorFields(error) }, error.message);
  }

  /** Anything else that happens to the agent as a whole. */
  note(event: string, fields: Readonly<Record<string, unknown>>, message: string): void {
    this.#pino.info({ event, ...fields }, message);
  }

  warn(event: string, fields: Readonly<Record<string, unknown>>, message: string): void {
    this.#pino.warn({ event, ...fields }, message);
  }

  /** What there was since the last summary, if there was anything. */
  summarise(): void {
    if (this.#sealed + this.#failed === 0) return;
    const counts = { sealed: this.#sealed, bytes: this.#bytes, failed: this.#failed };
    this.#pino.info({ event: 'summary', ...counts }, `sealed ${counts.sealed} files, ${counts.failed} failures`);
    [this.#sealed, this.#bytes, this.#failed] = [0, 0, 0];
  }

  /** Says what is left to say, and waits until all of it is written. */
  async close(): Promise<void> {
    clearInterval(this.#summary);
    this.summarise();
    await this.#end();
  }
}

type StandardOutput = ReturnType<typeof destination>;

/**
 * A log that cannot be written, as on a full disk, must not stop the agent: lines wait for the next attempt, which comes
 * with the next line. Flushing at the exit of the process tries for ever unless it is kept from it.
 */
function standardOutput(): StandardOutput {
  const output = destination({ dest: 1, sync: false, maxLength: MAX_WAITING });
  const flushSync = output.flushSync.bind(output);
  let failing = false;
  output.on('error', () => {
    failing = true;
  });
  output.on('write', () => {
    failing = false;
  });
  output.flushSync = () => {
    if (!failing) flushSync();
  };
  return output;
}

/** Standard output itself stays open. A reader who takes nothing is not waited for without end. */
async function ended(output: StandardOutput): Promise<void> {
  const patience = new AbortController();
  output.once('close', () => patience.abort());
  output.end();
  await pause(LAST_WORDS, undefined, { signal: patience.signal }).catch(() => {});
  output.destroy();
}

function errorFields({ code, errno }: CallsealError): Record<string, string> {
  return { code, ...(errno === undefined ? {} : { errno }) };
}

function recipientFields({ path, keyId, certificate }: RecipientInfo): Record<string, string> {
  if (certificate === null) return { path, keyId };
  return {
    path,
    subject: certificate.subject,
    notAfter: certificate.notAfter.toISOString(),
    sha256: certificate.sha256,
  };
}

function seconds(milliseconds: number): number {
  return Math.round(milliseconds / 100) / 10;
}
