/** The page as a whole: whether it may ask, which of its two sides is shown, and that the desk is still there. */

import { useEffect, useState } from 'preact/hooks';
import type { DeskInfo } from '../../lib/desk/protocol.ts';
import { DeskApi } from './api.ts';
import { FilesPage } from './files/files-page.tsx';
import { count } from './format.ts';
import { HierarchyPage } from './hierarchy/hierarchy-page.tsx';
import { listen } from './listening.ts';
import { problemOf } from './problem.ts';
import { beginSession, endSession, followNewAddress } from './session.ts';

type State =
  | { is: 'starting' }
  | { is: 'over'; title: string; why: string }
  | { is: 'open'; api: DeskApi; info: DeskInfo };

const NO_SESSION =
  'This page belongs to another tab, or its desk was started anew. Use the address that the terminal shows.';
/** Said only when the desk has said so. */
const CLOSED: State = {
  is: 'over',
  title: 'Closed',
  why: 'The desk has ended. Keys are forgotten, and nothing that was decrypted is left but what was saved.',
};

function lost({ forgetSeconds }: DeskInfo): State {
  return {
    is: 'over',
    title: 'Connection lost',
    why: `The desk does not answer, and has not said that it forgot the keys. If it still runs, it does so ${count(forgetSeconds, 'second')} after it lost this page, and after what is being saved then: load the page anew, or end callseal desk in its terminal.`,
  };
}

export function App() {
  const [state, setState] = useState<State>({ is: 'starting' });
  const [path, setPath] = useState(location.pathname);
  useEffect(() => void begin().then(setState), []);
  useEffect(() => {
    const followHistory = () => setPath(location.pathname);
    addEventListener('popstate', followHistory);
    return () => removeEventListener('popstate', followHistory);
  }, []);
  useEffect(() => {
    if (state.is !== 'open') return;
    return listen(state.api, (why) => {
      if (why === 'ended') endSession();
      setState(why === 'ended' ? CLOSED : lost(state.info));
    });
  }, [state.is]);
  useEffect(followNewAddress, []);

  if (state.is === 'starting') return null;
  if (state.is === 'over') return <Ended {...state} />;
  const { api, info } = state;
  const go = (to: string) => (event: Event) => {
    event.preventDefault();
    history.pushState(null, '', to);
    setPath(to);
  };
  /** The desk answers once keys are forgotten. */
  const close = async () => {
    try {
      await api.close();
      endSession();
      setState(CLOSED);
    } catch {
      setState((now) => (now.is === 'over' ? now : lost(info)));
    }
  };
  const onHierarchy = path === '/keys' && info.hierarchy;
  return (
    <>
      <header class="top">
        <span class="brand">
          <Mark /> Callseal desk
        </span>
        {info.hierarchy && (
          <nav aria-label="Pages">
            <a href="/" aria-current={onHierarchy ? undefined : 'page'} onClick={go('/')}>
              Files
            </a>
            <a href="/keys" aria-current={onHierarchy ? 'page' : undefined} onClick={go('/keys')}>
              Key hierarchy
            </a>
          </nav>
        )}
        <span class="grow" />
        <span class={`badge ${info.fips === 'required' ? 'good' : 'bad'}`}>
          {info.fips === 'required' ? 'FIPS module' : 'FIPS is off'}
        </span>
        <button type="button" onClick={() => void close()}>
          Close the desk
        </button>
      </header>
      {onHierarchy ? <HierarchyPage api={api} /> : <FilesPage api={api} info={info} />}
    </>
  );
}

async function begin(): Promise<State> {
  try {
    const secret = await beginSession();
    if (secret === null) return refused(NO_SESSION);
    const api = new DeskApi(secret);
    return { is: 'open', api, info: await api.info() };
  } catch (error) {
    return refused(problemOf(error).message);
  }
}

function refused(why: string): State {
  return { is: 'over', title: 'No session', why };
}

function Ended({ title, why }: { title: string; why: string }) {
  return (
    <main class="ended">
      <Mark />
      <h1>{title}</h1>
      <p>{why}</p>
    </main>
  );
}

function Mark() {
  return (
    <svg class="mark" viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="7" />
      <path d="M8 17v-2m4 6V11m4 13V8m4 13V11m4 6v-2" />
    </svg>
  );
}
