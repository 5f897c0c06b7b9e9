/** The key hierarchy at a glance, for people. */

import { type Colors, colorsFor } from '../output.ts';
import { count, formatInteger, formatTime, formatValidity, safe } from '../text.ts';
import { columnLines } from './columns.ts';
import { ageOf, assessmentCells, budgetText, workingState } from './key-text.ts';
import type { KeysStatus, UnverifiedKeys, VerifiedKeys } from './keys-status.ts';
import { masterTable } from './master.ts';

export function keysStatusLines(keys: KeysStatus, now = new Date()): string[] {
  const colors = colorsFor(process.stdout);
  return keys.verified ? verifiedLines(keys, colors, now) : unverifiedLines(keys, colors, now);
}

function verifiedLines(keys: VerifiedKeys, colors: Colors, now: Date): string[] {
  const { store, installation, place, certificate, audit } = keys;
  const approved = keys.approved ? colors.green('approved') : colors.yellow('not approved for new data');
  return [
    row('keys', `${colors.green('verified')}: every row is as it was written`),
    row('store', `${safe(store.description)}, id ${store.id}, change ${formatInteger(store.sequence)}`),
    row('installed', `${installation.algorithm} ${installation.bits} bits, id ${installation.id}`),
    row('', place.kind === 'file' ? safe(place.path) : safe(place.uri)),
    row('', certificate === null ? 'no certificate yet' : certificateText(certificate, now)),
    row('chain', `${keys.strength} bits of strength, ${approved}`),
    row('audit', `${count(audit.entries, 'entry', 'entries')}, the last at ${formatTime(audit.lastAt)}`),
    row('master keys', ''),
    ...masterTable(keys.masters, now).map(indented),
    row('areas', keys.areas.length === 0 ? 'none yet' : ''),
    ...areaLines(keys, colors, now).map(indented),
    ...keys.remarks.map((remark) => colors.yellow(`! ${safe(remark)}`)),
  ];
}

function certificateText(certificate: NonNullable<VerifiedKeys['certificate']>, now: Date): string {
  return `certificate of ${safe(certificate.subject)}, ${formatValidity(certificate.notBefore, certificate.notAfter, now)}`;
}

function areaLines({ areas }: VerifiedKeys, colors: Colors, now: Date): string[] {
  if (areas.length === 0) return [];
  const rows = areas.map(({ area, newest, readable, versions }) => [
    area,
    `${newest.version}, ${workingState(newest)}`,
    `${readable} of ${versions}`,
    newest.suite,
    ...assessmentCells(newest.assessment),
    ageOf(newest.createdAt, now),
    budgetText(newest.budget),
  ]);
  return columnLines(
    ['AREA', 'NEWEST', 'READABLE', 'SUITE', 'STRENGTH', 'APPROVED', 'CREATED', 'BUDGET'],
    rows,
    colors,
  );
}

function unverifiedLines(keys: UnverifiedKeys, colors: Colors, now: Date): string[] {
  const { store, installation, audit } = keys;
  const masters = keys.masters.map((master) => [
    master.id,
    master.current ? `${master.state}, current` : master.state,
    master.suite,
    master.approved === null ? 'unknown' : master.approved ? 'yes' : 'no',
    ageOf(master.createdAt, now),
  ]);
  const areas = keys.areas.map(({ area, versions, state, reserved }) => [
    area,
    `${versions}, ${state}`,
    formatInteger(reserved),
  ]);
  return [
    row('keys', `${colors.yellow('not verified')}: ${safe(keys.reason)}`),
    row(
      'store',
      `${safe(store.description)}${store.id === null ? ', empty' : `, id ${store.id}, change ${store.sequence}`}`,
    ),
    row('installed', installation.id === null ? 'none' : `id ${installation.id}`),
    row(
      'audit',
      `${count(audit.entries, 'entry', 'entries')}${audit.lastAt === null ? '' : `, the last at ${formatTime(audit.lastAt)}`}`,
    ),
    row('master keys', masters.length === 0 ? 'none' : ''),
    ...(masters.length === 0
      ? []
      : columnLines(['MASTER KEY', 'STATE', 'SUITE', 'APPROVED', 'CREATED'], masters, colors)
    ).map(indented),
    row('areas', areas.length === 0 ? 'none' : ''),
    ...(areas.length === 0 ? [] : columnLines(['AREA', 'NEWEST', 'GIVEN OUT'], areas, colors)).map(indented),
  ];
}

function indented(line: string): string {
  return `  ${line}`;
}

function row(name: string, value: string): string {
  return `${name.padEnd(11)} ${value}`.trimEnd();
}
