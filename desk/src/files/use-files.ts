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
  const next = useRef(0);
  const [round, setRound] = useState(0);

  useEffect(() => {
    let stopped = false;
    const poll = async () => {
      const listing = await api.files(next.current).catch(() => null);
      if (stopped || listing === null) return;
      setFiles((now) => merge(now, listing));
      next.current = Math.max(next.current, ...listing.files.map(({ id }) => id + 1));
      if (listing.scanning) setTimeout(() => void poll(), POLL_MILLISECONDS);
    };
    void poll();
    return () => {
      stopped = true;
    };
  }, [round]);

  const rescan = async () => {
    await api.rescan();
    setFiles((now) => ({ ...NONE, list: now.list.filter(({ dropped }) => dropped) }));
    setRound((now) => now + 1);
  };
  /** What was just dropped; its recipients may be new. */
  const add = async (file: FileView) => {
    const listing = await api.files(file.id);
    setFiles((now) => merge(now, listing));
    next.current = Math.max(next.current, file.id + 1);
  };
  const remove = async (id: number) => {
    await api.removeFile(id);
    setFiles((now) => ({ ...now, list: now.list.filter((file) => file.id !== id) }));
  };
  return { files, rescan, add, remove };
}

function merge(now: Files, { files, recipients, scanning, passedOver, closed, more }: FileListing): Files {
  const known = new Set(now.list.map(({ id }) => id));
  const list = [...now.list, ...files.filter(({ id }) => !known.has(id))];
  return { list, recipients, scanning, passedOver, closed, more };
}
