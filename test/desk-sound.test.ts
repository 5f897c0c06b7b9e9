/** Recordings become WAV files: bit by bit what the reference decoders make of them, and never more than is there. */

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Content } from '../lib/desk/audio/content.ts';
import { guessKind } from '../lib/desk/audio/kind.ts';
import { openSound, type SoundFormat } from '../lib/desk/audio/sound.ts';
import { parseWav, wavHeader } from '../lib/desk/audio/wav-header.ts';
import { codeOf } from './helpers/errors.ts';

const FIXTURES = join(import.meta.dirname, 'fixtures/desk');
const HEADER = 44;
/** What libgsm makes of the two recordings, and SoX of all codes of G.711. */
const GSM_SHA256 = '60deac2c43e9ce8e777d4381bc3e6141bffd54c097a758366edb2ac1e5344f72';
const ULAW_SHA256 = '3dab54339e520bb2c924826e3b72a917a2b612e9fd12fc867500f1d983a75827';
const ALAW_SHA256 = 'e04788d110e58ff8c70c93b8480190d973e3b67876b6119abbaec766cc75c174';

const ALL_CODES = Uint8Array.from({ length: 256 }, (_, code) => code);
const fixture = (name: string): Buffer => readFileSync(join(FIXTURES, name));

/** Bytes that also say how much of them was read. */
function contentOf(bytes: Uint8Array): Content & { read: number } {
  return {
    size: bytes.length,
    read: 0,
    async readRange(start, end) {
      expect(start >= 0 && start <= end && end <= bytes.length).toBe(true);
      this.read += end - start;
      return bytes.subarray(start, end);
    },
  };
}

async function samplesOf(bytes: Uint8Array, format: SoundFormat): Promise<Uint8Array> {
  const sound = await openSound(contentOf(bytes), format);
  return sound.readRange(HEADER, sound.size);
}

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

describe('what is decoded', () => {
  it('is what libgsm decodes, in both packings of GSM 06.10', async () => {
    expect(sha256(await samplesOf(fixture('tones.gsm'), 'gsm'))).toBe(GSM_SHA256);
    expect(sha256(await samplesOf(fixture('tones-49.wav'), 'wav'))).toBe(GSM_SHA256);
  });

  it('is what G.711 says of every code', async () => {
    expect(sha256(await samplesOf(ALL_CODES, 'ulaw'))).toBe(ULAW_SHA256);
    expect(sha256(await samplesOf(ALL_CODES, 'alaw'))).toBe(ALAW_SHA256);
  });

  it('is announced with the right length', async () => {
    const sound = await openSound(contentOf(fixture('tones.gsm')), 'gsm');
    expect(sound).toMatchObject({ seconds: 4, size: HEADER + 64_000, description: 'GSM 06.10, 8 kHz, mono' });
    const header = await sound.readRange(0, HEADER);
    expect(parseWav(header, sound.size)).toEqual({
      ...{ tag: 1, channels: 1, sampleRate: 8000, bitsPerSample: 16, start: HEADER },
      end: HEADER + 64_000,
    });
  });

  it('does not depend on the parts in which it is read', async () => {
    for (const [name, format] of [
      ['tones.gsm', 'gsm'],
      ['tones-49.wav', 'wav'],
      ['tones.gsm', 'ulaw'],
    ] as const) {
      const sound = await openSound(contentOf(fixture(name)), format);
      const whole = Buffer.from(await sound.readRange(0, sound.size));
      for (const [start, end] of [
        [0, 1],
        [43, 47],
        [45, 46],
        [50, 12_345],
        [44 + 31_999, 44 + 32_003],
        [sound.size - 1, sound.size],
      ] as const) {
        if (end > sound.size) continue;
        const part = Buffer.from(await sound.readRange(start, end));
        expect(part.length).toBe(end - start);
        expect([name, start, part.equals(whole.subarray(start, end))]).toEqual([name, start, true]);
      }
    }
  });

  it('is not decoded from the beginning when the end is asked for', async () => {
    const frames = Buffer.concat(Array.from({ length: 100 }, () => fixture('tones.gsm')));
    const content = contentOf(frames);
    const sound = await openSound(content, 'gsm');
    content.read = 0;
    await sound.readRange(sound.size - 1000, sound.size);
    expect(content.read).toBeLessThan(60 * 33);
  });
});

describe('a WAV header', () => {
  const pcm = { tag: 1, channels: 2, sampleRate: 16_000, bitsPerSample: 16 } as const;
  const file = (patch: (header: Buffer) => void = () => {}, sound = Buffer.alloc(64_000, 7)) => {
    const header = wavHeader(pcm, sound.length);
    patch(header);
    return Buffer.concat([header, sound]);
  };

  it('is written anew, so that the browser sees none that a stranger made', async () => {
    const odd = Buffer.concat([file().subarray(0, 12), Buffer.from('junk\x05\0\0\0hello\0'), file().subarray(12)]);
    const sound = await openSound(contentOf(odd), 'wav');
    expect(sound).toMatchObject({ size: HEADER + 64_000, seconds: 1, description: 'WAV: 16-bit PCM, 16 kHz, stereo' });
    expect(Buffer.from(await sound.readRange(0, sound.size)).equals(file())).toBe(true);
  });

  it('of a recording that was cut, or is still written, gives what is there', async () => {
    const cut = await openSound(contentOf(file().subarray(0, HEADER + 32_001)), 'wav');
    expect(cut).toMatchObject({ size: HEADER + 32_000, seconds: 0.5 });
    for (const told of [0, 0xffffffff]) {
      const live = await openSound(contentOf(file((header) => header.writeUInt32LE(told, 40))), 'wav');
      expect(live.seconds).toBe(1);
    }
  });

  it('that makes no sense is refused', async () => {
    const cases: [string, Buffer][] = [
      ['no channels', file((header) => header.writeUInt16LE(0, 22))],
      ['65535 channels', file((header) => header.writeUInt16LE(65_535, 22))],
      ['no rate', file((header) => header.writeUInt32LE(0, 24))],
      ['odd bits', file((header) => header.writeUInt16LE(13, 34))],
      ['another codec', file((header) => header.writeUInt16LE(0x55, 20))],
      ['GSM in stereo', file((header) => header.writeUInt16LE(49, 20))],
      ['no sound', file().subarray(0, 36)],
      ['a format that is cut', file().subarray(0, 20)],
      ['no format', Buffer.concat([file().subarray(0, 12), file().subarray(36)])],
      ['no WAV at all', Buffer.from('RIFFxxxxAVI LIST')],
    ];
    for (const [what, bytes] of cases) {
      expect([what, await codeOf(() => openSound(contentOf(bytes), 'wav'))]).toEqual([what, 'ERR_INVALID_ARGUMENT']);
    }
  });

  it('never leads out of the file', async () => {
    const whole = file();
    for (let at = 0; at < HEADER; at++) {
      for (const value of [0, 0x7f, 0xff]) {
        const bytes = Buffer.from(whole);
        bytes[at] = value;
        const sound = await openSound(contentOf(bytes), 'wav').catch(() => null);
        if (sound === null) continue;
        expect(sound.size).toBeLessThanOrEqual(HEADER + 2 * whole.length);
        await sound.readRange(0, sound.size);
      }
    }
  });
});

it('silence stands for bytes that are no GSM frame', async () => {
  const frames = Buffer.from(fixture('tones.gsm'));
  frames[33] = 0;
  const samples = Buffer.from(await samplesOf(frames, 'gsm'));
  expect(samples.length).toBe(64_000);
  expect(samples.subarray(320, 640).every((byte) => byte === 0)).toBe(true);
  expect(samples.subarray(0, 320).every((byte) => byte === 0)).toBe(false);
});

it('content is guessed from its name and its beginning', () => {
  const text = Buffer.from('<?xml version="1.0"?>\n<result>Zürich</result>\n');
  const kind = (name: string, bytes: Uint8Array, size = bytes.length) => guessKind(name, bytes, size);
  expect(kind('a.bin', wavHeader({ tag: 1, channels: 1, sampleRate: 8000, bitsPerSample: 16 }, 0))).toEqual({
    view: 'sound',
    format: 'wav',
  });
  expect(kind('a.ULAW', ALL_CODES)).toEqual({ view: 'sound', format: 'ulaw' });
  expect(kind('a.callsre', fixture('tones.gsm'))).toEqual({ view: 'sound', format: 'gsm' });
  expect(kind('a.xml', text)).toEqual({ view: 'text' });
  expect(kind('a', text.subarray(0, 32), text.length)).toEqual({ view: 'text' });
  expect(kind('a', text.subarray(0, text.indexOf('ü') + 1), text.length)).toEqual({ view: 'text' });
  expect(kind('a', text.subarray(0, text.indexOf('ü') + 1))).toEqual({ view: 'binary' });
  expect(kind('a.callsre', ALL_CODES)).toEqual({ view: 'binary' });
  expect(kind('a', new Uint8Array(0))).toEqual({ view: 'text' });
});
