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
  /** How many were not sent because of it. */
  left: number;
}

const NOTHING: Upload = { running: false, files: 0, done: 0, bytes: 0, sent: 0, others: [], problem: null, left: 0 };

/** What is being sent, and what can still stop it. */
interface Work {
  stop: AbortController;
  waiting: Candidate[];
}

export function useUpload(api: DeskApi, onFile: (file: FileView) => void, onKey: (file: File) => void) {
  const [upload, setUpload] = useState(NOTHING);
  const work = useRef<Work | null>(null);

  /** What is dropped while files are being sent is sent after them. */
  async function take(candidates: Candidate[]): Promise<void> {
    const { encrypted, keys, others } = await sorted(candidates);
    for (const { file } of keys) onKey(file);
    const running = work.current;
    setUpload((now) => more(running === null ? NOTHING : now, encrypted, others));
    if (running !== null) running.waiting.push(...encrypted);
    else await send(encrypted);
  }

  async function send(waiting: Candidate[]): Promise<void> {
    const stop = new AbortController();
    const { signal } = stop;
    work.current = { stop, waiting };
    let sentBefore = 0;
    try {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const { file, name } = next;
        const before = sentBefore;
        const progress = (sent: number) => setUpload((now) => ({ ...now, sent: before + Math.min(sent, file.size) }));
        onFile(await api.drop(file, name, progress, signal));
        sentBefore += file.size;
        setUpload((now) => ({ ...now, done: now.done + 1, sent: before + file.size }));
      }
    } catch (error) {
      const left = waiting.length + 1;
      if (!signal.aborted) setUpload((now) => ({ ...now, problem: problemOf(error), left }));
    }
    work.current = null;
    setUpload((now) => ({ ...now, running: false }));
  }

  return {
    upload,
    take,
    cancel: () => work.current?.stop.abort(),
    dismiss: () => setUpload((now) => ({ ...now, others: [] })),
  };
}

async function sorted(candidates: Candidate[]) {
  const found: Record<'encrypted' | 'key' | 'other', Candidate[]> = { encrypted: [], key: [], other: [] };
  for (const candidate of candidates) found[await sortOf(candidate)].push(candidate);
  return { encrypted: found.encrypted, keys: found.key, others: found.other.map(({ name }) => name) };
}

function more(now: Upload, encrypted: Candidate[], others: string[]): Upload {
  return {
    ...now,
    running: now.running || encrypted.length > 0,
    files: now.files + encrypted.length,
    bytes: now.bytes + encrypted.reduce((sum, { file }) => sum + file.size, 0),
    others: [...now.others, ...others],
  };
}
