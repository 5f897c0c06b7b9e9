/** Opens client_property.conf. */

import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { CallsealError, errnoOf } from '../errors.ts';
import type { ClientProperties } from './model.ts';
import { MAX_CONFIG_BYTES, parseClientProperties } from './parse.ts';
import { formatPlace } from './problems.ts';

/**
 * Where the vendor's software keeps its configuration on Linux. On Windows it is
 * `C:\Program Files\LumenVox\Engine\config\client_property.conf`.
 */
export const DEFAULT_CONFIG_PATH = '/etc/lumenvox/client_property.conf';

/**
 * Reads and parses a configuration file. Synchronous: it is read once at start and once at each reload.
 *
 * @throws CallsealError `ERR_CONFIG` if the file is missing, is not a regular file, may not be read or is larger than
 *   {@link MAX_CONFIG_BYTES}; `ERR_IO` if the system fails otherwise. What is wrong inside the file is in `problems`.
 */
export function readClientProperties(path: string): ClientProperties {
  if (typeof path !== 'string' || path === '' || path.includes('\0')) {
    throw new CallsealError('ERR_INVALID_ARGUMENT', 'the path of the configuration file must be a non-empty string');
  }
  return parseClientProperties(readBounded(path), path);
}

/**
 * The file's bytes, or one more than the limit if it is larger. Opened without blocking and read to a limit, so that
 * neither a FIFO nor a device nor a growing file holds us up.
 */
function readBounded(path: string): Uint8Array {
  let descriptor: number;
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    throw readFailure(path, error);
  }
  try {
    if (!fstatSync(descriptor).isFile()) throw configError(path, 'is not a regular file; name the configuration file');
    const bytes = Buffer.allocUnsafe(MAX_CONFIG_BYTES + 1);
    let length = 0;
    for (let count = -1; count !== 0 && length < bytes.length; length += count) {
      count = readSync(descriptor, bytes, length, bytes.length - length, null);
    }
    return bytes.subarray(0, length);
  } catch (error) {
    throw error instanceof CallsealError ? error : readFailure(path, error);
  } finally {
    closeSync(descriptor);
  }
}

function configError(path: string, message: string, cause?: unknown): CallsealError {
  const errno = errnoOf(cause);
  return new CallsealError('ERR_CONFIG', `${formatPlace(path, 0)}: ${message}`, {
    path,
    cause,
    ...(errno === undefined ? {} : { errno }),
  });
}

function whereToLook(path: string): string {
  if (path !== DEFAULT_CONFIG_PATH) return `the vendor's default is ${DEFAULT_CONFIG_PATH}`;
  return 'make it, with a line LOGGING_ENCRYPTION_KEY = CERT,CERT, or name another file or the certificates themselves';
}

function readFailure(path: string, error: unknown): CallsealError {
  const errno = errnoOf(error);
  switch (errno) {
    case 'ENOENT':
    case 'ENOTDIR':
      return configError(path, `does not exist; ${whereToLook(path)}`, error);
    case 'EACCES':
    case 'EPERM':
      return configError(path, 'may not be read by this user; grant read permission on it and its directories', error);
    case 'ELOOP':
    case 'ENAMETOOLONG':
      return configError(path, `cannot be opened (${errno}); check the path`, error);
    default:
      return new CallsealError('ERR_IO', `${formatPlace(path, 0)}: cannot be read (${errno ?? 'unknown error'})`, {
        path,
        cause: error,
        ...(errno === undefined ? {} : { errno }),
      });
  }
}
