/** Listings for people: columns that line up. */

import type { Colors } from '../output.ts';
import { safe } from '../text.ts';

/** Lines under a heading, each cell made safe; columns as wide as their widest cell. */
export function columnLines(
  heading: readonly string[],
  rows: readonly (readonly string[])[],
  colors: Colors,
): string[] {
  const cells = rows.map((row) => row.map(safe));
  const widths = heading.map((title, column) =>
    Math.max(title.length, ...cells.map((row) => row[column]?.length ?? 0)),
  );
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd();
  return [colors.dim(line(heading)), ...cells.map(line)];
}
