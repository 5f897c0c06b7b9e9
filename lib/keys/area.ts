/** Areas: the names under which a service keeps its sets of working keys, such as `models`. */

import { CallsealError } from '../errors.ts';

export const AREA_MAX_LENGTH = 64;

const AREA = /^[a-z0-9][a-z0-9._-]{0,63}$/;

export function isArea(text: unknown): text is string {
  return typeof text === 'string' && AREA.test(text);
}

/** @throws {CallsealError} `ERR_INVALID_ARGUMENT` */
export function assertArea(text: unknown): asserts text is string {
  if (!isArea(text)) {
    throw new CallsealError(
      'ERR_INVALID_ARGUMENT',
      'an area has 1 to 64 lower-case letters, digits, ".", "_" and "-", and begins with a letter or digit',
    );
  }
}
