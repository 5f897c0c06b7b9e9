/** Which crypto module does the work, with evidence: what `callseal status` shows. */
import { type Validation, validationOf } from './fips/validation.ts';
import type { NativeStatus } from './native/binding.ts';
import { moduleOrigin, native } from './native/load.ts';

/** One operation, tried in the module, and what may be said of it. */
export interface AlgorithmReport {
  /** Such as `AES-256-GCM`. */
  readonly name: string;
  /** What Callseal does with it. */
  readonly operation: string;
  /** OpenSSL provider that did it; null when none offers it or the module refuses it. */
  readonly provider: string | null;
  /** The module's own FIPS indicator for this operation; null where the module has none (before OpenSSL 3.4). */
  readonly indicator: 0 | 1 | null;
  /** True when a FIPS provider does it, its indicator does not deny it, and the rules allow it. */
  readonly approved: boolean;
  /** The rule, or why it is not approved. */
  readonly basis: string;
}

/** The state of the crypto module in this process. */
export interface Status {
  /** `required`: every operation runs in the FIPS provider. `off`: the operator chose OpenSSL's default provider. */
  readonly mode: 'required' | 'off';
  /** Files that the addon's and libcrypto's own OpenSSL calls resolve to; both are the system's libcrypto. */
  readonly isolation: NativeStatus['isolation'] & { readonly isolated: true };
  /** The system's library, and the one inside this node executable, which is not used. */
  readonly libcrypto: NativeStatus['libcrypto'];
  readonly nodeOpenssl: string;
  /** The provider, its file and that file's SHA-256. `selfTest`: its known-answer tests, run again just now. */
  readonly provider: NativeStatus['provider'] & { readonly origin: string };
  readonly validation: Validation;
  readonly algorithms: readonly AlgorithmReport[];
}

/** What the rules say of an operation that a FIPS provider performs, and since when. */
/** @internal */
export const RULES: Readonly<Record<string, { approved: boolean; basis: string }>> = {
  'AES-256-GCM/encrypt, IV made in the module': { approved: true, basis: 'SP 800-38D section 8.2.2' },
  'AES-256-GCM/decrypt': { approved: true, basis: 'SP 800-38D' },
  'HKDF-Expand-SHA-384/derive FLOE keys': { approved: true, basis: 'SP 800-56C rev. 2, RFC 5869' },
  "KBKDF-HMAC-SHA-256/derive a file's keys": { approved: true, basis: 'SP 800-108 rev. 1' },
  'HMAC-SHA-256/authenticate the recipients': { approved: true, basis: 'FIPS 198-1' },
  'HMAC-SHA-1/authenticate records': { approved: true, basis: 'FIPS 198-1; NIST retires SHA-1 at the end of 2030' },
  'RSA-2048/generate a key pair': { approved: true, basis: 'FIPS 186-5' },
  'RSA-OAEP-SHA-256/wrap a content key': { approved: true, basis: 'SP 800-56B rev. 2' },
  'RSA-OAEP-SHA-256/open a content key': { approved: true, basis: 'SP 800-56B rev. 2' },
  'RSA-PSS-SHA-256/sign': { approved: true, basis: 'FIPS 186-5' },
  'RSA-PKCS1-v1.5-SHA-256/sign': { approved: true, basis: 'FIPS 186-5' },
  'RSA-PKCS1-v1.5-SHA-1/sign': { approved: false, basis: 'SHA-1 signatures are disallowed (SP 800-131A rev. 2)' },
  'ECDSA-P256-SHA-256/sign': { approved: true, basis: 'FIPS 186-5' },
  'ECDSA-P384-SHA-384/sign': { approved: true, basis: 'FIPS 186-5' },
  'AES-256-WRAP-PAD/wrap a key': { approved: true, basis: 'SP 800-38F' },
  'AES-256-CBC/encrypt': { approved: true, basis: 'SP 800-38A' },
  'DES-EDE3-CBC/encrypt': { approved: false, basis: '3DES encryption is disallowed since 2024 (SP 800-131A rev. 2)' },
  'DES-EDE3-CBC/decrypt': { approved: true, basis: 'legacy use: old data only (SP 800-131A rev. 2)' },
};

/**
 * Loads and examines the crypto module. Takes about a tenth of a second: it runs the module's self-tests and one trial of
 * every operation.
 *
 * @throws {CallsealError} ERR_NATIVE_UNAVAILABLE, ERR_CRYPTO_NOT_ISOLATED, ERR_FIPS_UNAVAILABLE
 */
export function status(): Status {
  const found = native().status();
  return {
    mode: found.mode,
    isolation: { isolated: true, ...found.isolation },
    libcrypto: found.libcrypto,
    nodeOpenssl: process.versions.openssl,
    provider: { ...found.provider, origin: moduleOrigin() },
    validation: validationOf(found.provider.name, found.provider.version),
    algorithms: found.algorithms.map((row) => reportOf(found.mode, row)),
  };
}

function reportOf(mode: NativeStatus['mode'], row: NativeStatus['algorithms'][number]): AlgorithmReport {
  const rule = RULES[`${row.name}/${row.operation}`];
  if (row.provider === null) return { ...row, approved: false, basis: 'the module does not offer it' };
  if (mode === 'off') return { ...row, approved: false, basis: 'FIPS is off: no FIPS module did it' };
  if (rule === undefined) return { ...row, approved: false, basis: 'no rule of this release allows it' };
  if (row.indicator === 0 && rule.approved) {
    return { ...row, approved: false, basis: `${rule.basis}, but the module's own indicator denies it` };
  }
  return { ...row, ...rule };
}
