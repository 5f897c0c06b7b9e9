/** Working keys by area: which encrypts, which only decrypts, and how much of their budget is used. */

import { canRemove, type WorkingView } from '../../../lib/desk/protocol.ts';
import { integer } from '../format.ts';
import type { Question } from './confirm-dialog.tsx';
import { CommonCells, KeyTable } from './key-table.tsx';

interface Props {
  working: WorkingView[];
  ask(question: Question): void;
}

export function WorkingKeys({ working, ask }: Props) {
  const areas = [...new Set(working.map(({ area }) => area))];
  return (
    <section class="card" aria-label="Working keys">
      <h2>Working keys</h2>
      {areas.length === 0 && <p class="facts">None yet: an area gets its first with its first record.</p>}
      {areas.map((area) => (
        <Area key={area} area={area} keys={working.filter((key) => key.area === area)} ask={ask} />
      ))}
    </section>
  );
}

function Area({ area, keys, ask }: { area: string; keys: WorkingView[] } & Pick<Props, 'ask'>) {
  const rotate: Question = {
    action: { action: 'working.rotate', area },
    title: `Rotate the key of ${area}`,
    text: 'New records of the area are encrypted with a new version; older versions only decrypt.',
    button: 'Rotate',
    done: `${area} goes on with a new version.`,
  };
  return (
    <>
      <div class="row">
        <h3 class="grow">{area}</h3>
        <button type="button" class="quiet" aria-label={`Rotate ${area}`} onClick={() => ask(rotate)}>
          Rotate…
        </button>
      </div>
      <KeyTable label={`Working keys of ${area}`} first="Version" last="Budget used">
        {keys.toReversed().map((key) => (
          <WorkingRow key={key.id} working={key} ask={ask} />
        ))}
      </KeyTable>
    </>
  );
}

function WorkingRow({ working, ask }: { working: WorkingView } & Pick<Props, 'ask'>) {
  const { id, area, version, suite, approved, createdAt, budget } = working;
  const share = (100 * budget.reserved) / budget.limit;
  const remove: Question = {
    action: { action: 'working.remove', id },
    title: `Remove version ${version} of ${area}`,
    text: 'Destroys it for good. Refused while records may still need it.',
    button: 'Remove',
    done: `Version ${version} of ${area} is removed.`,
  };
  return (
    <tr>
      <th scope="row">
        {version} <code title={id}>{id.slice(0, 8)}…</code>
      </th>
      <CommonCells state={stateOf(working)} suite={suite} approved={approved} createdAt={createdAt} />
      <td>
        <meter
          aria-label={`Budget of ${area}, version ${version}`}
          min={0}
          max={budget.limit}
          high={budget.limit * 0.8}
          value={budget.reserved}
        />
        <span class="facts">
          {integer(budget.reserved)} of {integer(budget.limit)} {budget.unit} ({share.toFixed(1)} %)
        </span>
      </td>
      <td class="actions">
        {canRemove(working) && (
          <button
            type="button"
            class="quiet"
            aria-label={`Remove version ${version} of ${area}`}
            onClick={() => ask(remove)}
          >
            Remove…
          </button>
        )}
      </td>
    </tr>
  );
}

function stateOf({ state, encrypts, decrypts }: WorkingView): { kind: string; text: string } {
  if (state === 'removed') return { kind: 'plain', text: 'removed' };
  if (encrypts) return { kind: 'good', text: 'encrypts' };
  return decrypts ? { kind: 'plain', text: 'decrypts only' } : { kind: 'warn', text: 'disabled' };
}
