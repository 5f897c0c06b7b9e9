/** One file: for whom it is, whether it is complete, and its content once a key is there. */

import { useEffect, useRef, useState } from 'preact/hooks';
import type { FileView, OpenedView, Problem, RecipientView } from '../../../lib/desk/protocol.ts';
import type { DeskApi } from '../api.ts';
import { ContentPanel } from '../content/content-panel.tsx';
import { bytes, time } from '../format.ts';
import { Notice, ProblemNotice } from '../notice.tsx';
import { problemOf } from '../problem.ts';
import { isHeld } from './file-list.tsx';
import { Recipients } from './recipients.tsx';

interface Props {
  api: DeskApi;
  file: FileView;
  recipients: RecipientView[];
  held: ReadonlySet<string>;
  onDamaged(): void;
  onRemove(): void;
}

export function FileDetail({ api, file, recipients, held, onDamaged, onRemove }: Props) {
  const [opened, setOpened] = useState<OpenedView | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [opening, setOpening] = useState(false);
  const gone = useRef(false);
  useEffect(() => {
    return () => {
      gone.current = true;
    };
  }, []);
  const fits = isHeld(file, recipients, held);

  const open = async (recover: boolean) => {
    setOpening(true);
    setProblem(null);
    try {
      const found = await api.open(file.id, recover);
      if (gone.current) await api.closeContent(found.handle);
      else setOpened(found);
    } catch (error) {
      const found = problemOf(error);
      setProblem(found);
      if (found.code === 'ERR_TAMPERED') onDamaged();
    }
    setOpening(false);
  };
  /** Its key was forgotten, and with that it was closed. */
  const lost = opened !== null && !held.has(opened.keyId);
  // A complete file whose key is there needs no further word.
  useEffect(() => {
    if (lost) setOpened(null);
    else if (fits && file.state === 'complete' && opened === null) void open(false);
    if (!fits) setProblem(null);
  }, [fits, lost]);
  useEffect(() => {
    const handle = opened?.handle;
    return handle === undefined ? undefined : () => void api.closeContent(handle).catch(() => undefined);
  }, [opened?.handle]);

  const encrypted = file.recipients.length + file.unlisted > 0;
  /** A key may be one of those that the desk does not list. */
  const mayFit = !fits && file.unlisted > 0 && held.size > 0;
  return (
    <section class="card" aria-label="The file">
      <div class="row">
        <h2 class="grow">{file.name}</h2>
        {file.dropped && (
          <button type="button" class="quiet" onClick={onRemove}>
            Take away
          </button>
        )}
      </div>
      <p class="facts">
        {bytes(file.bytes)}
        {file.createdAt !== null && ` · encrypted ${time(file.createdAt)}`}
        {file.signer !== null && ` · claims to be signed by ${file.signer}`}
      </p>
      <StateNotice file={file} />
      {encrypted && (
        <>
          <h3>Encrypted for</h3>
          <Recipients
            recipients={file.recipients.flatMap((place) => recipients[place] ?? [])}
            unlisted={file.unlisted}
            held={held}
          />
        </>
      )}
      {mayFit && opened === null && (
        <button type="button" class="main" disabled={opening} onClick={() => void open(file.state === 'truncated')}>
          Try your keys
        </button>
      )}
      {encrypted && !fits && !mayFit && (
        <Notice kind="plain">
          {held.size === 0
            ? 'Give the private key that belongs to one of these certificates to open the file.'
            : 'None of your open keys belongs to one of these certificates: give another private key.'}
        </Notice>
      )}
      {fits && file.state === 'truncated' && opened === null && (
        <button type="button" class="main" disabled={opening} onClick={() => void open(true)}>
          Open what is there
        </button>
      )}
      {problem !== null && (
        <ProblemNotice problem={problem}>
          <button type="button" onClick={() => void open(file.state === 'truncated')}>
            Try again
          </button>
        </ProblemNotice>
      )}
      {opened !== null && <ContentPanel key={opened.handle} api={api} file={file} opened={opened} />}
    </section>
  );
}

function StateNotice({ file: { state, problem } }: { file: FileView }) {
  if (state === 'complete') return null;
  const code = {
    truncated: 'ERR_TRUNCATED',
    damaged: 'ERR_TAMPERED',
    unsupported: 'ERR_UNSUPPORTED_VERSION',
    'not-callseal': 'ERR_NOT_CALLSEAL',
    unreadable: 'ERR_IO',
  } as const;
  return <ProblemNotice problem={{ code: code[state], message: problem ?? state }} />;
}
