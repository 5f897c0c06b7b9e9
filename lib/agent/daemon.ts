/** The agent as a service: the engine, its recipients, its log, and what watches over it, put together. */

import { native } from '../native/load.ts';
import { status } from '../status.ts';
import { Agent } from './agent.ts';
import { healthOf } from './health.ts';
import { AgentLog, type LogLevel } from './log.ts';
import { AgentMetrics } from './metrics.ts';
import type { AgentOptions } from './options.ts';
import { type ListenAddress, MetricsServer } from './server.ts';
import { type Notify, ProgressWatch, ServiceManager, watchdogInterval } from './service.ts';
import { CertificateSupply, type CertificateSupplyOptions } from './supply.ts';
import type { AgentListener, Alarm } from './types.ts';

export interface DaemonOptions {
  readonly engine: Omit<AgentOptions, 'supply' | 'listener'>;
  readonly recipients: Omit<CertificateSupplyOptions, 'listener'>;
  /** Null: no metrics over HTTP. */
  readonly listen: ListenAddress | null;
  /** Milliseconds a file may wait before the agent counts as unhealthy. */
  readonly maxQueueAge: number;
  readonly logLevel: LogLevel;
}

export class AgentDaemon {
  readonly #log: AgentLog;
  readonly #supply: CertificateSupply;
  readonly #metrics: AgentMetrics;
  readonly #progress: ProgressWatch;
  readonly #service: ServiceManager;
  readonly #agent: Agent;
  readonly #maxQueueAge: number;
  #server: MetricsServer | undefined;
  #stopping = false;

  /**
   * Starts everything, or nothing.
   *
   * @throws {CallsealError} What {@link CertificateSupply.open}, the engine and {@link MetricsServer.listen} throw
   */
  static async start(options: DaemonOptions): Promise<AgentDaemon> {
    const log = new AgentLog(options.logLevel);
    let supply: CertificateSupply | undefined;
    let daemon: AgentDaemon | undefined;
    try {
      supply = await CertificateSupply.open({ ...options.recipients, listener: log });
      daemon = new AgentDaemon(options, log, supply);
      await daemon.#begin(options);
      return daemon;
    } catch (error) {
      if (daemon !== undefined) await daemon.#abandon();
      supply?.close();
      await log.close();
      throw error;
    }
  }

  private constructor(options: DaemonOptions, log: AgentLog, supply: CertificateSupply) {
    this.#log = log;
    this.#supply = supply;
    this.#maxQueueAge = options.maxQueueAge;
    this.#agent = new Agent({ ...options.engine, supply, listener: this.#listener() });
    const state = () => this.#agent.state();
    const alarms = () => this.#alarms();
    this.#metrics = new AgentMetrics({ state, alarms, expiries: () => supply.expiries, module: status() });
    this.#progress = new ProgressWatch(state);
    this.#service = new ServiceManager({
      notify: this.#notifier(),
      watchdog: watchdogInterval(),
      status: () => this.#statusLine(),
      alive: () => this.#progress.alive(),
    });
  }

  /** Reads configuration and certificates again, whether they have changed or not, and tries again what failed. */
  async reload(): Promise<void> {
    if (this.#stopping) return;
    this.#service.reloading();
    const fault = await this.#supply.reload();
    if (this.#stopping) return;
    this.#log.note('reloaded', { successful: fault === null }, fault === null ? 'read again' : fault.message);
    this.#agent.wake();
    this.#service.reloaded();
  }

  /** Finishes what was begun, and nothing else. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#log.note('stopping', { working: this.#agent.state().working }, 'finishing what was begun');
    this.#service.stopping();
    await this.#agent.stop();
    await this.#server?.close();
    this.#supply.close();
    this.#service.close();
    this.#log.summarise();
    this.#log.note('stopped', {}, 'stopped');
    await this.#log.close();
  }

  async #begin({ listen, engine }: DaemonOptions): Promise<void> {
    if (listen !== null) {
      this.#server = await MetricsServer.listen(listen, {
        metrics: async () => ({ contentType: this.#metrics.contentType, body: await this.#metrics.text() }),
        health: () => healthOf(this.#agent.state(), this.#alarms(), this.#maxQueueAge),
      });
    }
    this.#agent.start();
    const at = this.#server === undefined ? null : `${listen?.host}:${this.#server.port}`;
    this.#log.note('started', { directories: engine.directories, listening: at }, 'started');
    this.#service.ready();
  }

  /** Of a start that failed half-way. */
  async #abandon(): Promise<void> {
    this.#service.close();
    await this.#server?.close();
  }

  /** Everybody who wants to know what the engine does. */
  #listener(): AgentListener {
    const log = this.#log;
    return {
      sealed: (file) => {
        log.sealed(file);
        this.#metrics.sealed(file);
        this.#progress.happened();
      },
      failed: (file) => {
        log.failed(file);
        this.#metrics.failed(file);
        this.#progress.happened();
      },
      vanished: (path) => {
        log.vanished(path);
        this.#metrics.vanished();
        this.#progress.happened();
      },
      raised: (alarm) => log.raised(alarm),
      cleared: (alarm) => log.cleared(alarm),
      watching: (directory, yes) => log.watching(directory, yes),
    };
  }

  #alarms(): Alarm[] {
    return [...this.#agent.state().alarms, ...this.#supply.alarms];
  }

  #statusLine(): string {
    const { queueLength, unfinished } = this.#agent.state();
    const alarms = this.#alarms();
    const trouble = alarms.length === 0 ? '' : `; alarms: ${alarms.map(({ key }) => key).join(', ')}`;
    return `${queueLength} files wait, ${unfinished} are not finished${trouble}`;
  }

  /** A service manager that does not answer is no reason to stop. */
  #notifier(): Notify {
    return (state) => {
      try {
        return native().notifyService(state);
      } catch (error) {
        this.#log.warn('service-manager', {}, error instanceof Error ? error.message : String(error));
        return false;
      }
    };
  }
}
