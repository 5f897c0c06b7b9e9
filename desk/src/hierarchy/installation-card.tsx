/** The key at the root. */

import type { HierarchyView } from '../../../lib/desk/protocol.ts';
import { day, daysUntil, holder, shortId } from '../format.ts';

export function InstallationCard({ view }: { view: HierarchyView }) {
  const { installation, approved, strength } = view;
  const { certificate, place, exportable } = installation;
  return (
    <section class="card" aria-label="Installation key">
      <h2>Installation key</h2>
      <p class="figure">
        {installation.algorithm} {installation.bits}
      </p>
      <dl>
        <dt>Id</dt>
        <dd>
          <code title={installation.id}>{shortId(installation.id)}</code>
        </dd>
        {place !== null && (
          <>
            <dt>Kept in</dt>
            <dd>{place}</dd>
          </>
        )}
        <dt>May leave it</dt>
        <dd>{exportable === null ? 'not known' : exportable ? 'yes, as PKCS#12' : 'no'}</dd>
        <dt>Certificate</dt>
        <dd>
          {certificate === null
            ? 'none installed yet'
            : `${holder(certificate.subject)}, ${daysUntil(certificate.notAfter) < 0 ? 'expired' : 'valid until'} ${day(certificate.notAfter)}`}
        </dd>
        <dt>Chain under it</dt>
        <dd>
          {strength} bits of strength,{' '}
          <span class={`badge ${approved ? 'good' : 'warn'}`}>
            {approved ? 'approved' : 'not approved for new data'}
          </span>
        </dd>
      </dl>
    </section>
  );
}
