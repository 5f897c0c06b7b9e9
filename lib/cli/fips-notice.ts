/** The warning of every command that does cryptography while the FIPS module is switched off. */

import { fipsMode } from '../native/load.ts';
import type { Output } from './output.ts';

/** Says once a command that the FIPS module is switched off. */
export function noticeFipsOff(output: Output): void {
  if (fipsMode() === 'off') {
    output.warn('CALLSEAL_FIPS=off: the FIPS module is not used; what is done now is not FIPS-approved');
  }
}
