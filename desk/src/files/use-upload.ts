/** Sends dropped files to the desk, one after the other, and says how far it is. */

import { useRef, useState } from 'preact/hooks';
import type { FileView, Problem } from '../../../lib/desk/protocol.ts';
import type { DeskApi } from '../api.ts';
import { problemOf } from '../problem.ts';
import { type Candidate, sortOf } from './dropping.ts';

export interface Upload {
  running: boolean;
  files: number;
  done: number;
  bytes: number;
  sent: number;
  /** Names of what was no encrypted file, and stayed where it was. */
  others: string[];
  problem: Problem | null;
}

const NOTHING: Upload = { running: false, files: 0, done: 0, bytes: 0, sent: 0, others: [], problem: null };

export function useUpload(api: DeskApi, onFile: (file: FileView) => void, onKey: (file: File) => void) {
  const [upload, setUpload] = useState(NOTHING);
  const stop = useRef<AbortController | null>(null);

  async function take(candidates: Candidate[]): Promise<void> {
    const encrypted: Candidate[] = [];
    const others: string[] = [];
    for (const candidate of candidates) {
      const sort = await sortOf(candidate);
      if (sort === 'encrypted') encrypted.push(candidate);
      else if (sort === 'key') onKey(candidate.file);
      else others.push(candidate.name);
    }
    const bytes = encrypted.reduce((sum, { file }) => sum + file.size, 0);
    stop.current = new AbortController();
    setUpload({ ...NOTHING, running: encrypted.length > 0, files: encrypted.length, bytes, others });
    let sentBefore = 0;
    try {
      for (const { file, name } of encrypted) {
        const progress = (sent: number) =>
          setUpload((now) => ({ ...now, sent: sentBefore + Math.min(sent, file.size) }));
        onFile(await api.drop(file, name, progress, stop.current.signal));
        sentBefore += file.size;
        setUpload((now) => ({ ...now, done: now.done + 1, sent: sentBefore }));
      }
    } catch (error) {
      const stopped = stop.current.signal.aborted;
      setUpload((now) => ({ ...now, problem: stopped ? null : problemOf(error) }));
    }
    setUpload((now) => ({ ...now, running: false }));
  }

  return { upload, take, cancel: () => stop.current?.abort(), dismiss: () => setUpload(NOTHING) };
}
