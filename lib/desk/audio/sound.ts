/** Decrypted sound as a WAV file that every browser plays, made in parts as they are asked for. */

import { CallsealError } from '../../errors.ts';
import type { Content } from './content.ts';
import { expand } from './g711.ts';
import { GSM_FRAME_SAMPLES } from './gsm-decoder.ts';
import { RAW_FRAME_BYTES, WAV_BLOCK_BYTES } from './gsm-frame.ts';
import { readGsm } from './gsm-sound.ts';
import { type PcmLayout, parseWav, WAV_HEAD_BYTES, type WavLayout, wavHeader } from './wav-header.ts';

/** How bytes are to be heard. */
export type SoundFormat = 'wav' | 'ulaw' | 'alaw' | 'gsm' | 'pcm8k' | 'pcm16k';

/** A WAV file that is made while it is read. */
export interface Sound {
  /** What it is made from, for people: `G.711 µ-law, 8 kHz, mono`. */
  readonly description: string;
  readonly seconds: number;
  /** Of the WAV file. */
  readonly size: number;
  /** The bytes of the WAV file from `start` to before `end`, both within it. */
  readRange(start: number, end: number): Promise<Uint8Array>;
}

/** A stretch of the content, and how it becomes samples. */
interface Samples {
  pcm: PcmLayout;
  /** Bytes of samples. */
  length: number;
  /** Bytes from `start` to before `end`. */
  read(start: number, end: number): Promise<Uint8Array>;
}

const TELEPHONE = { tag: 1, channels: 1, sampleRate: 8000, bitsPerSample: 16 } as const;
const WIDEBAND = { ...TELEPHONE, sampleRate: 16_000 } as const;
const MAX_CHANNELS = 8;
const SAMPLE_RATES = { least: 1000, most: 192_000 };

/** @throws {CallsealError} `ERR_INVALID_ARGUMENT` for bytes that cannot be heard so. */
export async function openSound(content: Content, format: SoundFormat): Promise<Sound> {
  const whole = { start: 0, end: content.size };
  switch (format) {
    case 'wav':
      return openWav(content);
    case 'ulaw':
    case 'alaw':
      return soundOf(`${LAW_NAMES[format]}, 8 kHz, mono`, companded(content, format, whole, TELEPHONE));
    case 'gsm':
      return soundOf('GSM 06.10, 8 kHz, mono', gsm(content, 'raw', whole));
    case 'pcm8k':
      return soundOf('16-bit PCM, 8 kHz, mono', linear(content, whole, TELEPHONE));
    case 'pcm16k':
      return soundOf('16-bit PCM, 16 kHz, mono', linear(content, whole, WIDEBAND));
  }
}

const LAW_NAMES = { ulaw: 'G.711 µ-law', alaw: 'G.711 A-law' } as const;

async function openWav(content: Content): Promise<Sound> {
  const head = await content.readRange(0, Math.min(content.size, WAV_HEAD_BYTES));
  const layout = parseWav(head, content.size);
  if (layout === null) throw notPlayable('its WAV header does not say where the sound is');
  const { channels, sampleRate } = layout;
  const rateFits = sampleRate >= SAMPLE_RATES.least && sampleRate <= SAMPLE_RATES.most;
  if (channels < 1 || channels > MAX_CHANNELS || !rateFits) {
    throw notPlayable(`its WAV header says ${channels} channels at ${sampleRate} Hz`);
  }
  const { name, samples } = samplesOf(content, layout);
  const voices = channels === 1 ? 'mono' : channels === 2 ? 'stereo' : `${channels} channels`;
  return soundOf(`WAV: ${name}, ${sampleRate / 1000} kHz, ${voices}`, samples);
}

function samplesOf(content: Content, layout: WavLayout): { name: string; samples: Samples } {
  const { tag, channels, sampleRate, bitsPerSample } = layout;
  const wide = { tag: 1, channels, sampleRate, bitsPerSample: 16 } as const;
  if (tag === 6) return { name: LAW_NAMES.alaw, samples: companded(content, 'alaw', layout, wide) };
  if (tag === 7) return { name: LAW_NAMES.ulaw, samples: companded(content, 'ulaw', layout, wide) };
  if (tag === 49 && channels === 1) {
    return { name: 'GSM 06.10', samples: gsm(content, 'wav', layout, { ...TELEPHONE, sampleRate }) };
  }
  const pcm = { tag, channels, sampleRate, bitsPerSample };
  if (tag === 1 && [8, 16, 24, 32].includes(bitsPerSample)) {
    return { name: `${bitsPerSample}-bit PCM`, samples: linear(content, layout, pcm as PcmLayout) };
  }
  if (tag === 3 && bitsPerSample === 32) {
    return { name: '32-bit floating point', samples: linear(content, layout, pcm as PcmLayout) };
  }
  throw notPlayable(`its WAV format (tag ${tag}, ${bitsPerSample} bits) is not one that the desk plays`);
}

function soundOf(description: string, { pcm, length, read }: Samples): Sound {
  const header = wavHeader(pcm, length);
  const blockBytes = (pcm.channels * pcm.bitsPerSample) / 8;
  return {
    description,
    seconds: length / blockBytes / pcm.sampleRate,
    size: header.length + length,
    async readRange(start, end) {
      const parts: Uint8Array[] = [];
      if (start < header.length) parts.push(header.subarray(start, Math.min(end, header.length)));
      const from = Math.max(0, start - header.length);
      const to = end - header.length;
      if (to > from) parts.push(await read(from, to));
      return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
    },
  };
}

/** Where in the content. */
interface Stretch {
  start: number;
  end: number;
}

function linear(content: Content, { start, end }: Stretch, pcm: PcmLayout): Samples {
  const blockBytes = (pcm.channels * pcm.bitsPerSample) / 8;
  const length = Math.floor((end - start) / blockBytes) * blockBytes;
  return { pcm, length, read: (from, to) => content.readRange(start + from, start + to) };
}

function companded(content: Content, law: 'ulaw' | 'alaw', { start, end }: Stretch, pcm: PcmLayout): Samples {
  const read = async (from: number, to: number): Promise<Uint8Array> => {
    const first = Math.floor(from / 2);
    const wide = expand(law, await content.readRange(start + first, start + Math.ceil(to / 2)));
    return wide.subarray(from - 2 * first, to - 2 * first);
  };
  const length = Math.floor((end - start) / pcm.channels) * pcm.channels * 2;
  return { pcm, length, read };
}

function gsm(content: Content, packing: 'raw' | 'wav', stretch: Stretch, pcm: PcmLayout = TELEPHONE): Samples {
  const unit = packing === 'raw' ? RAW_FRAME_BYTES : WAV_BLOCK_BYTES;
  const frames = Math.floor((stretch.end - stretch.start) / unit) * (packing === 'raw' ? 1 : 2);
  return {
    pcm,
    length: frames * GSM_FRAME_SAMPLES * 2,
    read: (from, to) => readGsm(content, packing, stretch.start, from, to),
  };
}

function notPlayable(why: string): CallsealError {
  return new CallsealError('ERR_INVALID_ARGUMENT', `this cannot be played: ${why}`);
}
