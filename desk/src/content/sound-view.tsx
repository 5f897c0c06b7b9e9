/** Sound: the browser's own player, which asks the desk for the parts it needs. */

import { useEffect, useState } from 'preact/hooks';
import type { Problem, SoundView as Sound, SoundFormat } from '../../../lib/desk/protocol.ts';
import type { DeskApi } from '../api.ts';
import { duration } from '../format.ts';
import { onBroken } from '../listening.ts';
import { ProblemNotice } from '../notice.tsx';
import { problemOf } from '../problem.ts';

const FORMATS: { format: SoundFormat; label: string }[] = [
  { format: 'wav', label: 'WAV file' },
  { format: 'ulaw', label: 'µ-law, 8 kHz' },
  { format: 'alaw', label: 'A-law, 8 kHz' },
  { format: 'gsm', label: 'GSM 06.10' },
  { format: 'pcm8k', label: '16-bit PCM, 8 kHz' },
  { format: 'pcm16k', label: '16-bit PCM, 16 kHz' },
];

interface Props {
  api: DeskApi;
  handle: string;
  format: SoundFormat;
  onFormat(format: SoundFormat): void;
}

const NOT_PLAYED = {
  code: 'ERR_DESK',
  message: 'the browser cannot play this; is it recorded as something else?',
} as const;

export function SoundView({ api, handle, format, onFormat }: Props) {
  const [sound, setSound] = useState<Sound | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  useEffect(() => {
    let gone = false;
    setSound(null);
    setProblem(null);
    api.sound(handle, format).then(
      (found) => gone || setSound(found),
      (error) => gone || setProblem(problemOf(error)),
    );
    return () => {
      gone = true;
    };
  }, [handle, format]);
  useEffect(() => onBroken(handle, 'sound', setProblem), [handle]);
  /** A player says only that it cannot go on: whether the file is damaged, the desk knows. */
  const explain = () =>
    api.verify(handle).then(
      () => setProblem((now) => now ?? NOT_PLAYED),
      (error) => setProblem(problemOf(error)),
    );
  return (
    <>
      <div class="row">
        <label>
          Recorded as{' '}
          <select value={format} onChange={(event) => onFormat(event.currentTarget.value as SoundFormat)}>
            {FORMATS.map((each) => (
              <option key={each.format} value={each.format}>
                {each.label}
              </option>
            ))}
          </select>
        </label>
        {sound !== null && (
          <span class="facts">
            {sound.description} · {duration(sound.seconds)}
          </span>
        )}
      </div>
      {problem !== null && <ProblemNotice problem={problem} />}
      {sound !== null && (
        // biome-ignore lint/a11y/useMediaCaption: recordings have no captions
        <audio
          key={sound.address}
          controls
          preload="metadata"
          src={sound.address}
          aria-label="Recording"
          onError={() => void explain()}
        />
      )}
    </>
  );
}
