/** An installation key, for people. */

import type { InstallationFacts } from '../../keys/installation/types.ts';
import { formatTime, formatValidity, safe } from '../text.ts';

export function factLines(
  { keyId, place, exportable, created, certificate }: InstallationFacts,
  now = new Date(),
): string[] {
  const lines = [
    row('key id', keyId),
    row('where', place.kind === 'file' ? `${safe(place.path)}, an encrypted file` : safe(place.uri)),
    row('exportable', exportableText(exportable, place.kind)),
  ];
  if (created !== null) lines.push(row('made', formatTime(created)));
  if (certificate === null) {
    lines.push(row('certificate', 'none yet; callseal installation install puts it here'));
    return lines;
  }
  const { subject, issuer, serial, notBefore, notAfter, sha256 } = certificate;
  lines.push(
    row('certificate', safe(subject)),
    row('', formatValidity(notBefore, notAfter, now)),
    row('', `issued by ${safe(issuer)}, serial ${serial}`),
    row('', `SHA-256 ${sha256}`),
  );
  return lines;
}

function exportableText(exportable: boolean | null, kind: InstallationFacts['place']['kind']): string {
  if (exportable === null) return 'unknown';
  if (exportable) return 'yes';
  return kind === 'token' ? 'no: it never leaves its token' : 'no: it was made not to be';
}

function row(name: string, value: string): string {
  return `${name.padEnd(11)} ${value}`.trimEnd();
}
