/** When certificates stop and begin to be valid. */

import type { RecipientInfo } from '../recipients/examine.ts';

const DAY = 86_400_000;

/** How long a certificate is valid yet. */
export interface CertificateExpiry {
  readonly subject: string;
  /** SHA-256 of the DER certificate in lower-case hexadecimal. */
  readonly fingerprint: string;
  readonly path: string;
  readonly notAfter: Date;
  /** Days until then, with fractions; negative once it has expired. */
  readonly days: number;
}

/** The certificates among recipients, each once. */
export function expiriesOf(recipients: readonly RecipientInfo[], now: number): CertificateExpiry[] {
  const expiries = new Map<string, CertificateExpiry>();
  for (const { certificate, path } of recipients) {
    if (certificate === null) continue;
    const { subject, sha256: fingerprint, notAfter } = certificate;
    expiries.set(fingerprint, { subject, fingerprint, path, notAfter, days: (notAfter.getTime() - now) / DAY });
  }
  return [...expiries.values()];
}

/** A span of time in which no certificate becomes valid and none expires, in milliseconds since the epoch: from ≤ t < until. */
export interface Span {
  readonly from: number;
  readonly until: number;
}

/** The span around a time. Outside it, recipients must be judged anew; also when the clock was set back. */
export function spanAround(recipients: readonly RecipientInfo[], now: number): Span {
  let [from, until] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (const { certificate } of recipients) {
    if (certificate === null) continue;
    // A certificate is valid up to and including notAfter.
    for (const time of [certificate.notBefore.getTime(), certificate.notAfter.getTime() + 1]) {
      if (time <= now) from = Math.max(from, time);
      else until = Math.min(until, time);
    }
  }
  return { from, until };
}

/** `expired 3 days ago, on 2026-01-31`, or `expires in 3 days, on …`. */
export function expiryText({ days, notAfter }: CertificateExpiry): string {
  const whole = Math.floor(Math.abs(days));
  const span = whole === 0 ? 'less than a day' : whole === 1 ? '1 day' : `${whole} days`;
  const date = notAfter.toISOString().replace(/T.*/, '');
  return days < 0 ? `expired ${span} ago, on ${date}` : `expires in ${span}, on ${date}`;
}
