/** The native module: there, loadable, and with its calls to OpenSSL going where they should. */

import { CallsealError } from '../../errors.ts';
import { findAddon, native, remedyOfAddon } from '../../native/load.ts';
import { type Check, error, type Finding, ok } from '../check.ts';

export const binary: Check = {
  name: 'binary',
  async examine() {
    try {
      const path = findAddon();
      const kind = path.includes('/prebuilds/') ? 'the prebuilt binary of the package' : 'compiled on this host';
      return [ok('found', kind, path), ...isolation()];
    } catch (problem) {
      const message = problem instanceof Error ? problem.message : String(problem);
      return [error('missing', message, null, remedyOfAddon())];
    }
  },
};

/** What is wrong with the FIPS module is told by the check of that. */
function isolation(): Finding[] {
  try {
    const { addonResolvesTo, libcryptoResolvesTo } = native().status().isolation;
    const both =
      addonResolvesTo === libcryptoResolvesTo ? addonResolvesTo : `${addonResolvesTo}, ${libcryptoResolvesTo}`;
    return [ok('isolated', `calls of Callseal and of libcrypto itself go to the system’s ${both}`, both)];
  } catch (problem) {
    if (!(problem instanceof CallsealError)) throw problem;
    const { code, message, path = null } = problem;
    if (code === 'ERR_CRYPTO_NOT_ISOLATED') return [error('not-isolated', message, path)];
    if (code === 'ERR_NATIVE_UNAVAILABLE') return [error('not-loadable', message, path, remedyOfAddon())];
    return [];
  }
}
