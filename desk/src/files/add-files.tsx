/** How files come to the desk: chosen, by file or by folder, or dropped anywhere on the page. */

import { useEffect, useRef, useState } from 'preact/hooks';
import { bytes, count, integer } from '../format.ts';
import { Notice, ProblemNotice } from '../notice.tsx';
import { type Candidate, chosen, dropped } from './dropping.ts';
import type { Upload } from './use-upload.ts';

interface Props {
  upload: Upload;
  take(candidates: Candidate[]): Promise<void>;
  cancel(): void;
  dismiss(): void;
}

export function AddFiles({ upload, take, cancel, dismiss }: Props) {
  const over = useDropTarget(take);
  return (
    <>
      <div class={`drop ${over ? 'over' : ''}`}>
        <span class="facts">Drop encrypted files or folders on this page, or</span>
        <Chooser label="Add files…" directory={false} take={take} />
        <Chooser label="Add a folder…" directory take={take} />
      </div>
      {upload.running && (
        <div class="row" aria-live="polite">
          <label class="facts" for="sending">
            {integer(upload.done)} of {count(upload.files, 'file')}, {bytes(upload.sent)} of {bytes(upload.bytes)}
          </label>
          <progress id="sending" class="grow" max={upload.bytes} value={upload.sent} />
          <button type="button" onClick={cancel}>
            Stop
          </button>
        </div>
      )}
      {upload.problem !== null && (
        <ProblemNotice problem={upload.problem}>
          <p>
            {integer(upload.left)} of {count(upload.files, 'file')} not sent.
          </p>
        </ProblemNotice>
      )}
      {upload.others.length > 0 && (
        <Notice kind="warn">
          <strong>
            {upload.others.length === 1
              ? `${upload.others[0]} is not an encrypted Callseal file, or cannot be read`
              : `${integer(upload.others.length)} files are not encrypted Callseal files, or cannot be read`}
          </strong>
          <p>Left where it was: nothing of it was sent to the desk.</p>
          <button type="button" class="quiet" onClick={dismiss}>
            Dismiss
          </button>
        </Notice>
      )}
    </>
  );
}

function Chooser({ label, directory, take }: { label: string; directory: boolean } & Pick<Props, 'take'>) {
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    input.current?.toggleAttribute('webkitdirectory', directory);
  }, []);
  const onChange = () => {
    const files = input.current?.files;
    if (files) void take(chosen(files));
    if (input.current) input.current.value = '';
  };
  return (
    <>
      <button type="button" onClick={() => input.current?.click()}>
        {label}
      </button>
      <input ref={input} type="file" multiple hidden aria-label={label} onChange={onChange} />
    </>
  );
}

/** The whole window takes what is dropped. @returns whether something is held over it */
function useDropTarget(take: Props['take']): boolean {
  const [over, setOver] = useState(false);
  useEffect(() => {
    const hold = (event: DragEvent) => {
      event.preventDefault();
      setOver(true);
    };
    const leave = (event: DragEvent) => {
      if (event.relatedTarget === null) setOver(false);
    };
    const drop = (event: DragEvent) => {
      event.preventDefault();
      setOver(false);
      if (event.dataTransfer) void dropped(event.dataTransfer).then(take);
    };
    addEventListener('dragover', hold);
    addEventListener('dragleave', leave);
    addEventListener('drop', drop);
    return () => {
      removeEventListener('dragover', hold);
      removeEventListener('dragleave', leave);
      removeEventListener('drop', drop);
    };
  }, []);
  return over;
}
