/** The files at the desk, as they are found. */

import { useEffect, useRef, useState } from 'preact/hooks';
import type { FileListing, FileView, RecipientView } from '../../../lib/desk/protocol.ts';
import type { DeskApi } from '../api.ts';

const POLL_MILLISECONDS = 250;

export interface Files {
  list: FileView[];
  recipients: RecipientView[];
  scanning: boolean;
  passedOver: number;
  closed: number;
  more: boolean;
}

const NONE: Files = { list: [], recipients: [], scanning: true, passedOver: 0, closed: 0, more: false };

export function useFiles(api: DeskApi) {
  const [files, setFiles] = useState(NONE);
  /** What was told: files below `from`, and so many recipients. Both last as long as the desk. */
  const told = useRef({ from: 0, known: 0 });
  const [round, setRound] = useState(0);

  /** What is new since it was asked last. */
  const ask = async (): Promise<FileListing> => {
    const listing = await api.files(told.current.from, told.current.known);
    const { files: found, recipientsFrom, recipients } = listing;
    told.current = {
      from: Math.max(told.current.from, (found.at(-1)?.id ?? -1) + 1),
      known: Math.max(told.current.known, recipientsFrom + recipients.length),
    };
    setFiles((now) => merge(now, listing));
    return listing;
  };
  useEffect(() => {
    let stopped = false;
    const poll = async () => {
      const listing = await ask().catch(() => null);
      if (!stopped && listing?.scanning) setTimeout(() => void poll(), POLL_MILLISECONDS);
    };
    void poll();
    return () => {
      stopped = true;
    };
  }, [round]);

  const rescan = async () => {
    await api.rescan();
    setFiles((now) => ({ ...NONE, recipients: now.recipients, list: now.list.filter(({ dropped }) => dropped) }));
    setRound((now) => now + 1);
  };
  const remove = async (id: number) => {
    await api.removeFile(id);
    setFiles((now) => ({ ...now, list: now.list.filter((file) => file.id !== id) }));
  };
  return { files, rescan, ask, remove };
}

/** Answers that overlap tell the same. */
function merge(
  now: Files,
  { files, recipientsFrom, recipients, scanning, passedOver, closed, more }: FileListing,
): Files {
  const known = new Set(now.list.map(({ id }) => id));
  const list = [...now.list, ...files.filter(({ id }) => !known.has(id))];
  const all = [...now.recipients];
  all.splice(recipientsFrom, recipients.length, ...recipients);
  return { list, recipients: all, scanning, passedOver, closed, more };
}
