/** The bits of GSM 06.10 frames, in both packings that files have. */

/** Parameters of 20 ms, as ETSI EN 300 961 (GSM 06.10) table 1.1 lists them. */
export interface GsmFrame {
  /** Eight log area ratios. */
  lar: Uint8Array;
  subframes: GsmSubframe[];
}

/** 5 ms. */
export interface GsmSubframe {
  /** Long-term predictor: lag in samples, and gain. */
  lag: number;
  gain: number;
  /** Position of the grid, block amplitude, and 13 pulses. */
  grid: number;
  amplitude: number;
  pulses: Uint8Array;
}

/** A frame of a raw file: a nibble that is always `d`, then 260 bits, the most significant first. */
export const RAW_FRAME_BYTES = 33;
/** Two frames of a WAV file with format tag 49: 520 bits, the least significant first. */
export const WAV_BLOCK_BYTES = 65;

const RAW_MAGIC = 0xd;
const LAR_BITS = [6, 6, 5, 5, 4, 4, 3, 3];
const SUBFRAMES = 4;
const PULSES = 13;

/** Whether a raw frame may begin here. */
export function beginsRawFrame(byte: number | undefined): boolean {
  return byte !== undefined && byte >> 4 === RAW_MAGIC;
}

/** @returns null for bytes that are no frame */
export function unpackRaw(bytes: Uint8Array, offset: number): GsmFrame | null {
  if (!beginsRawFrame(bytes[offset])) return null;
  return readFrame(mostSignificantFirst(bytes, offset * 8 + 4));
}

/** Both frames of a block. */
export function unpackWavBlock(bytes: Uint8Array, offset: number): [GsmFrame, GsmFrame] {
  const take = leastSignificantFirst(bytes, offset * 8);
  return [readFrame(take), readFrame(take)];
}

/** Gives the next so many bits as a number. */
type TakeBits = (count: number) => number;

function mostSignificantFirst(bytes: Uint8Array, start: number): TakeBits {
  let at = start;
  return (count) => {
    let value = 0;
    for (let n = 0; n < count; n++, at++) value = (value << 1) | ((bytes[at >> 3]! >> (7 - (at & 7))) & 1);
    return value;
  };
}

function leastSignificantFirst(bytes: Uint8Array, start: number): TakeBits {
  let at = start;
  return (count) => {
    let value = 0;
    for (let n = 0; n < count; n++, at++) value |= ((bytes[at >> 3]! >> (at & 7)) & 1) << n;
    return value;
  };
}

function readFrame(take: TakeBits): GsmFrame {
  const lar = Uint8Array.from(LAR_BITS, (bits) => take(bits));
  const subframes: GsmSubframe[] = [];
  for (let n = 0; n < SUBFRAMES; n++) {
    const [lag, gain, grid, amplitude] = [take(7), take(2), take(2), take(6)] as const;
    subframes.push({ lag, gain, grid, amplitude, pulses: Uint8Array.from({ length: PULSES }, () => take(3)) });
  }
  return { lar, subframes };
}
