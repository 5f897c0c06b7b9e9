/** Tables of keys: what master keys and working keys have in common. */

import type { ComponentChildren } from 'preact';
import { count, day, daysUntil } from '../format.ts';
import { Scrolled } from '../scrolled.tsx';

interface KeyTableProps {
  label: string;
  /** Headings before and behind those that all have: state, suite, age. */
  first: string;
  last: string;
  children: ComponentChildren;
}

export function KeyTable({ label, first, last, children }: KeyTableProps) {
  return (
    <Scrolled label={label}>
      <table>
        <thead>
          <tr>
            {[first, 'State', 'Suite', 'Age', last].map((heading) => (
              <th key={heading} scope="col">
                {heading}
              </th>
            ))}
            <th scope="col">
              <span class="unseen">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </Scrolled>
  );
}

interface CommonCellsProps {
  state: { kind: string; text: string };
  suite: string;
  approved: boolean;
  createdAt: string;
}

/** The cells below state, suite and age. */
export function CommonCells({ state, suite, approved, createdAt }: CommonCellsProps) {
  return (
    <>
      <td>
        <span class={`badge ${state.kind}`}>{state.text}</span>
      </td>
      <td>
        {suite} {!approved && <span class="badge warn">not approved</span>}
      </td>
      <td class="whole">
        {count(-daysUntil(createdAt), 'day')} <span class="facts">{day(createdAt)}</span>
      </td>
    </>
  );
}
