/** What the beginning of a WAV file says, and the header that the desk puts before what it plays. */

/** Where the sound of a WAV file is, and what it is made of. */
export interface WavLayout {
  /** Format tag: 1 integers, 3 floating point, 6 A-law, 7 µ-law, 49 GSM 06.10. */
  tag: number;
  channels: number;
  sampleRate: number;
  bitsPerSample: number;
  /** The first byte of sound. */
  start: number;
  /** The byte behind the last. */
  end: number;
}

/** What {@link wavHeader} describes. */
export interface PcmLayout {
  tag: 1 | 3;
  channels: number;
  sampleRate: number;
  bitsPerSample: number;
}

/** As much of a file as {@link parseWav} needs: sound begins before that in every file but odd ones. */
export const WAV_HEAD_BYTES = 65_536;
const WAV_HEADER_BYTES = 44;

const EXTENSIBLE = 0xfffe;
const FORMAT_BYTES = 16;
const SUBFORMAT_AT = 24;

/**
 * @param head The first {@link WAV_HEAD_BYTES} of the file, as many as there are.
 * @param size Of the whole file. A length that goes beyond it, as files have that were still written, ends there.
 * @returns null when it is no WAV file that says where its sound is
 */
export function parseWav(head: Uint8Array, size: number): WavLayout | null {
  const bytes = Buffer.from(head.buffer, head.byteOffset, head.byteLength);
  if (bytes.length < 12 || bytes.toString('latin1', 0, 4) !== 'RIFF' || bytes.toString('latin1', 8, 12) !== 'WAVE') {
    return null;
  }
  let format: Omit<WavLayout, 'start' | 'end'> | null = null;
  for (let at = 12; at + 8 <= bytes.length; ) {
    const name = bytes.toString('latin1', at, at + 4);
    const length = bytes.readUInt32LE(at + 4);
    const start = at + 8;
    if (name === 'fmt ') format = parseFormat(bytes.subarray(start, start + length));
    if (name === 'data') {
      if (format === null) return null;
      // A writer that has not finished has put 0 or the most there is.
      const end = length === 0 ? size : Math.min(size, start + length);
      return start <= end ? { ...format, start, end } : null;
    }
    at = start + length + (length & 1);
  }
  return null;
}

function parseFormat(chunk: Buffer): Omit<WavLayout, 'start' | 'end'> | null {
  if (chunk.length < FORMAT_BYTES) return null;
  const told = chunk.readUInt16LE(0);
  const extended = told === EXTENSIBLE && chunk.length >= SUBFORMAT_AT + 2;
  return {
    tag: extended ? chunk.readUInt16LE(SUBFORMAT_AT) : told,
    channels: chunk.readUInt16LE(2),
    sampleRate: chunk.readUInt32LE(4),
    bitsPerSample: chunk.readUInt16LE(14),
  };
}

/** @param dataBytes Of sound; lengths beyond what a WAV file can say are cut. */
export function wavHeader({ tag, channels, sampleRate, bitsPerSample }: PcmLayout, dataBytes: number): Buffer {
  const header = Buffer.alloc(WAV_HEADER_BYTES);
  const blockBytes = (channels * bitsPerSample) / 8;
  const told = Math.min(dataBytes, 0xffffffff - WAV_HEADER_BYTES);
  header.write('RIFF', 0, 'latin1');
  header.writeUInt32LE(told + WAV_HEADER_BYTES - 8, 4);
  header.write('WAVEfmt ', 8, 'latin1');
  header.writeUInt32LE(FORMAT_BYTES, 16);
  header.writeUInt16LE(tag, 20);
  header.writeUInt16LE(channels, 22);
  header.writeUInt32LE(sampleRate, 24);
  header.writeUInt32LE(sampleRate * blockBytes, 28);
  header.writeUInt16LE(blockBytes, 32);
  header.writeUInt16LE(bitsPerSample, 34);
  header.write('data', 36, 'latin1');
  header.writeUInt32LE(told, 40);
  return header;
}
