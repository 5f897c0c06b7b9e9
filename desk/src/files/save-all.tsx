/** Many files decrypted at once, into the directory that the command line names. */

import { useEffect, useState } from 'preact/hooks';
import type { FileView, Problem, SaveView } from '../../../lib/desk/protocol.ts';
import type { DeskApi } from '../api.ts';
import { count, integer } from '../format.ts';
import { onDeskEvent } from '../listening.ts';
import { ProblemNotice } from '../notice.tsx';
import { problemOf } from '../problem.ts';
import { wordsFor } from '../words.ts';

interface Props {
  api: DeskApi;
  outputDir: string | null;
  /** Those that are shown, complete, and open with a key at hand. */
  files: FileView[];
}

export function SaveAll({ api, outputDir, files }: Props) {
  const [save, setSave] = useState<SaveView | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  useEffect(() => onDeskEvent((event) => event.event === 'save' && setSave(event.save)), []);
  // A run may go on, or have ended, since before the page was loaded anew.
  useEffect(() => {
    if (outputDir === null) return;
    const found = (state: SaveView) => setSave((now) => now ?? (state.total > 0 ? state : null));
    api.saveState().then(found, () => undefined);
  }, []);
  if (files.length === 0 && save === null) return null;

  const start = async () => {
    setProblem(null);
    try {
      setSave(await api.save(files.map(({ id }) => id)));
    } catch (error) {
      setProblem(problemOf(error));
    }
  };
  if (outputDir === null) {
    return (
      <p class="facts">
        To save many files at once, start the desk with <code>--output-dir DIR</code>.
      </p>
    );
  }
  return (
    <div class="save-all">
      {save?.running ? (
        <>
          <label class="facts" for="saving">
            Saving {integer(save.done)} of {count(save.total, 'file')}
          </label>
          <progress id="saving" max={save.total} value={save.done} />
          <button type="button" onClick={() => void api.cancelSave()}>
            Stop
          </button>
        </>
      ) : (
        <button type="button" disabled={files.length === 0} onClick={() => void start()}>
          Save {count(files.length, 'decrypted file')} to {outputDir}
        </button>
      )}
      <div role="status">{save !== null && !save.running && <Result save={save} />}</div>
      {problem !== null && <ProblemNotice problem={problem} />}
    </div>
  );
}

function Result({ save: { saved, failed, cancelled, failures, total } }: { save: SaveView }) {
  return (
    <>
      <p class={`notice ${failed > 0 || cancelled ? 'warn' : 'good'}`}>
        {cancelled && 'Stopped. '}
        {integer(saved)} of {count(total, 'file')} saved{failed > 0 && `, ${integer(failed)} not`}.
      </p>
      {failures.length > 0 && (
        <ul class="failures">
          {failures.map(({ file, name, problem }) => (
            <li key={file}>
              <Failure name={name} problem={problem} />
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

function Failure({ name, problem }: { name: string; problem: Problem }) {
  const { title, advice } = wordsFor(problem);
  return (
    <>
      <strong>{name}</strong>: {title.toLowerCase()}
      <span class="facts">{advice ?? problem.message}</span>
    </>
  );
}
