/** Files, keys, and what is in the file that is chosen: the tuning workflow from left to right. */

import { useMemo, useState } from 'preact/hooks';
import type { DeskInfo } from '../../../lib/desk/protocol.ts';
import type { DeskApi } from '../api.ts';
import { count, integer } from '../format.ts';
import { KeyPanel } from '../keys/key-panel.tsx';
import { useKeys } from '../keys/use-keys.ts';
import { AddFiles } from './add-files.tsx';
import { FileDetail } from './file-detail.tsx';
import { FileList, isHeld } from './file-list.tsx';
import { SaveAll } from './save-all.tsx';
import { useFiles } from './use-files.ts';
import { useUpload } from './use-upload.ts';

/** `call-9` before `call-10`. */
const BY_NAME = new Intl.Collator('en', { numeric: true });

export function FilesPage({ api, info }: { api: DeskApi; info: DeskInfo }) {
  const { files, rescan, ask, remove } = useFiles(api);
  const keys = useKeys(api);
  const [selected, setSelected] = useState<number | null>(null);
  const [damaged, setDamaged] = useState<ReadonlySet<number>>(new Set());
  const [filter, setFilter] = useState('');
  const uploading = useUpload(
    api,
    (file) => {
      void ask().catch(() => undefined);
      setSelected((now) => now ?? file.id);
    },
    keys.choose,
  );
  const shown = useMemo(() => {
    const wanted = filter.toLowerCase();
    const found = files.list.filter(({ name }) => name.toLowerCase().includes(wanted));
    return found.sort((a, b) => BY_NAME.compare(a.name, b.name));
  }, [files.list, filter]);
  const openable = shown.filter((file) => file.state === 'complete' && isHeld(file, files.recipients, keys.held));
  const file = files.list.find(({ id }) => id === selected);

  return (
    <main class="columns">
      <h1 class="unseen">Encrypted files</h1>
      <section class="card side" aria-label="Files">
        <AddFiles {...uploading} />
        <div class="row">
          <input
            type="search"
            class="grow"
            placeholder="Find by name"
            aria-label="Find by name"
            value={filter}
            onInput={(event) => setFilter(event.currentTarget.value)}
          />
          {info.roots.length > 0 && (
            <button type="button" class="quiet" disabled={files.scanning} onClick={() => void rescan()}>
              Look again
            </button>
          )}
        </div>
        <p class="facts" role="status">
          {files.scanning && info.roots.length > 0 ? 'Looking through the folders: ' : ''}
          {count(shown.length, 'encrypted file')}
          {openable.length > 0 && `, ${integer(openable.length)} for which you hold a key`}
          {files.passedOver > 0 && `; ${count(files.passedOver, 'other file')} not shown`}
          {files.closed > 0 && `; ${count(files.closed, 'folder')} cannot be read by this user`}
          {files.more && '; there are more than the desk lists: name a smaller folder'}
        </p>
        {shown.length > 0 && (
          <FileList
            files={shown}
            recipients={files.recipients}
            held={keys.held}
            damaged={damaged}
            selected={selected}
            onSelect={setSelected}
          />
        )}
        <SaveAll api={api} outputDir={info.outputDir} files={openable} />
      </section>
      <div class="work">
        <KeyPanel {...keys} forgetSeconds={info.forgetSeconds} files={files} />
        {file === undefined ? (
          <section class="card empty" aria-label="The file">
            <h2>{files.list.length === 0 ? 'No files yet' : 'No file chosen'}</h2>
            <p>
              {files.list.length === 0
                ? 'Drop encrypted files on this page. You see for whom each was encrypted before you give any key.'
                : 'Choose a file on the left to see for whom it was encrypted, and to open it.'}
            </p>
          </section>
        ) : (
          <FileDetail
            key={file.id}
            api={api}
            file={file}
            recipients={files.recipients}
            held={keys.held}
            onDamaged={() => setDamaged((now) => new Set(now).add(file.id))}
            onRemove={() => {
              setSelected(null);
              void remove(file.id);
            }}
          />
        )}
      </div>
    </main>
  );
}
