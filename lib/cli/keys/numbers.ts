/** Numbers among the options. */

import { CallsealError } from '../../errors.ts';

const MOST = 1_000_000_000;

/** A parser of whole numbers from `least` to a thousand million. */
export function wholeNumber(option: string, least: number, most = MOST): (text: string) => number {
  return (text) => {
    const number = Number(text);
    if (/^\d{1,10}$/.test(text) && number >= least && number <= most) return number;
    throw new CallsealError('ERR_INVALID_ARGUMENT', `${option} takes a whole number from ${least} to ${most}`);
  };
}
