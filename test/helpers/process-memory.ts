/** What is in the memory of another process, from proc(5): all that it has mapped, readable or not. */

import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import type { ByteSearch } from './byte-search.ts';

interface Mapping {
  start: number;
  end: number;
  writable: boolean;
  /** The file, `[heap]`, `[stack]`, or `anonymous`. */
  what: string;
}

export interface MemoryFind {
  readonly name: string;
  readonly address: number;
  /** The file that is mapped there, `[heap]`, `[stack]`, or `anonymous`. */
  readonly where: string;
}

const CHUNK = 16 << 20;

/** Every place of the process's memory with one of the byte strings. The process should be waiting for something. */
export function searchProcess(pid: number, search: ByteSearch): MemoryFind[] {
  const memory = openSync(`/proc/${pid}/mem`, 'r');
  const buffer = new Uint8Array(CHUNK + search.longest);
  const finds: MemoryFind[] = [];
  try {
    for (const { start, end, what } of residentMappings(pid)) {
      for (let at = start; at < end; at += CHUNK) {
        const length = readAt(memory, buffer, at, Math.min(end - at, buffer.length));
        for (const { name, offset } of search.in(buffer.subarray(0, length))) {
          if (offset < CHUNK) finds.push({ name, address: at + offset, where: what });
        }
      }
    }
  } finally {
    closeSync(memory);
  }
  return finds;
}

/** Mappings of which something is in memory or swapped out; programs and libraries, which no secret can be written to, left out. */
function residentMappings(pid: number): Mapping[] {
  const mappings: Mapping[] = [];
  let present = false;
  for (const line of readFileSync(`/proc/${pid}/smaps`, 'latin1').split('\n')) {
    const head = /^([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \S+ *(.*)$/.exec(line);
    if (head !== null) {
      if (!present) mappings.pop();
      const [start, end] = [Number.parseInt(head[1]!, 16), Number.parseInt(head[2]!, 16)];
      mappings.push({ start, end, writable: head[3]!.includes('w'), what: head[4] || 'anonymous' });
      present = false;
    } else if (/^(Rss|Swap): +[1-9]/.test(line)) {
      present = true;
    }
  }
  if (!present) mappings.pop();
  // What the kernel put there for itself cannot be read.
  return mappings.filter(
    ({ what, writable }) => !/^\[vvar|^\[vsyscall/.test(what) && (writable || !what.startsWith('/')),
  );
}

function readAt(file: number, into: Uint8Array, position: number, length: number): number {
  let got = 0;
  while (got < length) {
    const more = readSync(file, into, got, length - got, position + got);
    if (more === 0) break;
    got += more;
  }
  return got;
}
