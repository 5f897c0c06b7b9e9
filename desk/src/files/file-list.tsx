/** The list of files: one stop of the tab key, arrows within. */

import { useEffect, useRef, useState } from 'preact/hooks';
import type { FileView, RecipientView } from '../../../lib/desk/protocol.ts';
import { bytes, count, holder, integer } from '../format.ts';

interface Props {
  files: FileView[];
  recipients: RecipientView[];
  held: ReadonlySet<string>;
  /** Files that proved to be damaged when they were opened. */
  damaged: ReadonlySet<number>;
  selected: number | null;
  onSelect(id: number): void;
}

/** Rows that are drawn at first, and with each press of the button. */
const ROWS = 200;

export function FileList({ files, recipients, held, damaged, selected, onSelect }: Props) {
  const [rows, setRows] = useState(ROWS);
  const list = useRef<HTMLDivElement>(null);
  const shown = files.slice(0, rows);
  useEffect(
    () => list.current?.querySelector('[aria-selected="true"]')?.scrollIntoView({ block: 'nearest' }),
    [selected],
  );

  const onKeyDown = (event: KeyboardEvent) => {
    const at = shown.findIndex(({ id }) => id === selected);
    const to = { ArrowDown: at + 1, ArrowUp: Math.max(0, at - 1), Home: 0, End: shown.length - 1 }[event.key];
    const file = to === undefined ? undefined : shown[Math.min(to, shown.length - 1)];
    if (file === undefined) return;
    event.preventDefault();
    onSelect(file.id);
  };
  const onClick = ({ target }: MouseEvent) => {
    const row = (target as Element).closest<HTMLElement>('[data-file]');
    if (row === null) return;
    onSelect(Number(row.dataset.file));
    list.current?.focus();
  };
  return (
    <>
      <div
        ref={list}
        class="files"
        role="listbox"
        aria-label="Encrypted files"
        tabIndex={0}
        aria-activedescendant={selected === null ? undefined : `file-${selected}`}
        onKeyDown={onKeyDown}
        onClick={onClick}
      >
        {shown.map((file) => (
          <div
            key={file.id}
            id={`file-${file.id}`}
            data-file={file.id}
            class="file"
            role="option"
            tabIndex={-1}
            aria-selected={file.id === selected}
          >
            <Row file={file} recipients={recipients} badge={badgeOf(file, recipients, held, damaged)} />
          </div>
        ))}
      </div>
      {files.length > rows && (
        <button type="button" class="quiet wide" onClick={() => setRows(rows + ROWS)}>
          Show more ({count(files.length - rows, 'file')} not shown)
        </button>
      )}
    </>
  );
}

function Row({
  file,
  recipients,
  badge: { kind, text },
}: {
  file: FileView;
  recipients: RecipientView[];
  badge: Badge;
}) {
  const folder = file.name.slice(0, file.name.lastIndexOf('/') + 1);
  return (
    <>
      <span class="name">
        {folder !== '' && <span class="folder">{folder}</span>}
        {file.name.slice(folder.length)}
      </span>
      <span class={`badge ${kind}`}>{text}</span>
      <span class="facts">
        {namesOf(file, recipients)}
        {file.bytes > 0 && ` · ${bytes(file.bytes)}`}
      </span>
    </>
  );
}

function namesOf(file: FileView, recipients: RecipientView[]): string {
  const number = file.recipients.length + file.unlisted;
  if (file.recipients.length === 0) return number === 0 ? 'no recipients to show' : `for ${integer(number)} recipients`;
  const names = file.recipients.slice(0, 3).map((place) => {
    const certificate = recipients[place]?.certificate;
    return certificate ? holder(certificate.subject) : 'a bare public key';
  });
  const more = number - names.length;
  return `for ${names.join(', ')}${more > 0 ? ` and ${integer(more)} more` : ''}`;
}

interface Badge {
  kind: string;
  text: string;
}

const STATE_WORDS: Record<FileView['state'], Badge> = {
  complete: { kind: 'plain', text: 'no key yet' },
  truncated: { kind: 'warn', text: 'incomplete' },
  damaged: { kind: 'bad', text: 'damaged' },
  unsupported: { kind: 'bad', text: 'other release' },
  'not-callseal': { kind: 'bad', text: 'not encrypted' },
  unreadable: { kind: 'bad', text: 'unreadable' },
};

function badgeOf(
  file: FileView,
  recipients: RecipientView[],
  held: ReadonlySet<string>,
  damaged: ReadonlySet<number>,
): Badge {
  if (damaged.has(file.id)) return STATE_WORDS.damaged;
  if (file.state !== 'complete' || !isHeld(file, recipients, held)) return STATE_WORDS[file.state];
  return { kind: 'good', text: 'key held' };
}

/** Whether one of the open keys fits, as the file says itself. */
export function isHeld(file: FileView, recipients: RecipientView[], held: ReadonlySet<string>): boolean {
  return file.recipients.some((place) => held.has(recipients[place]?.keyId ?? ''));
}
