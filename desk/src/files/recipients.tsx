/** For which certificates a file was encrypted: shown before any key is given. */

import type { RecipientView } from '../../../lib/desk/protocol.ts';
import { day, daysUntil, holder, integer, shortId } from '../format.ts';

interface Props {
  recipients: RecipientView[];
  /** Recipients that the desk does not list. */
  unlisted: number;
  held: ReadonlySet<string>;
}

export function Recipients({ recipients, unlisted, held }: Props) {
  return (
    <ul class="recipients">
      {recipients.map((recipient, index) => (
        <li key={index}>
          <div class="row">
            <strong class="grow">{nameOf(recipient)}</strong>
            {held.has(recipient.keyId) && <span class="badge good">you hold its key</span>}
          </div>
          <Facts {...recipient} />
        </li>
      ))}
      {unlisted > 0 && <li class="facts">and {integer(unlisted)} more, which the desk does not list</li>}
    </ul>
  );
}

function nameOf({ certificate }: RecipientView): string {
  return certificate === null ? 'A bare public key' : holder(certificate.subject);
}

function Facts({ certificate, keyId, bits }: RecipientView) {
  if (certificate === null) {
    return (
      <span class="facts">
        RSA {bits} · key <code>{shortId(keyId)}</code>
      </span>
    );
  }
  const { subject, issuer, serial, notAfter, sha256 } = certificate;
  const past = daysUntil(notAfter) < 0;
  return (
    <>
      <span class="facts">
        RSA {bits} · {past ? 'expired' : 'valid until'} {day(notAfter)}
        {past && ' (its key still opens files)'}
      </span>
      <details>
        <summary>Certificate</summary>
        <dl>
          <dt>Subject</dt>
          <dd>{subject}</dd>
          <dt>Issuer</dt>
          <dd>{issuer}</dd>
          <dt>Serial</dt>
          <dd>
            <code>{serial}</code>
          </dd>
          <dt>SHA-256</dt>
          <dd>
            <code>{sha256}</code>
          </dd>
          <dt>Key id</dt>
          <dd>
            <code>{keyId}</code>
          </dd>
        </dl>
      </details>
    </>
  );
}
