/** Node and the platform that it was built for. */

import { type Check, error, ok } from '../check.ts';

/** As `engines` of package.json has it. */
const OLDEST = [20, 19] as const;

export const nodeVersion: Check = {
  name: 'node',
  async examine() {
    const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
    const what = `Node ${process.versions.node} on ${process.platform}-${process.arch}`;
    if (process.platform !== 'linux') {
      return [error('platform', `${what}: Callseal works on Linux only`, process.execPath, 'use a host with Linux')];
    }
    if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])) {
      const remedy = `install Node ${OLDEST.join('.')} or newer`;
      return [error('too-old', `${what} is too old`, process.execPath, remedy)];
    }
    return [ok('version', what, process.execPath)];
  },
};
