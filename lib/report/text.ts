/** A report as text: some lines on a terminal. */

import { formatBytes, formatNumber, formatTable } from '../page/figures.ts';
import { safe } from '../safe-text.ts';
import type { DirectoryReport } from './report.ts';
import { entries, files, flagsOf, hasFiles, PROBLEMS, validityText } from './words.ts';

/** Files of one problem that are named; the JSON document and the page name more. */
const NAMED = 5;

/** Lines, safe for a terminal. */
export function reportText(report: DirectoryReport): string[] {
  return [
    ...summary(report),
    ...problems(report),
    ...part('Who can open them', recipientTable(report)),
    ...part('Who is named as their signer', signerTable(report)),
    ...part('How they are encrypted', algorithmTable(report)),
    ...part('By month of creation (UTC)', monthTable(report)),
    '',
    'Read from headers, which are not authenticated: callseal verify -k KEY proves a file.',
  ];
}

function summary({ directories, totals }: DirectoryReport): string[] {
  const { all, callFiles, empty, passedOver } = totals;
  const rest = [
    ...(empty > 0 ? [`${files(empty)} empty`] : []),
    ...(passedOver > 0 ? [`${formatNumber(passedOver)} passed over`] : []),
  ];
  return [
    directories.map(safe).join(', '),
    `${files(all.files)} (${formatBytes(all.bytes)}), of which ${formatNumber(callFiles.files)} encrypted ` +
      `(${formatBytes(callFiles.bytes)}), ${formatNumber(callFiles.complete)} of them complete` +
      (callFiles.signed > 0 ? `, ${formatNumber(callFiles.signed)} signed` : '') +
      rest.map((text) => `; ${text}`).join(''),
  ];
}

function problems(report: DirectoryReport): string[] {
  return PROBLEMS.flatMap(({ kind, what, advice }) => {
    const listing = report.problems[kind];
    if (!hasFiles(listing)) return [];
    const named = listing.listed.slice(0, NAMED).map(({ file, message }) => `  ${safe(file)}: ${safe(message)}`);
    const more = listing.files - named.length;
    const heading = `${files(listing.files)} ${what} (${formatBytes(listing.bytes)}). ${advice.replaceAll('`', '')}`;
    return ['', heading, ...named, ...(more > 0 ? [`  and ${formatNumber(more)} more`] : [])];
  });
}

function part(title: string, lines: string[]): string[] {
  return lines.length === 0 ? [] : ['', title, ...lines.map((line) => `  ${line}`)];
}

function recipientTable({ recipients, leftOut }: DirectoryReport): string[] {
  const rows = recipients.map((row) => [
    safe(row.subject ?? `public key ${row.keyId.slice(0, 16)}…`) || '(no subject)',
    `RSA ${row.bits}`,
    formatNumber(row.files),
    formatBytes(row.bytes),
    validityText(row),
    flagsOf(row).join(', ').toUpperCase(),
  ]);
  return [
    ...tableLines(['recipient', 'key', 'files', 'bytes', 'certificate', ''], rows, [2, 3]),
    ...omitted(leftOut.recipients),
  ];
}

function signerTable({ signers, leftOut }: DirectoryReport): string[] {
  const rows = signers.map((row) => [
    safe(row.subject ?? `public key ${row.keyId.slice(0, 16)}…`) || '(no subject)',
    row.algorithm,
    formatNumber(row.files),
    formatBytes(row.bytes),
  ]);
  return [...tableLines(['signer', 'algorithm', 'files', 'bytes'], rows, [2, 3]), ...omitted(leftOut.signers)];
}

function algorithmTable({ algorithms, leftOut }: DirectoryReport): string[] {
  const rows = algorithms.map(({ suite, keyWraps, segmentLength, files: number, bytes }) => [
    `suite ${suite.id}: ${suite.name}`,
    keyWraps.join(', '),
    formatBytes(segmentLength),
    formatNumber(number),
    formatBytes(bytes),
  ]);
  return [
    ...tableLines(['suite', 'key wrap', 'segments', 'files', 'bytes'], rows, [2, 3, 4]),
    ...omitted(leftOut.algorithms),
  ];
}

function monthTable({ months, leftOut }: DirectoryReport): string[] {
  const rows = months.map(({ month, files: number, bytes, plaintextBytes }) => [
    month,
    formatNumber(number),
    formatBytes(bytes),
    formatBytes(plaintextBytes),
  ]);
  return [...tableLines(['month', 'files', 'bytes', 'decrypted'], rows, [1, 2, 3]), ...omitted(leftOut.months)];
}

function tableLines(head: string[], rows: string[][], right: number[]): string[] {
  return rows.length === 0 ? [] : formatTable([head, ...rows], right).split('\n');
}

function omitted(number: number): string[] {
  return number === 0 ? [] : [`and ${entries(number)} that there was no room for`];
}
