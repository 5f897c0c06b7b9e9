/** What runs out, and when: certificates by their dates, budgets by how fast they were used so far. */

import type { HierarchyView, WorkingView } from '../../../lib/desk/protocol.ts';
import { count, day, daysUntil, holder } from '../format.ts';

interface Event {
  at: number;
  what: string;
}

const DAY = 86_400_000;
const HORIZON = 10 * 365 * DAY;
/** Younger keys say nothing about a rate. */
const LEAST_AGE = DAY;

export function Forecast({ view }: { view: HierarchyView }) {
  const events = eventsOf(view, Date.now()).sort((a, b) => a.at - b.at);
  return (
    <section class="card" aria-label="Expiry forecast">
      <h2>Expiry forecast</h2>
      {events.length === 0 ? (
        <p>Nothing runs out within ten years, as far as can be told.</p>
      ) : (
        <ol class="forecast">
          {events.map(({ at, what }) => (
            <li key={what}>
              <time>{day(new Date(at).toISOString())}</time>
              <span>
                {what} <span class="facts">{inDays(at)}</span>
              </span>
            </li>
          ))}
        </ol>
      )}
      <p class="facts">
        Working keys roll over by themselves when their budget is spent. The installation key goes on opening what is
        under it when its certificate has expired.
      </p>
    </section>
  );
}

function eventsOf({ installation, masters, working }: HierarchyView, now: number): Event[] {
  const events: Event[] = [];
  const { certificate } = installation;
  if (certificate !== null) {
    events.push({
      at: Date.parse(certificate.notAfter),
      what: `certificate of ${holder(certificate.subject)} expires`,
    });
  }
  const current = masters.find((master) => master.current);
  if (current !== undefined) {
    events.push({ at: Date.parse(current.createdAt) + 365 * DAY, what: 'the current master key is a year old' });
  }
  for (const key of working) {
    const at = key.encrypts ? spentAt(key, now) : null;
    if (at !== null) events.push({ at, what: `budget of ${key.area}, version ${key.version}, is spent` });
  }
  return events;
}

/** At the rate of its life so far; null when that is not within sight. */
function spentAt({ createdAt, budget }: WorkingView, now: number): number | null {
  const age = now - Date.parse(createdAt);
  if (age < LEAST_AGE || budget.reserved === 0) return null;
  const left = ((budget.limit - budget.reserved) / budget.reserved) * age;
  return left > HORIZON ? null : now + left;
}

function inDays(at: number): string {
  const days = daysUntil(new Date(at).toISOString());
  return days < 0 ? `${count(-days, 'day')} ago` : `in ${count(days, 'day')}`;
}
