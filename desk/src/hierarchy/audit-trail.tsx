/** Who changed what, newest first; and the proof that nothing is missing. */

import { useEffect, useState } from 'preact/hooks';
import type { AuditView, Problem } from '../../../lib/desk/protocol.ts';
import type { DeskApi } from '../api.ts';
import { count, time } from '../format.ts';
import { Notice, ProblemNotice } from '../notice.tsx';
import { problemOf } from '../problem.ts';
import { Scrolled } from '../scrolled.tsx';

export function AuditTrail({ api, entries }: { api: DeskApi; entries: number }) {
  const [shown, setShown] = useState<AuditView['entries']>([]);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [whole, setWhole] = useState<number | null>(null);
  const load = async (before: number | null) => {
    try {
      const page = await api.audit(before);
      setShown((now) => (before === null ? page.entries : [...now, ...page.entries]));
    } catch (error) {
      setProblem(problemOf(error));
    }
  };
  const prove = async () => {
    setWhole(null);
    setProblem(null);
    try {
      setWhole((await api.verifyAudit()).entries);
    } catch (error) {
      setProblem(problemOf(error));
    }
  };
  useEffect(() => void load(null), [entries]);
  const oldest = shown.at(-1)?.sequence ?? 1;
  return (
    <section class="card" aria-label="Audit trail">
      <div class="row">
        <h2 class="grow">Audit trail</h2>
        <button type="button" onClick={() => void prove()}>
          Prove that it is whole
        </button>
      </div>
      {whole !== null && <Notice kind="good">{count(whole, 'entry', 'entries')}, whole and unaltered.</Notice>}
      {problem !== null && <ProblemNotice problem={problem} />}
      <Scrolled label="Table of the audit trail">
        <table>
          <thead>
            <tr>
              <th scope="col">Entry</th>
              <th scope="col">When</th>
              <th scope="col">Who</th>
              <th scope="col">What</th>
            </tr>
          </thead>
          <tbody>
            {shown.map((entry) => (
              <tr key={entry.sequence}>
                <th scope="row">{entry.sequence}</th>
                <td class="whole">{time(entry.at)}</td>
                <td>
                  {entry.actor}@{entry.host}
                </td>
                <td>
                  <strong>{entry.event}</strong> <span class="facts">{shortIds(entry.details)}</span>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </Scrolled>
      {oldest > 1 && (
        <button type="button" class="quiet wide" onClick={() => void load(oldest)}>
          Show older entries
        </button>
      )}
    </section>
  );
}

/** Ids by their first digits, as everywhere on this page. */
function shortIds(text: string): string {
  return text.replace(/\b([0-9a-f]{8})[0-9a-f]{24}\b/g, '$1…');
}
