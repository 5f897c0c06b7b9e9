/**
 * The GSM 06.10 full-rate decoder (ETSI EN 300 961, section 5.3), in the 16-bit arithmetic that the standard prescribes
 * bit by bit. Written here as no JavaScript package of it is kept, and because what it reads may be hostile: there is
 * nothing in it to overrun.
 */

import type { GsmFrame, GsmSubframe } from './gsm-frame.ts';

/** Samples of a frame: 20 ms at 8 kHz. */
export const GSM_FRAME_SAMPLES = 160;

const SUBFRAME_SAMPLES = 40;
const LONGEST_LAG = 120;
const SHORTEST_LAG = 40;
const ORDER = 8;

/** Table 4.1 and 4.2: of the log area ratios. */
const LAR_OFFSET = [0, 0, 2048, -2560, 94, -1792, -341, -1144];
const LAR_LEAST = [-32, -32, -16, -16, -8, -8, -4, -4];
const LAR_INVERSE_SLOPE = [13107, 13107, 13107, 13107, 19223, 17476, 31454, 29708];
/** Table 4.3b: gains of the long-term predictor. */
const LTP_GAIN = [3277, 11469, 21299, 32767];
/** Table 4.6: normalised mantissas of the block amplitude. */
const MANTISSA = [18431, 20479, 22527, 24575, 26623, 28671, 30719, 32767];
const DE_EMPHASIS = 28180;
/** Which samples use which mixture of the ratios before and those of this frame (table 4.4). */
const INTERPOLATION = [
  { until: 13, mix: (old: number, now: number) => add(add(old >> 2, now >> 2), old >> 1) },
  { until: 27, mix: (old: number, now: number) => add(old >> 1, now >> 1) },
  { until: 40, mix: (old: number, now: number) => add(add(old >> 2, now >> 2), now >> 1) },
  { until: GSM_FRAME_SAMPLES, mix: (_old: number, now: number) => now },
] as const;

/** Decodes the frames of one recording, in order: each depends on those before it. */
export class GsmDecoder {
  /** 120 samples of excitation that went before, then 40 of this subframe. */
  readonly #excitation = new Int16Array(LONGEST_LAG + SUBFRAME_SAMPLES);
  readonly #lattice = new Int16Array(ORDER + 1);
  readonly #residual = new Int16Array(GSM_FRAME_SAMPLES);
  #ratios: number[] = new Array<number>(ORDER).fill(0);
  #lag = SHORTEST_LAG;
  #emphasis = 0;

  /** Writes 160 samples of 16 bits. */
  decode(frame: GsmFrame, into: Int16Array): void {
    for (const [index, subframe] of frame.subframes.entries()) {
      this.#excite(subframe);
      const current = this.#excitation.subarray(LONGEST_LAG);
      this.#residual.set(current, index * SUBFRAME_SAMPLES);
      this.#excitation.copyWithin(0, SUBFRAME_SAMPLES);
    }
    this.#synthesise(frame.lar, into);
    for (let k = 0; k < GSM_FRAME_SAMPLES; k++) {
      this.#emphasis = add(into[k]!, multiply(this.#emphasis, DE_EMPHASIS));
      into[k] = add(this.#emphasis, this.#emphasis) & ~7;
    }
  }

  /** Sections 5.3.1 and 5.3.2: the pulses, and what of the excitation before is added to them. */
  #excite({ lag, gain, grid, amplitude, pulses }: GsmSubframe): void {
    const excitation = this.#excitation;
    if (lag >= SHORTEST_LAG && lag <= LONGEST_LAG) this.#lag = lag;
    excitation.fill(0, LONGEST_LAG);
    const decoded = decodePulses(amplitude, pulses);
    for (const [index, pulse] of decoded.entries()) excitation[LONGEST_LAG + grid + 3 * index] = pulse;
    for (let k = LONGEST_LAG; k < excitation.length; k++) {
      excitation[k] = add(excitation[k]!, multiply(LTP_GAIN[gain]!, excitation[k - this.#lag]!));
    }
  }

  /** Section 5.3.3 and 5.3.4: the filter of the vocal tract. */
  #synthesise(lar: Uint8Array, into: Int16Array): void {
    const before = this.#ratios;
    const now = Array.from(lar, decodeRatio);
    let at = 0;
    for (const { until, mix } of INTERPOLATION) {
      const reflection = now.map((ratio, index) => reflectionOf(mix(before[index]!, ratio)));
      for (; at < until; at++) into[at] = this.#filter(reflection, this.#residual[at]!);
    }
    this.#ratios = now;
  }

  #filter(reflection: readonly number[], sample: number): number {
    const lattice = this.#lattice;
    let out = sample;
    for (let i = ORDER - 1; i >= 0; i--) {
      const r = reflection[i]!;
      out = subtract(out, multiply(r, lattice[i]!));
      lattice[i + 1] = add(lattice[i]!, multiply(r, out));
    }
    lattice[0] = out;
    return out;
  }
}

/** Section 5.2.16. */
function decodePulses(amplitude: number, pulses: Uint8Array): number[] {
  let exponent = amplitude > 15 ? (amplitude >> 3) - 1 : 0;
  let mantissa = amplitude - (exponent << 3);
  if (mantissa === 0) {
    exponent = -4;
    mantissa = 7;
  } else {
    while (mantissa <= 7) {
      mantissa = (mantissa << 1) | 1;
      exponent -= 1;
    }
    mantissa -= 8;
  }
  const shift = 6 - exponent;
  const half = shift === 0 ? 0 : 1 << (shift - 1);
  return Array.from(pulses, (pulse) => add(multiply(MANTISSA[mantissa]!, (2 * pulse - 7) << 12), half) >> shift);
}

/** Section 5.2.8. */
function decodeRatio(code: number, index: number): number {
  const steps = add(code, LAR_LEAST[index]!) << 10;
  const ratio = multiply(LAR_INVERSE_SLOPE[index]!, subtract(steps, LAR_OFFSET[index]! * 2));
  return add(ratio, ratio);
}

/** Section 5.2.9.2. */
function reflectionOf(ratio: number): number {
  const size = Math.min(Math.abs(ratio), 32767);
  const reflection = size < 11059 ? size << 1 : size < 20070 ? size + 11059 : add(size >> 2, 26112);
  return ratio < 0 ? -reflection : reflection;
}

function add(a: number, b: number): number {
  return saturate(a + b);
}

function subtract(a: number, b: number): number {
  return saturate(a - b);
}

/** The product of two fractions of 16 bits, rounded. */
function multiply(a: number, b: number): number {
  return saturate((a * b + 16384) >> 15);
}

function saturate(value: number): number {
  return value > 32767 ? 32767 : value < -32768 ? -32768 : value;
}
