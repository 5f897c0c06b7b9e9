/** What an operator wants done about certificates that are not as they should be. */

import { CallsealError } from '../errors.ts';

/**
 * What to do about a problem.
 *
 * - `refuse`: nothing is encrypted until it is solved. The default for every problem.
 * - `warn`: go on with a warning. The recipient is used if it can be used at all (expired, not valid yet); one that
 *   cannot be used (weak, not RSA, unreadable, duplicate) is left out.
 * - `skip`: the recipient is left out, with a warning.
 */
export type PolicyAction = 'refuse' | 'warn' | 'skip';

/** One action a kind of problem. */
export interface RecipientPolicy {
  /** The certificate has expired. It still decrypts what it encrypted. */
  expired: PolicyAction;
  /** The certificate is not valid yet. */
  notYetValid: PolicyAction;
  /** The RSA key is shorter than 2048 bits: the crypto module does not encrypt with it. */
  weak: PolicyAction;
  /** The key is not RSA, or longer than 8192 bits. */
  nonRsa: PolicyAction;
  /** The file is missing, not readable, or holds no certificate or public key. */
  unreadable: PolicyAction;
  /** The same key is listed twice, also in a renewed certificate. */
  duplicate: PolicyAction;
  /** Recipients that must remain; with fewer, nothing is encrypted (`ERR_NO_RECIPIENTS`). */
  minimum: number;
}

/** A kind of problem. */
export type RecipientProblemKind = keyof Omit<RecipientPolicy, 'minimum'>;

/** The default: every problem is refused, one recipient is enough. */
export const FAIL_CLOSED: Readonly<RecipientPolicy> = Object.freeze({
  expired: 'refuse',
  notYetValid: 'refuse',
  weak: 'refuse',
  nonRsa: 'refuse',
  unreadable: 'refuse',
  duplicate: 'refuse',
  minimum: 1,
});

const ACTIONS: readonly unknown[] = ['refuse', 'warn', 'skip'] satisfies PolicyAction[];

/**
 * Fills what is not said from {@link FAIL_CLOSED}.
 *
 * @throws {CallsealError} `ERR_INVALID_ARGUMENT` for an unknown name or action, or a minimum below 1.
 */
export function completePolicy(policy: Partial<RecipientPolicy> = {}): RecipientPolicy {
  for (const [name, value] of Object.entries(policy)) {
    if (!(name in FAIL_CLOSED)) {
      const known = Object.keys(FAIL_CLOSED).join(', ');
      throw new CallsealError('ERR_INVALID_ARGUMENT', `policy ${name} does not exist; known are ${known}`);
    }
    if (name === 'minimum') {
      if (Number.isInteger(value) && Number(value) >= 1) continue;
      throw new CallsealError('ERR_INVALID_ARGUMENT', `policy minimum must be a whole number from 1, not ${value}`);
    }
    if (ACTIONS.includes(value)) continue;
    throw new CallsealError('ERR_INVALID_ARGUMENT', `policy ${name} must be refuse, warn or skip, not ${value}`);
  }
  return { ...FAIL_CLOSED, ...policy };
}
