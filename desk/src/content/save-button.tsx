/** Saves a file through the browser: only once every byte of it has been checked. */

import { useEffect, useRef, useState } from 'preact/hooks';
import type { FileView, OpenedView, Problem, VerifiedView } from '../../../lib/desk/protocol.ts';
import type { DeskApi } from '../api.ts';
import { onBroken } from '../listening.ts';
import { Notice, ProblemNotice } from '../notice.tsx';
import { problemOf } from '../problem.ts';

export function SaveButton({ api, file, opened }: { api: DeskApi; file: FileView; opened: OpenedView }) {
  const link = useRef<HTMLAnchorElement>(null);
  const [checking, setChecking] = useState(false);
  const [checked, setChecked] = useState<VerifiedView | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  useEffect(() => onBroken(opened.handle, 'save', setProblem), [opened.handle]);

  const check = async (): Promise<boolean> => {
    setChecking(true);
    setProblem(null);
    try {
      setChecked(await api.verify(opened.handle));
      return true;
    } catch (error) {
      setProblem(problemOf(error));
      return false;
    } finally {
      setChecking(false);
    }
  };
  /** Of a file without its end there is nothing more to check than what reading it does; what was checked, the desk knows. */
  const save = async () => {
    if (!opened.complete || (await check())) link.current?.click();
  };
  return (
    <>
      {opened.complete && (
        <button type="button" class="quiet" disabled={checking} onClick={() => void check()}>
          {checking ? 'Checking…' : 'Check all of it'}
        </button>
      )}
      <button type="button" class="main" disabled={checking} onClick={() => void save()}>
        {opened.complete ? 'Save' : 'Save what is there'}
      </button>
      <a ref={link} hidden href={api.saveAddress(opened.handle)} download>
        {file.plainName}
      </a>
      {checked !== null && (
        <div class="below">
          <Notice kind="good">
            Every byte is authentic.{' '}
            {checked.signer !== null &&
              `The signature is right${checked.signer.subject ? ` and names ${checked.signer.subject}` : ''}; that the name is true nobody has checked.`}
          </Notice>
        </div>
      )}
      {problem !== null && (
        <div class="below">
          <ProblemNotice problem={problem} />
        </div>
      )}
    </>
  );
}
