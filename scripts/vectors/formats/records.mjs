/**
 * The text layout of NIST's CAVP files and their relatives: `# comment`, `[section]` or `[name = value]`, and records
 * of `name = value` lines, ended by an empty line. A word alone, such as FAIL, is a field without a value.
 */

/**
 * @returns records as `{ line, sections, fields }`: the line they begin on, the sections in force (`[A = B]` as A → B,
 *   `[X]` as X → ''), and their fields, all names in lower case
 */
export function readRecords(text) {
  const records = [];
  let sections = {};
  let previousWasSection = false;
  let record = null;
  for (const [index, raw] of text.split(/\r?\n/).entries()) {
    const line = raw.trim();
    const section = /^\[([^\]=]*)(?:=([^\]]*))?\]$/.exec(line);
    if (line === '' || section !== null) record = null;
    if (section !== null) {
      // Sections that follow each other belong together; the next block of them replaces all.
      sections = {
        ...(previousWasSection ? sections : {}),
        [section[1].trim().toLowerCase()]: (section[2] ?? '').trim(),
      };
    }
    if (line !== '') previousWasSection = section !== null;
    if (line === '' || section !== null || line.startsWith('#')) continue;
    if (record === null) {
      record = { line: index + 1, sections, fields: {} };
      records.push(record);
    }
    const [, name, value] = /^([^=]*?)\s*(?:=\s*(.*))?$/.exec(line);
    record.fields[name.toLowerCase()] = value ?? '';
  }
  return records;
}
