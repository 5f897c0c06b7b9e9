/** The addon with raw-key hooks (`build/Testing`), running in the same crypto module as the product. */

import { fileURLToPath } from 'node:url';

const DEFAULT_ADDON = fileURLToPath(new URL('../../build/Testing/callseal_testing.node', import.meta.url));

/**
 * Loads the addon and starts the crypto module, as the product does: FIPS required unless `CALLSEAL_FIPS=off`.
 * `CALLSEAL_TESTING_ADDON` names another build.
 *
 * @param product the product's `CallsealError`, `findFipsModule`, `fipsMode` and `openAddon`; by default those of the
 *   build in dist/
 * @throws an error with the product's codes, or ERR_MODULE_NOT_FOUND when there is no build
 */
export async function openModule(product) {
  const { CallsealError, findFipsModule, fipsMode, openAddon } = product ?? (await builtProduct());
  const binding = openAddon(process.env.CALLSEAL_TESTING_ADDON ?? DEFAULT_ADDON);
  const mode = fipsMode();
  const { modulePath, moduleConfig } = mode === 'off' ? { modulePath: null, moduleConfig: '' } : findFipsModule();
  binding.initialise({ mode, modulePath, moduleConfig, errorClass: CallsealError });
  return { binding, hooks: binding.testing, mode };
}

async function builtProduct() {
  const parts = ['errors.js', 'fips/discover.js', 'native/load.js'];
  return Object.assign(
    {},
    ...(await Promise.all(parts.map((part) => import(/* @vite-ignore */ `../../dist/${part}`)))),
  );
}

/** Such as `OpenSSL FIPS Provider 3.5.7, /path/fips.so`. */
export function describeModule({ binding, mode }) {
  const { provider } = binding.status();
  const off = mode === 'off' ? ' (FIPS off)' : '';
  return `${provider.name} ${provider.version}${provider.path === '' ? '' : `, ${provider.path}`}${off}`;
}
