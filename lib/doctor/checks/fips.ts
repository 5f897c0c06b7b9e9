/** The FIPS module: found, loaded, at work, and what may be said of its validation. */

import { hasCode } from '../../errors.ts';
import { type Status, status } from '../../status.ts';
import { type Check, error, type Finding, note, ok, warning } from '../check.ts';

export const fips: Check = {
  name: 'fips',
  async examine() {
    try {
      const found = status();
      return found.mode === 'off' ? [switchedOff(found)] : [atWork(found), validated(found), ...refused(found)];
    } catch (problem) {
      if (hasCode(problem, 'ERR_FIPS_UNAVAILABLE')) {
        return [error('unavailable', problem.message, problem.path ?? null, 'callseal fips install')];
      }
      if (hasCode(problem, 'ERR_INVALID_ARGUMENT')) return [error('mode', problem.message, 'CALLSEAL_FIPS')];
      if (hasCode(problem, 'ERR_NATIVE_UNAVAILABLE') || hasCode(problem, 'ERR_CRYPTO_NOT_ISOLATED')) {
        return [note('not-examined', 'not examined: the native module does not load', null)];
      }
      throw problem;
    }
  },
};

function switchedOff({ provider }: Status): Finding {
  const message = `FIPS is off: ${provider.name} of libcrypto does the work, and nothing of it is approved`;
  return warning('off', message, 'CALLSEAL_FIPS', 'unset CALLSEAL_FIPS');
}

function atWork({ provider }: Status): Finding {
  const { name, version, path, origin, running, selfTest } = provider;
  const what = `${name} ${version}, found through ${origin}`;
  if (running && selfTest) return ok('at-work', `${what}; its self-tests passed`, path);
  return error('self-test', `${what}: it does not run, or fails its self-tests`, path, 'callseal fips install');
}

/** No error and no warning: most modules are not validated, and whether one must be is not known here. */
function validated({ validation, provider }: Status): Finding {
  if (validation.status === 'active') return ok('validated', validation.sentence, provider.path);
  const remedy = 'where a validated module is demanded: see docs/fips.md for systems that have one';
  return note('not-validated', validation.sentence, provider.path, remedy);
}

/** What call files cannot do without, and this module does not do. */
function refused({ algorithms, provider }: Status): Finding[] {
  return algorithms
    .filter(({ name, provider: does }) => does === null && /^(AES-256-GCM|RSA-OAEP|HKDF|KBKDF|HMAC-SHA-256)/.test(name))
    .map(({ name, operation }) => {
      const message = `the module does not offer ${name} (${operation}), without which no file is encrypted`;
      return error('not-offered', message, provider.path, 'callseal fips install');
    });
}
