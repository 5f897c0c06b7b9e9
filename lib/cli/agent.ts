/** `callseal agent`: encrypts the files of a directory as they are finished, for as long as it runs. */

import type { Command } from 'commander';
import { Option } from 'commander';
import { AgentDaemon, type DaemonOptions } from '../agent/daemon.ts';
import { LOG_LEVELS, type LogLevel } from '../agent/log.ts';
import { defaultConcurrency } from '../agent/options.ts';
import { type ListenAddress, parseListenAddress } from '../agent/server.ts';
import type { CertificateSupplyOptions } from '../agent/supply.ts';
import { CallsealError } from '../errors.ts';
import { type EngineOptions, sealOnce } from './agent-once.ts';
import { noticeFipsOff } from './fips-notice.ts';
import { Output, type OutputOptions } from './output.ts';
import { DEFAULT_SUFFIX } from './outputs.ts';
import { addRecipientOptions, collect, policyOf, type RecipientChoice, recipientFiles } from './recipient-options.ts';
import { addSignOptions, type SignChoice, type SignerOpener } from './sign-options.ts';
import { poolThreads } from './stream-batch.ts';

/** Where the vendor's software writes its response files. */
const DEFAULT_DIRECTORY = '/var/lumenvox/responses';

const ENDING = ['SIGTERM', 'SIGINT'] as const;
/** Threads of the pool that hear of files and look at them: bin/callseal. */
const SPARE_THREADS = 2;
const DEFAULT_LISTEN = '127.0.0.1:9465';

interface AgentCommandOptions extends RecipientChoice, OutputOptions, SignChoice {
  watch?: string[];
  include?: string[];
  outputDir?: string;
  suffix: string;
  concurrency?: number;
  quietSeconds: number;
  /** `--no-recipients`, as commander calls it. */
  recipients: 'stop' | 'spool';
  escrow?: string;
  warnDays: number;
  listen: ListenAddress | null;
  maxQueueAge: number;
  logLevel: LogLevel;
  once?: boolean;
}

const HELP = `
Every finished file FILE becomes FILE${DEFAULT_SUFFIX}, and its plaintext is removed once that is on the disk. A file is
finished when nobody has it open for writing, or where that cannot be told, when it has been quiet for long enough.

SIGHUP reads configuration and certificates again, which happens by itself when they change. SIGTERM and Ctrl-C
finish what was begun; a second one stops at once. The log is JSON, one line an event, on standard output.

Examples:
  callseal agent                                        client_property.conf, ${DEFAULT_DIRECTORY}
  callseal agent -r mary.crt --watch calls --listen none
  callseal agent --no-recipients spool --escrow /etc/callseal/escrow.crt
  callseal agent --once                                 what is finished now, for cron
  curl -s http://127.0.0.1:9465/healthz`;

export function define(command: Command): void {
  addRecipientOptions(command);
  const openSigner = addSignOptions(command);
  command
    .option('--watch <dir>', `directory to encrypt the files of (repeatable; default: ${DEFAULT_DIRECTORY})`, collect)
    .option('--include <pattern>', 'names to encrypt: * and ? as in a shell (repeatable; default: all)', collect)
    .option('--output-dir <dir>', 'write encrypted files below this directory')
    .option('--suffix <suffix>', 'what the names of encrypted files end in', DEFAULT_SUFFIX)
    .option(
      '--concurrency <n>',
      'files encrypted at the same time (default: 4 a core, 8 at most)',
      number('--concurrency', 1, 1024, true),
    )
    .option(
      '--quiet-seconds <s>',
      'without a lease, a file is finished when unchanged for so long',
      number('--quiet-seconds', 0, 86_400),
      5,
    )
    .addOption(
      new Option('--no-recipients <policy>', 'when no recipient is valid: let files wait, or encrypt for --escrow')
        .choices(['stop', 'spool'])
        .default('stop'),
    )
    .option('--escrow <cert>', 'certificate to encrypt for while no recipient is valid')
    .option('--warn-days <n>', 'alarm when a certificate expires in fewer days', number('--warn-days', 0, 3650), 30)
    .addOption(
      new Option('--listen <address>', 'loopback address of /metrics and /healthz, or none')
        .argParser(listenOption)
        .default(parseListenAddress(DEFAULT_LISTEN), DEFAULT_LISTEN),
    )
    .option(
      '--max-queue-age <s>',
      'unhealthy when a file has waited for longer',
      number('--max-queue-age', 1, 86_400),
      300,
    )
    .addOption(new Option('--log-level <level>', 'least level of the log').choices(LOG_LEVELS).default('info'))
    .option('--once', 'encrypt what is finished now, and end')
    .option('-q, --quiet', 'with --once: errors only')
    .option('-v, --verbose', 'with --once: a line for each file')
    .addHelpText('after', HELP)
    .action((options: AgentCommandOptions) => run(options, openSigner));
}

async function run(options: AgentCommandOptions, openSigner: SignerOpener): Promise<void> {
  const output = new Output('agent', options);
  noticeFipsOff(output);
  const recipients = supplyOptions(options);
  const signer = await openSigner(options, output);
  const engine = { ...engineOptions(options), ...(signer === undefined ? {} : { seal: { signer } }) };
  if (options.once === true) return sealOnce(engine, recipients, output);
  const { listen, maxQueueAge, logLevel } = options;
  await serve({ engine, recipients, listen, maxQueueAge: maxQueueAge * 1000, logLevel });
}

function supplyOptions(options: AgentCommandOptions): Omit<CertificateSupplyOptions, 'listener'> {
  const { escrow, recipients: policy, warnDays } = options;
  if (policy === 'spool' && escrow === undefined) {
    throw new CallsealError('ERR_INVALID_ARGUMENT', 'give the certificate for --no-recipients spool: --escrow CERT');
  }
  if (policy === 'stop' && escrow !== undefined) {
    throw new CallsealError('ERR_INVALID_ARGUMENT', '--escrow is of use with --no-recipients spool only');
  }
  const files = recipientFiles(options);
  return { files, policy: policyOf(options), warnDays, ...(escrow === undefined ? {} : { escrow }) };
}

function engineOptions(options: AgentCommandOptions): EngineOptions {
  const { watch, include, outputDir, suffix, concurrency = defaultConcurrency(), quietSeconds } = options;
  return {
    directories: watch ?? [DEFAULT_DIRECTORY],
    suffix,
    quietFor: quietSeconds * 1000,
    ...(include === undefined ? {} : { include }),
    ...(outputDir === undefined ? {} : { outputDir }),
    concurrency: Math.max(1, Math.min(concurrency, poolThreads() - SPARE_THREADS)),
  };
}

/** Until a signal comes. Ends with 0 when everything that was begun has been finished. */
async function serve(options: DaemonOptions): Promise<void> {
  let daemon: AgentDaemon | undefined;
  process.on('SIGHUP', () => void daemon?.reload());
  daemon = await AgentDaemon.start(options);
  await new Promise<void>((resolve) => {
    for (const signal of ENDING) process.once(signal, () => resolve());
  });
  // The second one is not caught: `process.exit` would wait for the file at hand.
  for (const signal of ENDING) process.removeAllListeners(signal);
  await daemon.stop();
}

/** A parser for a number of an option. */
function number(option: string, least: number, most: number, whole = false): (text: string) => number {
  return (text) => {
    const value = text.trim() === '' ? Number.NaN : Number(text);
    if (value >= least && value <= most && (!whole || Number.isInteger(value))) return value;
    const kind = whole ? 'a whole number' : 'a number';
    throw new CallsealError('ERR_INVALID_ARGUMENT', `${option} takes ${kind} from ${least} to ${most}`);
  };
}

function listenOption(text: string): ListenAddress | null {
  return text === 'none' ? null : parseListenAddress(text);
}
