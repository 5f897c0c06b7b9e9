/** The page as a whole: whether it may ask, which of its two sides is shown, and that the desk is still there. */

import { useEffect, useState } from 'preact/hooks';
import type { DeskInfo } from '../../lib/desk/protocol.ts';
import { DeskApi } from './api.ts';
import { FilesPage } from './files/files-page.tsx';
import { HierarchyPage } from './hierarchy/hierarchy-page.tsx';
import { listen } from './listening.ts';
import { problemOf } from './problem.ts';
import { beginSession, endSession } from './session.ts';

type State =
  | { is: 'starting' }
  | { is: 'refused'; why: string }
  | { is: 'closed'; why: string }
  | { is: 'open'; api: DeskApi; info: DeskInfo };

const NO_SESSION =
  'This page belongs to another tab, or its desk was started anew. Use the address that the terminal shows.';
const GONE = 'The desk has ended. Keys are forgotten, and nothing that was decrypted is left.';

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
    if (state.is === 'open') return listen(state.api, () => setState({ is: 'closed', why: GONE }));
  }, [state.is]);

  if (state.is === 'starting') return null;
  if (state.is !== 'open') return <Ended title={state.is === 'closed' ? 'Closed' : 'No session'} why={state.why} />;
  const { api, info } = state;
  const go = (to: string) => (event: Event) => {
    event.preventDefault();
    history.pushState(null, '', to);
    setPath(to);
  };
  const close = () => {
    endSession();
    void api.close().catch(() => undefined);
    setState({ is: 'closed', why: GONE });
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
        <button type="button" onClick={close}>
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
    if (secret === null) return { is: 'refused', why: NO_SESSION };
    const api = new DeskApi(secret);
    return { is: 'open', api, info: await api.info() };
  } catch (error) {
    return { is: 'refused', why: problemOf(error).message };
  }
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
