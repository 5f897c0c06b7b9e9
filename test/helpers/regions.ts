/** A map of a call file: which field every byte belongs to. Made by walking docs/format.md, not with lib/'s parser. */

export type Field =
  | 'magic'
  | 'version, suite, flags'
  | 'prelude'
  | 'recipients length'
  | 'recipients head'
  | 'key wrap'
  | 'entry layout'
  | 'entry content'
  | 'MAC'
  | 'FLOE header'
  | 'mark'
  | 'last mark'
  | 'segment';

export interface FileMap {
  /** One field a byte. */
  fields: Field[];
  /** Where the recipients section ends and the MAC begins. */
  macOffset: number;
  bodyOffset: number;
  /** Where each segment begins, and where the last ends. */
  segments: number[];
  segmentLength: number;
}

export function mapCallFile(file: Buffer): FileMap {
  const fields: Field[] = [];
  const mark = (field: Field, length: number): number => {
    for (let index = 0; index < length; index++) fields.push(field);
    return fields.length - length;
  };
  mark('magic', 8);
  mark('version, suite, flags', 8);
  mark('prelude', 32);
  mark('recipients length', 4);
  mark('recipients head', 4);
  const count = file.readUInt16BE(52);
  for (let index = 0; index < count; index++) {
    mark('key wrap', 2);
    mark('entry content', 32);
    mark('entry content', file.readUInt16BE(mark('entry layout', 2)));
    if (file[mark('entry layout', 1)] === 0) continue;
    mark('entry content', 32 + 8 + 8);
    mark('entry content', file.readUInt8(mark('entry layout', 1)));
    mark('entry content', file.readUInt16BE(mark('entry layout', 2)));
    mark('entry content', file.readUInt16BE(mark('entry layout', 2)));
  }
  const macOffset = mark('MAC', 32);
  const bodyOffset = mark('FLOE header', 74);
  const segmentLength = file.readUInt32BE(bodyOffset + 2);
  const segments = [fields.length];
  while (fields.length < file.length) {
    const length = Math.min(segmentLength, file.length - fields.length);
    const isLast = fields.length + length === file.length;
    mark(isLast ? 'last mark' : 'mark', 4);
    mark('segment', length - 4);
    segments.push(fields.length);
  }
  return { fields, macOffset, bodyOffset, segments, segmentLength };
}
