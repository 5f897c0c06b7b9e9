/** The private keys at the desk. */

import { useEffect, useMemo, useState } from 'preact/hooks';
import type { KeyView, Problem } from '../../../lib/desk/protocol.ts';
import type { DeskApi } from '../api.ts';
import { onDeskEvent } from '../listening.ts';
import { problemOf } from '../problem.ts';

/** A key that waits for its passphrase: a file that was chosen, or one of the command line. */
export type Waiting = { file: File } | { id: number; name: string };

export function useKeys(api: DeskApi) {
  const [keys, setKeys] = useState<KeyView[]>([]);
  const [waiting, setWaiting] = useState<Waiting | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  /** The key that was opened last. */
  const [added, setAdded] = useState<KeyView | null>(null);
  const held = useMemo(() => new Set(keys.flatMap(({ keyId }) => keyId ?? [])), [keys]);
  const refresh = async () => setKeys(await api.keys());
  useEffect(() => void refresh().catch(() => undefined), []);
  useEffect(() => onDeskEvent(({ event }) => event === 'keys' && void refresh().catch(() => undefined)), []);

  const done = async (key: KeyView) => {
    await refresh();
    setAdded(key);
    setWaiting(null);
    setProblem(null);
  };
  const fail = (error: unknown) => setProblem(problemOf(error));

  /** Without a passphrase first: not every key has one. */
  const open = async (key: Waiting) => {
    setAdded(null);
    setProblem(null);
    setWaiting(null);
    try {
      await done(await send(api, key, new Uint8Array()));
    } catch (error) {
      if (problemOf(error).code === 'ERR_PASSPHRASE_REQUIRED') setWaiting(key);
      else fail(error);
    }
  };
  const choose = (file: File) => open({ file });
  const unlock = ({ id, name }: KeyView) => open({ id, name });
  const give = async (passphrase: Uint8Array<ArrayBuffer>): Promise<boolean> => {
    if (waiting === null) {
      passphrase.fill(0);
      return false;
    }
    try {
      await done(await send(api, waiting, passphrase));
      return true;
    } catch (error) {
      fail(error);
      return false;
    }
  };
  const giveUp = () => {
    setWaiting(null);
    setProblem(null);
  };
  const forget = async (key: KeyView) => {
    await api.forgetKey(key.id);
    setAdded(null);
    await refresh();
  };
  const forgetAll = async () => {
    await api.forgetKeys();
    setAdded(null);
    await refresh();
  };
  return { keys, held, waiting, problem, added, choose, unlock, give, giveUp, forget, forgetAll };
}

function send(api: DeskApi, key: Waiting, passphrase: Uint8Array<ArrayBuffer>): Promise<KeyView> {
  return 'file' in key ? api.addKey(key.file, passphrase) : api.unlockKey(key.id, passphrase);
}
