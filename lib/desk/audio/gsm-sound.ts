/** Any part of a GSM recording, without decoding all that is before it. */

import type { Content } from './content.ts';
import { GSM_FRAME_SAMPLES, GsmDecoder } from './gsm-decoder.ts';
import { type GsmFrame, RAW_FRAME_BYTES, unpackRaw, unpackWavBlock, WAV_BLOCK_BYTES } from './gsm-frame.ts';

/**
 * What is decoded before the part that was asked for, as each frame depends on those before: one second, after which a
 * decoder that began in the middle is where one that began at the beginning is, as far as anybody can hear.
 */
const LEAD_FRAMES = 50;

const SAMPLE_BYTES = 2;

/**
 * Decoded samples, 16 bits, little-endian.
 *
 * @param packing `raw`: frames of 33 bytes. `wav`: blocks of 65 bytes with two frames.
 * @param start Where the recording begins in the content.
 * @param from The first byte of samples, `to` the one behind the last.
 */
export async function readGsm(
  content: Content,
  packing: 'raw' | 'wav',
  start: number,
  from: number,
  to: number,
): Promise<Uint8Array> {
  const [unitBytes, unitFrames] = packing === 'raw' ? [RAW_FRAME_BYTES, 1] : [WAV_BLOCK_BYTES, 2];
  const samplesOfUnit = unitFrames * GSM_FRAME_SAMPLES * SAMPLE_BYTES;
  const firstUnit = Math.floor(from / samplesOfUnit);
  const leadUnit = Math.max(0, firstUnit - LEAD_FRAMES / unitFrames);
  const endUnit = Math.ceil(to / samplesOfUnit);
  const bytes = await content.readRange(start + leadUnit * unitBytes, start + endUnit * unitBytes);
  const units = Math.floor(bytes.length / unitBytes);
  const samples = new Int16Array(units * unitFrames * GSM_FRAME_SAMPLES);
  const decoder = new GsmDecoder();
  for (let unit = 0; unit < units; unit++) {
    const frames = packing === 'raw' ? [unpackRaw(bytes, unit * unitBytes)] : unpackWavBlock(bytes, unit * unitBytes);
    for (const [index, frame] of frames.entries()) {
      decodeInto(decoder, frame, samples, (unit * unitFrames + index) * GSM_FRAME_SAMPLES);
    }
  }
  const skipped = from - leadUnit * samplesOfUnit;
  return littleEndian(samples).subarray(skipped, skipped + to - from);
}

/** Bytes that are no frame are a silence of the same length. */
function decodeInto(decoder: GsmDecoder, frame: GsmFrame | null, samples: Int16Array, at: number): void {
  if (frame !== null) decoder.decode(frame, samples.subarray(at, at + GSM_FRAME_SAMPLES));
}

function littleEndian(samples: Int16Array): Uint8Array {
  const bytes = new Uint8Array(samples.length * SAMPLE_BYTES);
  const view = new DataView(bytes.buffer);
  for (const [index, sample] of samples.entries()) view.setInt16(index * SAMPLE_BYTES, sample, true);
  return bytes;
}
