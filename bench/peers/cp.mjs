import { commandVersion } from './command-version.mjs';

/** No encryption at all: what a file costs before anybody has done anything. */
export default {
  id: 'cp',
  name: 'cp',
  kind: 'command',
  settings: 'a plain copy; encrypts nothing',
  copies: true,
  version: () => commandVersion('cp', ['--version'], /coreutils\) (\S+)/),
  open() {
    const copy = (input, output) => ['cp', '--reflink=never', input, output];
    return { encrypt: copy, decrypt: copy };
  },
};
