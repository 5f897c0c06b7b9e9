/** `callseal agent --once`: what is finished now, then the end. For cron, and where no service can run. */

import { Agent } from '../agent/agent.ts';
import type { DaemonOptions } from '../agent/daemon.ts';
import { CertificateSupply, type CertificateSupplyOptions } from '../agent/supply.ts';
import type { AgentListener } from '../agent/types.ts';
import { EXIT_SOME_FAILED } from './exit-codes.ts';
import { interruptExitCode, interruptSignal } from './interrupt.ts';
import type { Failure, Output } from './output.ts';
import { count, formatBytes } from './text.ts';

export type EngineOptions = DaemonOptions['engine'];

/** Sets the exit code: 20 when a file or a directory failed. */
export async function sealOnce(
  engine: EngineOptions,
  recipients: Omit<CertificateSupplyOptions, 'listener'>,
  output: Output,
): Promise<void> {
  const signal = interruptSignal();
  const tally = new Tally(output);
  const supply = await CertificateSupply.open({
    ...recipients,
    listener: {
      raised: ({ message }) => output.warn(message),
      cleared: () => {},
      refused: (error) => output.warn(error.message),
      supplied: (state) => {
        for (const { message } of state?.recipients.warnings ?? []) output.warn(message);
      },
    },
  });
  try {
    const { unfinished, waiting } = await new Agent({ ...engine, supply, listener: tally }).runOnce(signal);
    output.failAll(tally.failures);
    output.notice(tally.summary(unfinished, waiting));
    if (signal.aborted) process.exitCode = interruptExitCode();
    else if (tally.failures.length > 0 || tally.alarmed) process.exitCode = EXIT_SOME_FAILED;
  } finally {
    supply.close();
  }
}

/** What came of it. */
class Tally implements AgentListener {
  readonly failures: Failure[] = [];
  /** Something was wrong with more than a file. */
  alarmed = false;
  readonly #output: Output;
  #sealed = 0;
  #bytes = 0;

  constructor(output: Output) {
    this.#output = output;
  }

  sealed({ path, output, inputBytes }: Parameters<AgentListener['sealed']>[0]): void {
    this.#sealed++;
    this.#bytes += inputBytes;
    this.#output.detail(`${path}: encrypted as ${output}`);
  }

  failed({ path, error }: Parameters<AgentListener['failed']>[0]): void {
    this.failures.push({ path, error });
  }

  raised({ message }: Parameters<AgentListener['raised']>[0]): void {
    this.alarmed = true;
    this.#output.warn(message);
  }

  vanished(): void {}
  cleared(): void {}
  watching(): void {}

  summary(unfinished: number, waiting: number): string {
    const parts = [`encrypted ${count(this.#sealed, 'file')} (${formatBytes(this.#bytes)})`];
    if (this.failures.length > 0) parts.push(`${this.failures.length} failed`);
    if (unfinished > 0) parts.push(`${unfinished} not finished yet`);
    if (waiting > 0) parts.push(`${waiting} still waiting`);
    return parts.join(', ');
  }
}
