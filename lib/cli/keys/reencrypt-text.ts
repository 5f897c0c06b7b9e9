/** What a re-encryption has come to, for people. */

import type { TableReport } from '../../keys/reencryption/reencrypt-table.ts';
import type { OutcomeCounts } from '../../keys/reencryption/tally.ts';
import type { RecordsOnKey } from '../../keys/reencryption/target.ts';
import { colorsFor } from '../output.ts';
import { count, formatInteger, formatTime, safe } from '../text.ts';
import { columnLines } from './columns.ts';

/** On standard output. */
export function reportLines(report: TableReport): string[] {
  const colors = colorsFor(process.stdout);
  const { source, area, keys, continuedFrom } = report;
  const lines = [`${safe(source)}, area ${area}`];
  if (continuedFrom !== null) lines.push(`continued what was begun ${formatTime(continuedFrom)}`);
  const numbers = outcomes(report).map(([word, number]) => [word, formatInteger(number)]);
  lines.push(...columnLines(['RECORDS', ''], numbers, colors));
  if (keys !== null) lines.push(...keyLines(keys, report.unreadable));
  return lines;
}

function outcomes({ counts, dryRun }: TableReport): [word: string, number: number][] {
  const words: [keyof OutcomeCounts, string][] = [
    ['reencrypted', dryRun ? 'would be re-encrypted' : 're-encrypted'],
    ['current', 'current already'],
    ['changed', 'changed by the service meanwhile'],
    ['gone', 'deleted by the service meanwhile'],
    ['empty', 'NULL'],
    ['failed', 'failed'],
  ];
  return words.flatMap(([outcome, word]) => (counts[outcome] > 0 ? [[word, counts[outcome]]] : []));
}

function keyLines(keys: readonly RecordsOnKey[], unreadable: number): string[] {
  const rows = keys.map(({ version, state, workingKey, masterKey, records }) => [
    version === null ? 'unknown' : String(version),
    state ?? 'unknown',
    workingKey,
    masterKey === null ? '' : `${masterKey.slice(0, 8)}…`,
    formatInteger(records),
  ]);
  if (unreadable > 0) rows.push(['', '', 'no protected records', '', formatInteger(unreadable)]);
  const heading = ['VERSION', 'STATE', 'WORKING KEY', 'MASTER KEY', 'RECORDS NOW'];
  return columnLines(heading, rows, colorsFor(process.stdout));
}

/** One line, on standard error. */
export function shortReport({ counts, dryRun, keys, area }: TableReport): string {
  const done = `${count(counts.reencrypted, 'record')} ${dryRun ? 'would be re-encrypted' : 're-encrypted'}`;
  const failed = counts.failed > 0 ? `, ${formatInteger(counts.failed)} failed` : '';
  if (keys === null) return `${done}${failed}; nothing was changed`;
  const left = keys.filter(({ state }) => state !== 'active').reduce((sum, { records }) => sum + records, 0);
  if (left === 0) return `${done}${failed}; nothing is left on older keys of area ${area}`;
  const remedy = counts.failed > 0 ? 'see the failures above' : 'run it again to move them';
  return `${done}${failed}; ${count(left, 'record')} left on older keys of area ${area}: ${remedy}`;
}
