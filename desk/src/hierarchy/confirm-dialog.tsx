/** Asks before something is changed: what is meant has to be typed. */

import { useEffect, useRef, useState } from 'preact/hooks';
import { confirmationFor, type HierarchyAction, type Problem } from '../../../lib/desk/protocol.ts';
import { ProblemNotice } from '../notice.tsx';
import { problemOf } from '../problem.ts';

type Unconfirmed = HierarchyAction extends infer A ? (A extends unknown ? Omit<A, 'confirm'> : never) : never;

export interface Question {
  action: Unconfirmed;
  title: string;
  /** What it means. */
  text: string;
  /** What the button says. */
  button: string;
  /** What is said afterwards. */
  done: string;
}

interface Props {
  question: Question;
  act(action: HierarchyAction): Promise<void>;
  close(): void;
}

export function ConfirmDialog({ question, act, close }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [typed, setTyped] = useState('');
  const [acting, setActing] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  useEffect(() => dialog.current?.showModal(), []);
  const action = { ...question.action, confirm: typed } as HierarchyAction;
  const wanted = confirmationFor(action);

  const submit = async (event: Event) => {
    event.preventDefault();
    if (typed !== wanted) return;
    setActing(true);
    try {
      await act(action);
    } catch (error) {
      setProblem(problemOf(error));
      setActing(false);
    }
  };
  return (
    <dialog ref={dialog} aria-labelledby="question" onClose={close}>
      <form onSubmit={(event) => void submit(event)}>
        <h2 id="question">{question.title}</h2>
        <p>{question.text}</p>
        {problem !== null && <ProblemNotice problem={problem} />}
        <label for="confirmation">
          Type <code>{wanted}</code> to go on
        </label>
        <input
          id="confirmation"
          autocomplete="off"
          spellcheck={false}
          value={typed}
          onInput={(event) => setTyped(event.currentTarget.value)}
        />
        <div class="row end">
          <button type="button" onClick={() => dialog.current?.close()}>
            Cancel
          </button>
          <button type="submit" class="danger" disabled={typed !== wanted || acting}>
            {question.button}
          </button>
        </div>
      </form>
    </dialog>
  );
}
