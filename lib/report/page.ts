/** A report as a page, complete in itself. Everything that files say of themselves is escaped. */

import { formatBytes, formatNumber } from '../page/figures.ts';
import { escapeHtml, page, rich, section, table, tiles } from '../page/html.ts';
import { barChart } from '../page/svg.ts';
import { safe } from '../safe-text.ts';
import type { DirectoryReport } from './report.ts';
import type { MonthRow, RecipientRow } from './tally.ts';
import { entries, files, flagsOf, hasFiles, PROBLEMS, type ProblemWords, percent, validityText } from './words.ts';

/** Bars of the charts: the latest months. */
const CHARTED_MONTHS = 24;

/** @param callseal The release. */
export function reportPage(report: DirectoryReport, callseal: string): string {
  const day = report.made.toISOString().slice(0, 16).replace('T', ' ');
  const facts = `${report.directories.map(safe).join(', ')} · ${day} UTC · callseal ${callseal}`;
  return page(`What is there, ${day.slice(0, 10)}`, [
    '<h1>Who can open what is there</h1>',
    `<div class="facts">${escapeHtml(facts)}</div>`,
    headline(report),
    tiles(highlights(report)),
    ...PROBLEMS.filter(({ bad }) => bad).map((words) => problemSection(report, words)),
    recipientSection(report),
    ...PROBLEMS.filter(({ bad }) => !bad).map((words) => problemSection(report, words)),
    monthSection(report),
    signerSection(report),
    algorithmSection(report),
    '<p class="note">Read from names and headers, without a key: nothing here is authenticated. ' +
      '<code>callseal verify -k KEY</code> proves a file.</p>',
  ]);
}

function headline({ totals, problems }: DirectoryReport): string {
  const { callFiles } = totals;
  const plain = problems.plaintext;
  const complete =
    callFiles.complete === callFiles.files ? 'all of them complete' : `${formatNumber(callFiles.complete)} complete`;
  const encrypted = `<b>${files(callFiles.files)}</b> encrypted, ${complete}`;
  const bare = hasFiles(plain) ? `, and <b style="color:var(--bad)">${files(plain.files)} not encrypted</b>` : '';
  return `<p class="headline${hasFiles(plain) ? ' warning' : ''}">${encrypted}${bare}.</p>`;
}

function highlights({ totals, recipients, problems, warnDays }: DirectoryReport): [string, string][] {
  const { callFiles } = totals;
  const expired = recipients.filter(({ validity }) => validity === 'expired').length;
  const expiring = recipients.filter(({ validity }) => validity === 'expiring').length;
  return [
    [formatBytes(callFiles.bytes), `in encrypted files; ${formatBytes(callFiles.plaintextBytes)} decrypted`],
    [formatNumber(recipients.length), 'certificates and keys that open some of them'],
    [formatNumber(expired), 'of them expired'],
    [formatNumber(expiring), `expire within ${formatNumber(warnDays)} days`],
    [formatNumber(problems.singleRecipient.files), 'files that a single key opens'],
  ];
}

function recipientSection({ recipients, totals, minBits, leftOut }: DirectoryReport): string {
  const rows = recipients.map((row) => [
    `<td>${nameOf(row)}<div class="note">${escapeHtml(validityText(row))}${flags(row)}</div></td>`,
    `<td class="number">RSA ${row.bits}</td>`,
    number(formatNumber(row.files)),
    number(percent(row.files, totals.callFiles.files)),
    number(formatBytes(row.bytes)),
    number(formatNumber(row.onlyKeyOf)),
  ]);
  const head = ['key', 'files', 'share', 'bytes', 'only key of'].map((text) => `<th class="number">${text}</th>`);
  return section(
    'Who can open them',
    `Any one key of a file opens it. An expired certificate is no hindrance to opening, only a sign that it should be replaced. Keys of less than ${minBits} bits are called weak.`,
    rows.length > 0 && table(['recipient', ...head], rows),
    rows.length > 0 && `<details><summary>issuers and fingerprints</summary>${fingerprints(recipients)}</details>`,
    omitted(leftOut.recipients),
  );
}

function nameOf({ subject }: RecipientRow): string {
  return subject === null ? 'a bare public key' : `<bdi>${escapeHtml(safe(subject) || '(no subject)')}</bdi>`;
}

function fingerprints(recipients: readonly RecipientRow[]): string {
  const rows = recipients.map((row) => [
    `<td>${nameOf(row)}<div class="note">${row.issuer === null ? '' : `<bdi>issued by ${escapeHtml(safe(row.issuer))}</bdi>`}</div></td>`,
    `<td>key id <code>${row.keyId}</code>${row.certificate === null ? '' : `<br>certificate <code>${row.certificate}</code>`}</td>`,
  ]);
  return table(['recipient', 'SHA-256'], rows);
}

function flags(row: RecipientRow): string {
  const colour = row.validity === 'expired' || row.weak ? 'bad' : 'amber';
  return flagsOf(row)
    .map((flag) => ` · <b style="color:var(--${colour})">${flag}</b>`)
    .join('');
}

function problemSection(report: DirectoryReport, { kind, what, advice }: ProblemWords): string {
  const { files: all, bytes, listed } = report.problems[kind];
  if (all === 0) return '';
  const rows = listed.map(({ file, message }) => [
    `<td><bdi><code>${escapeHtml(safe(file))}</code></bdi></td>`,
    `<td class="soft"><bdi>${escapeHtml(safe(message))}</bdi></td>`,
  ]);
  const more = all - listed.length;
  return section(
    `${files(all)} ${what}, ${formatBytes(bytes)}`,
    advice,
    `<details><summary>${more > 0 ? `the first ${listed.length} by name` : 'which'}</summary>${table(['', ''], rows)}</details>`,
    more > 0 && `<p class="note">and ${formatNumber(more)} more</p>`,
  );
}

function monthSection({ months, leftOut }: DirectoryReport): string {
  const rows = months
    .toReversed()
    .map((row) => [
      row.month,
      number(formatNumber(row.files)),
      number(formatBytes(row.bytes)),
      number(formatBytes(row.plaintextBytes)),
    ]);
  const head = ['files', 'bytes', 'decrypted'].map((text) => `<th class="number">${text}</th>`);
  return section(
    'By month of creation',
    'Months are those of UTC. What is decrypted is the length of complete files.',
    months.length > 0 && charts(months.slice(-CHARTED_MONTHS)),
    months.length > 0 && `<details><summary>every month</summary>${table(['month', ...head], rows)}</details>`,
    omitted(leftOut.months),
  );
}

function charts(months: readonly MonthRow[]): string {
  const chart = (
    title: string,
    colour: string,
    value: (row: MonthRow) => number,
    text: (value: number) => string,
  ): string =>
    barChart({
      title,
      bars: months.map((row) => ({ name: row.month, colour, value: value(row), label: text(value(row)) })),
    });
  const both = [
    chart('Files', 'own', (row) => row.files, formatNumber),
    chart('Bytes, encrypted', 'blue', (row) => row.bytes, formatBytes),
  ];
  return `<div class="pair">${both.map((svg) => `<div>${svg}</div>`).join('')}</div>`;
}

function signerSection({ signers, leftOut }: DirectoryReport): string {
  if (signers.length === 0) return '';
  const rows = signers.map(({ subject, keyId, algorithm, files: all, bytes }) => [
    `<td>${rich(subject || 'public key')}<div class="note">key id ${escapeHtml(keyId)}</div></td>`,
    escapeHtml(algorithm),
    number(formatNumber(all)),
    number(formatBytes(bytes)),
  ]);
  const head = ['files', 'bytes'].map((text) => `<th class="number">${text}</th>`);
  const note = 'As the files claim: <code>callseal verify --require-signer CERT</code> proves it.';
  return section(
    'Who is named as their signer',
    note,
    table(['signer', 'algorithm', ...head], rows),
    omitted(leftOut.signers),
  );
}

function algorithmSection({ algorithms, leftOut }: DirectoryReport): string {
  const rows = algorithms.map(({ suite, version, keyWraps, segmentLength, files: all, bytes }) => [
    `<td>${rich(`${suite.id}: ${suite.name}`)}<div class="note">format version ${version}</div></td>`,
    escapeHtml(keyWraps.join(', ')),
    number(formatBytes(segmentLength)),
    number(formatNumber(all)),
    number(formatBytes(bytes)),
  ]);
  const head = ['segments', 'files', 'bytes'].map((text) => `<th class="number">${text}</th>`);
  return section(
    'How they are encrypted',
    '',
    rows.length > 0 && table(['suite', 'key wrap', ...head], rows),
    omitted(leftOut.algorithms),
  );
}

function number(text: string): string {
  return `<td class="number">${escapeHtml(text)}</td>`;
}

function omitted(left: number): string | false {
  return left > 0 && `<p class="note">and ${entries(left)} that there was no room for</p>`;
}
