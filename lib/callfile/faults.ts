/**
 * What a reader says about a file it refuses (`docs/format.md`, section 6): one function a kind of fault, so that one
 * fault has one wording wherever it is found.
 */

import { CallsealError, type ErrorDetails, hasCode } from '../errors.ts';

/** How messages name the file: its path, or `input` for bytes and streams. */
export function nameOf(path: string | undefined): string {
  return path ?? 'input';
}

function at(path: string | undefined): ErrorDetails {
  return path === undefined ? {} : { path };
}

/** The file does not begin with the magic. */
export function notCallseal(path: string | undefined, empty: boolean): CallsealError {
  const why = empty ? 'it is empty' : 'it does not begin with the letters CALLSEAL';
  return new CallsealError('ERR_NOT_CALLSEAL', `${nameOf(path)} is not a Callseal file: ${why}`, at(path));
}

/** The field at `offset` has a value that a later release may know. */
export function unsupported(path: string | undefined, offset: number, what: string): CallsealError {
  return new CallsealError(
    'ERR_UNSUPPORTED_VERSION',
    `${nameOf(path)}: byte ${offset}: ${what}; use the release of Callseal that wrote the file, or a newer one`,
    at(path),
  );
}

/** The bytes at `offset` break a rule of the format. */
export function malformed(path: string | undefined, offset: number, what: string): CallsealError {
  return tampered(path, `byte ${offset}: ${what}`);
}

/** The file fails authentication or breaks a rule. */
export function tampered(path: string | undefined, what: string, cause?: unknown): CallsealError {
  const message = `${nameOf(path)}: ${what}; the file was altered or damaged, compare it with its source`;
  return new CallsealError('ERR_TAMPERED', message, { ...at(path), ...(cause === undefined ? {} : { cause }) });
}

/** Whether an error says that bytes are not authentic. */
export function isTampered(error: unknown): error is CallsealError {
  return hasCode(error, 'ERR_TAMPERED');
}

/** An error that says so without naming the file, with its name; any other as it is. */
export function tamperedAt(path: string, error: unknown): unknown {
  return isTampered(error) ? tampered(path, error.message, error) : error;
}

/** The file ends too early. */
export function truncated(path: string | undefined, what: string): CallsealError {
  const message = `${nameOf(path)} is incomplete: ${what}; its writer stopped or it was cut, fetch it again from its source`;
  return new CallsealError('ERR_TRUNCATED', message, at(path));
}
