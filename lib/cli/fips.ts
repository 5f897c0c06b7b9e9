/** `callseal fips install`: puts a FIPS module where Callseal finds it. */

import type { Command } from 'commander';
import { installFips } from '../fips/install.ts';
import { interruptSignal } from './interrupt.ts';
import { Output, type OutputOptions } from './output.ts';

const HELP = `
Uses the system’s module where there is one. Else fetches Debian 13's package through apt, checked against the archive’s
signed index, or copies the module given with --module. The machine’s own configuration is not touched.

Examples:
  callseal fips install
  callseal fips install --module /media/fips.so --dir /opt/callseal/fips`;

export function define(command: Command): void {
  command
    .command('install')
    .description('install the FIPS module and run its self-tests')
    .option(
      '--dir <dir>',
      'where to (default: /usr/local/lib/callseal/fips for root, else ~/.local/share/callseal/fips)',
    )
    .option('--module <file>', 'a fips.so you have')
    .option('-q, --quiet', 'only errors')
    .addHelpText('after', HELP)
    .action(installCommand);
}

async function installCommand(options: { dir?: string; module?: string } & OutputOptions): Promise<void> {
  const output = new Output('fips install', options);
  const { dir, module } = options;
  const signal = interruptSignal(); // what is begun is finished, or cleared away when Ctrl-C ended apt or openssl
  try {
    await installFips({
      ...(dir !== undefined && { dir }),
      ...(module !== undefined && { module }),
      log: (sentence) => output.notice(sentence),
    });
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  }
}
