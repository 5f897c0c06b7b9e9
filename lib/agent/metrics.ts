/** What the agent does, in Prometheus' text format. The names are an interface: dashboards and alerts use them. */

import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { ErrorCode } from '../errors.ts';
import type { Status } from '../status.ts';
import type { CertificateExpiry } from './expiry.ts';
import type { AgentState, Alarm, FailedFile, SealedFile } from './types.ts';

/** Where the figures come from that are not counted here. */
export interface MetricsSource {
  state(): AgentState;
  /** Those of the engine and all others. */
  alarms(): readonly Alarm[];
  expiries(): readonly CertificateExpiry[];
  /** The crypto module as it was found at the start. */
  readonly module: Status;
}

/** Failures that a dashboard should show as 0 before the first. */
const COMMON_FAILURES: readonly ErrorCode[] = ['ERR_IO', 'ERR_ALREADY_ENCRYPTED', 'ERR_OUTPUT_EXISTS', 'ERR_CRYPTO'];

const AGE_BUCKETS = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 21_600, 86_400];

export class AgentMetrics {
  readonly #registry = new Registry();
  readonly #sealed: Counter<'kind'>;
  readonly #inputBytes: Counter;
  readonly #outputBytes: Counter;
  readonly #failures: Counter<'code'>;
  readonly #vanished: Counter;
  readonly #age: Histogram;

  constructor(source: MetricsSource) {
    this.#sealed = this.#counter('files_sealed_total', 'Files encrypted whose plaintext was removed', ['kind']);
    this.#inputBytes = this.#counter('plaintext_bytes_total', 'Bytes of plaintext of sealed files');
    this.#outputBytes = this.#counter('sealed_bytes_total', 'Bytes of encrypted files written');
    this.#failures = this.#counter('failures_total', 'Attempts that failed, by error code', ['code']);
    this.#vanished = this.#counter('files_vanished_total', 'Files that were gone before their turn came');
    this.#age = new Histogram({
      name: 'callseal_agent_sealed_age_seconds',
      help: "From a file's last change to the removal of its plaintext, in seconds",
      buckets: AGE_BUCKETS,
      registers: [this.#registry],
    });
    for (const kind of ['configured', 'escrow']) this.#sealed.inc({ kind }, 0);
    for (const code of COMMON_FAILURES) this.#failures.inc({ code }, 0);
    this.#gaugesOfState(source);
    this.#gaugesOfCertificates(source);
    this.#gaugesOfModule(source.module);
    collectDefaultMetrics({ register: this.#registry });
  }

  sealed({ inputBytes, outputBytes, kind, age }: SealedFile): void {
    this.#sealed.inc({ kind });
    this.#inputBytes.inc(inputBytes);
    this.#outputBytes.inc(outputBytes);
    this.#age.observe(age / 1000);
  }

  failed({ error }: FailedFile): void {
    this.#failures.inc({ code: error.code });
  }

  vanished(): void {
    this.#vanished.inc();
  }

  /** Everything, as Prometheus reads it. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  /** The media type of {@link text}. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  #counter<Label extends string>(name: string, help: string, labelNames: Label[] = []): Counter<Label> {
    return new Counter({ name: `callseal_agent_${name}`, help, labelNames, registers: [this.#registry] });
  }

  /** A gauge that is read when somebody asks. */
  #gauge<Label extends string>(name: string, help: string, labels: Label[], read: (gauge: Gauge<Label>) => void): void {
    const collect = function (this: Gauge<Label>) {
      read(this);
    };
    new Gauge({ name: `callseal_agent_${name}`, help, labelNames: labels, collect, registers: [this.#registry] });
  }

  #gaugesOfState({ state, alarms }: MetricsSource): void {
    const read = (name: string, help: string, figure: (found: AgentState) => number) =>
      this.#gauge(name, help, [], (gauge) => gauge.set(figure(state())));
    read('queue_files', 'Finished files that wait to be encrypted', ({ queueLength }) => queueLength);
    read('queue_is_lower_bound', '1 while more files wait than are counted', (s) => Number(s.queueIsLowerBound));
    read('queue_age_seconds', 'How long the file that waits longest has waited', ({ queueAge }) => queueAge / 1000);
    read('working_files', 'Files being encrypted', ({ working }) => working);
    read('retrying_files', 'Files that failed and wait for another attempt', ({ retrying }) => retrying);
    read('unfinished_files', 'Files that are still open for writing or not quiet yet', ({ unfinished }) => unfinished);
    read('watched_directories', 'Directories that are watched', ({ directories }) => directories);
    this.#gaugesOfSuccess(state);
    this.#gauge('alarm', '1 for every condition that needs an operator, by its key', ['alarm'], (gauge) => {
      gauge.reset();
      for (const { key } of alarms()) gauge.set({ alarm: key }, 1);
    });
    this.#gauge('alarms', 'Conditions that need an operator', [], (gauge) => gauge.set(alarms().length));
  }

  #gaugesOfSuccess(state: () => AgentState): void {
    const started = Date.now();
    const since = 'Seconds since a file was sealed; before the first, since the start';
    this.#gauge('seconds_since_success', since, [], (gauge) =>
      gauge.set((Date.now() - (state().lastSuccess ?? started)) / 1000),
    );
    const last = 'When a file was sealed last, in seconds since 1970; 0 before the first';
    this.#gauge('last_success_timestamp_seconds', last, [], (gauge) => gauge.set((state().lastSuccess ?? 0) / 1000));
  }

  #gaugesOfCertificates({ expiries }: MetricsSource): void {
    const help = 'Days until the certificate of a recipient expires; negative when it has';
    this.#gauge('certificate_expiry_days', help, ['subject', 'fingerprint'], (gauge) => {
      gauge.reset();
      for (const { subject, fingerprint, days } of expiries()) gauge.set({ subject, fingerprint }, days);
    });
  }

  #gaugesOfModule({ mode, provider, validation }: Status): void {
    const { name, version, selfTest, running } = provider;
    const labels = { provider: name, version, validated: String(validation.status === 'active'), mode };
    this.#gauge('module_info', 'The crypto module at work', ['provider', 'version', 'validated', 'mode'], (gauge) =>
      gauge.set(labels, 1),
    );
    const help = '1 when the crypto module runs and passed its self-tests at the start of the agent';
    this.#gauge('module_self_test', help, [], (gauge) => gauge.set(Number(selfTest && running)));
  }
}
