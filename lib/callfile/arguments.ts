/** Arguments are asserted here, at the door, and trusted inside. */

import { isUint8Array } from 'node:util/types';

import { CallsealError } from '../errors.ts';
import { KeyRing } from '../recipients/keyring.ts';
import { Recipients } from '../recipients/recipients.ts';
import { Signer } from '../signing/signer.ts';
import { SignerCertificates } from '../signing/signer-certificates.ts';
import { MAX_SEGMENT_LENGTH, MIN_SEGMENT_LENGTH } from './format.ts';

function wrong(message: string): CallsealError {
  return new CallsealError('ERR_INVALID_ARGUMENT', message);
}

export function assertPath(value: unknown, name: string): asserts value is string {
  if (typeof value !== 'string' || value === '') throw wrong(`${name} must be the path of a file`);
  if (value.includes('\0')) throw wrong(`${name} has a zero byte in it, which no path can have`);
}

export function assertBytes(value: unknown, name: string): asserts value is Uint8Array {
  if (!isUint8Array(value)) throw wrong(`${name} must be a Uint8Array or Buffer`);
}

export function assertRecipients(value: unknown): asserts value is Recipients {
  if (!(value instanceof Recipients)) throw wrong('recipients must come from Recipients.load or Recipients.fromConfig');
}

export function assertKeyRing(value: unknown): asserts value is KeyRing {
  if (!(value instanceof KeyRing)) throw wrong('keys must be a KeyRing');
}

export function assertSigner(value: unknown): asserts value is Signer | undefined {
  if (value !== undefined && !(value instanceof Signer)) throw wrong('signer must come from Signer.load');
}

/** Null is refused, too: what was to be required must not be forgotten. */
export function assertRequiredSigner(value: unknown): asserts value is SignerCertificates | undefined {
  if (value !== undefined && !(value instanceof SignerCertificates)) {
    throw wrong('requireSigner must come from loadSigners');
  }
}

export function assertSegmentLength(value: number): void {
  if (Number.isInteger(value) && value >= MIN_SEGMENT_LENGTH && value <= MAX_SEGMENT_LENGTH) return;
  throw wrong(`segmentLength must be a whole number from ${MIN_SEGMENT_LENGTH} to ${MAX_SEGMENT_LENGTH}, not ${value}`);
}

/** Most threads that work on one buffer. */
const MAX_THREADS = 64;

export function assertThreads(value: number): void {
  if (Number.isInteger(value) && value >= 1 && value <= MAX_THREADS) return;
  throw wrong(`threads must be a whole number from 1 to ${MAX_THREADS}, not ${value}`);
}

export function assertSignal(value: unknown): asserts value is AbortSignal | undefined {
  if (value !== undefined && !(value instanceof AbortSignal)) throw wrong('signal must be an AbortSignal');
}

const MIN_INTERVAL = 50;
const MAX_INTERVAL = 3_600_000;

export function assertInterval(value: unknown, name: string): asserts value is number | undefined {
  if (value === undefined) return;
  if (typeof value === 'number' && value >= MIN_INTERVAL && value <= MAX_INTERVAL) return;
  throw wrong(`${name} must be milliseconds from ${MIN_INTERVAL} to ${MAX_INTERVAL}, not ${String(value)}`);
}

export function assertByteCount(value: unknown, name: string): asserts value is number | undefined {
  if (value === undefined || (Number.isSafeInteger(value) && (value as number) >= 0)) return;
  throw wrong(`${name} must be a number of bytes, not ${String(value)}`);
}

export function assertBoolean(value: unknown, name: string): asserts value is boolean {
  if (typeof value !== 'boolean') throw wrong(`${name} must be true or false`);
}

export function assertOptions(value: unknown): asserts value is object {
  if (typeof value !== 'object' || value === null) throw wrong('options must be an object');
}

export function assertListener(value: unknown): void {
  if (value !== undefined && typeof value !== 'function') throw wrong('onProgress must be a function');
}
