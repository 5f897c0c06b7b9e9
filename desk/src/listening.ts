/** The line on which the desk tells what happens; while it is held, the desk knows that somebody is there. */

import type { DeskEvent, Problem } from '../../lib/desk/protocol.ts';
import type { DeskApi } from './api.ts';

const heard = new EventTarget();

/** Holds the line. @param onGone Called at its end: the desk has said that it ends, or the connection is lost. */
export function listen(api: DeskApi, onGone: (why: 'ended' | 'lost') => void): () => void {
  let given = false;
  let hasEnded = false;
  const run = async () => {
    try {
      for await (const event of api.events()) {
        if (given) return;
        if (event.event === 'ended') hasEnded = true;
        heard.dispatchEvent(new CustomEvent('desk', { detail: event }));
      }
    } catch {
      // The end of the line, either way.
    }
    if (!given) onGone(hasEnded ? 'ended' : 'lost');
  };
  void run();
  return () => {
    given = true;
  };
}

/** Hears of what the desk tells. */
export function onDeskEvent(listener: (event: DeskEvent) => void): () => void {
  const hear = (event: Event) => listener((event as CustomEvent<DeskEvent>).detail);
  heard.addEventListener('desk', hear);
  return () => heard.removeEventListener('desk', hear);
}

/** Hears why content could not be played or downloaded to its end. */
export function onBroken(handle: string, what: 'sound' | 'save', listener: (problem: Problem) => void): () => void {
  return onDeskEvent((event) => {
    if (event.event === 'broken' && event.handle === handle && event.what === what) listener(event.problem);
  });
}
