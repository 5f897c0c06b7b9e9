/** Decrypted content: as sound, as text, or byte by byte. */

import { useState } from 'preact/hooks';
import type { FileView, OpenedView, SoundFormat } from '../../../lib/desk/protocol.ts';
import type { DeskApi } from '../api.ts';
import { bytes, shortId } from '../format.ts';
import { Notice } from '../notice.tsx';
import { HexView } from './hex-view.tsx';
import { SaveButton } from './save-button.tsx';
import { SoundView } from './sound-view.tsx';
import { TextView } from './text-view.tsx';

type View = 'sound' | 'text' | 'binary';

const VIEWS: { view: View; label: string }[] = [
  { view: 'sound', label: 'Listen' },
  { view: 'text', label: 'Text' },
  { view: 'binary', label: 'Bytes' },
];

export function ContentPanel({ api, file, opened }: { api: DeskApi; file: FileView; opened: OpenedView }) {
  const [view, setView] = useState<View>(opened.kind.view);
  const [format, setFormat] = useState<SoundFormat>(opened.kind.view === 'sound' ? opened.kind.format : 'ulaw');
  const part = { api, handle: opened.handle, size: opened.bytes };
  return (
    <section class="content" aria-label="Content">
      <div class="row">
        <h3 class="grow">
          {file.plainName} <span class="facts">{bytes(opened.bytes)}</span>
        </h3>
        <SaveButton api={api} file={file} opened={opened} />
      </div>
      {!opened.complete && <Beginning isEmpty={opened.bytes === 0} />}
      {opened.signer !== null && (
        <p class="facts">
          Signed with key <code>{shortId(opened.signer.keyId)}</code>
          {opened.signer.subject !== null && ` of ${opened.signer.subject}`}: the beginning of the signature is right;
          “Check all of it” verifies the rest.
        </p>
      )}
      <div class="row">
        <fieldset class="switch" aria-label="Show as">
          {VIEWS.map((each) => (
            <button key={each.view} type="button" aria-pressed={view === each.view} onClick={() => setView(each.view)}>
              {each.label}
            </button>
          ))}
        </fieldset>
      </div>
      {opened.bytes === 0 ? (
        opened.complete && <p class="facts">The file is empty.</p>
      ) : (
        <>
          {view === 'sound' && <SoundView {...part} format={format} onFormat={setFormat} />}
          {view === 'text' && <TextView {...part} />}
          {view === 'binary' && <HexView {...part} />}
        </>
      )}
    </section>
  );
}

/** Of a file without its end. */
function Beginning({ isEmpty }: { isEmpty: boolean }) {
  return (
    <Notice kind="warn">
      <strong>{isEmpty ? 'Nothing of it can be opened yet' : 'This is the beginning of the file'}</strong>
      <p>
        {isEmpty
          ? 'It ends within its first part, and only whole parts can be authenticated.'
          : 'All of it that is there and authentic. Its end is missing.'}
      </p>
    </Notice>
  );
}
