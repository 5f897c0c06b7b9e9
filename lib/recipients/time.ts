/** The time that certificates are judged at. */

import { types } from 'node:util';
import { CallsealError } from '../errors.ts';

/**
 * A copy of a time, which the caller can no longer change while files are read.
 *
 * @throws {CallsealError} `ERR_INVALID_ARGUMENT` unless it is a valid Date: no certificate expires at an unknown time.
 */
export function validTime(now: Date): Date {
  const time = types.isDate(now) ? now.getTime() : Number.NaN;
  if (Number.isNaN(time)) {
    throw new CallsealError('ERR_INVALID_ARGUMENT', 'the time to judge certificates at must be a valid Date');
  }
  return new Date(time);
}
