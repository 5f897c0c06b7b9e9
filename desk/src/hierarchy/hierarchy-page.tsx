/** The key hierarchy for an administrator. */

import { useEffect, useState } from 'preact/hooks';
import type { HierarchyAction, HierarchyView, Problem } from '../../../lib/desk/protocol.ts';
import type { DeskApi } from '../api.ts';
import { time } from '../format.ts';
import { ProblemNotice } from '../notice.tsx';
import { problemOf } from '../problem.ts';
import { AuditTrail } from './audit-trail.tsx';
import { ConfirmDialog, type Question } from './confirm-dialog.tsx';
import { Forecast } from './forecast.tsx';
import { InstallationCard } from './installation-card.tsx';
import { Masters } from './masters.tsx';
import { WorkingKeys } from './working-keys.tsx';

export function HierarchyPage({ api }: { api: DeskApi }) {
  const [view, setView] = useState<HierarchyView | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [question, setQuestion] = useState<Question | null>(null);
  const [said, setSaid] = useState('');

  const read = () =>
    api.hierarchy().then(
      (found) => {
        setView(found);
        setProblem(null);
      },
      (error) => setProblem(problemOf(error)),
    );
  useEffect(() => void read(), []);

  const act = async (action: HierarchyAction) => {
    setView(await api.act(action));
    setQuestion(null);
    setSaid(question?.done ?? 'Done.');
  };
  if (view === null) return <main class="stack">{problem !== null && <ProblemNotice problem={problem} />}</main>;
  const ask = (next: Question) => {
    setSaid('');
    setQuestion(next);
  };
  return (
    <main class="stack">
      <div class="row">
        <h1 class="grow">Key hierarchy</h1>
        <button type="button" class="quiet" onClick={() => void read()}>
          Read again
        </button>
      </div>
      <p class="facts">
        {view.store.description} · change {view.store.sequence} · begun {time(view.store.createdAt)} · every row was
        verified just now
      </p>
      <div role="status">{said !== '' && <p class="notice good">{said}</p>}</div>
      {problem !== null && <ProblemNotice problem={problem} />}
      {view.remarks.length > 0 && (
        <ul class="notice warn remarks">
          {view.remarks.map((remark) => (
            <li key={remark}>{remark}</li>
          ))}
        </ul>
      )}
      <div class="pair">
        <InstallationCard view={view} />
        <Forecast view={view} />
      </div>
      <Masters masters={view.masters} ask={ask} />
      <WorkingKeys working={view.working} ask={ask} />
      <AuditTrail api={api} entries={view.audit.entries} />
      {question !== null && <ConfirmDialog question={question} act={act} close={() => setQuestion(null)} />}
    </main>
  );
}
