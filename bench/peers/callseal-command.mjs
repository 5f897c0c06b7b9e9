import { CALLSEAL } from '../harness/paths.mjs';
import { callsealVersion } from './callseal.mjs';

/** Callseal, a process a file or for many. */
export default {
  id: 'callseal-command',
  name: 'callseal',
  kind: 'command',
  settings: 'as installed; --no-sync where the others do not sync either',
  syncs: true,
  version: callsealVersion,
  open({ recipients, sync }) {
    const command = (verb, ...args) => [
      process.execPath,
      CALLSEAL,
      verb,
      '--quiet',
      ...(sync ? [] : ['--no-sync']),
      ...args,
    ];
    const to = recipients.flatMap(({ certificate }) => ['--recipient', certificate]);
    const key = ['--key', recipients[0].privateKey];
    return {
      encrypt: (input, output) => command('encrypt', ...to, '--output', output, input),
      decrypt: (input, output) => command('decrypt', ...key, '--output', output, input),
      encryptAll: (inputs, directory) => command('encrypt', ...to, '--output-dir', directory, ...inputs),
      decryptAll: (inputs, directory) => command('decrypt', ...key, '--output-dir', directory, ...inputs),
    };
  },
};
