/** Master keys: state, age, what depends on them, and what may be done. */

import { type MasterView, masterActions } from '../../../lib/desk/protocol.ts';
import { count } from '../format.ts';
import type { Question } from './confirm-dialog.tsx';
import { CommonCells, KeyTable } from './key-table.tsx';

interface Props {
  masters: MasterView[];
  ask(question: Question): void;
}

export function Masters({ masters, ask }: Props) {
  return (
    <section class="card" aria-label="Master keys">
      <div class="row">
        <h2 class="grow">Master keys</h2>
        <button type="button" onClick={() => ask(ROTATE)}>
          Rotate…
        </button>
      </div>
      <KeyTable label="Table of master keys" first="Key" last="Working keys">
        {masters.map((master) => (
          <MasterRow key={master.id} master={master} ask={ask} />
        ))}
      </KeyTable>
    </section>
  );
}

function MasterRow({ master, ask }: { master: MasterView } & Pick<Props, 'ask'>) {
  const { id, state, current, suite, approved, createdAt, workingKeys } = master;
  const kind = state === 'disabled' ? 'warn' : state === 'removed' ? 'plain' : 'good';
  const parts = Object.entries(workingKeys).filter(([, number]) => number > 0);
  return (
    <tr>
      <th scope="row">
        <code title={id}>{id.slice(0, 8)}…</code>
      </th>
      <CommonCells
        state={{ kind, text: current ? `${state}, current` : state }}
        suite={suite}
        approved={approved}
        createdAt={createdAt}
      />
      <td>{parts.length === 0 ? 'none' : parts.map(([what, number]) => `${number} ${what}`).join(', ')}</td>
      <td class="actions">
        {actionsFor(master).map((question) => (
          <button
            key={question.action.action}
            type="button"
            class="quiet"
            aria-label={`${question.button} ${id.slice(0, 8)}`}
            onClick={() => ask(question)}
          >
            {question.button}…
          </button>
        ))}
      </td>
    </tr>
  );
}

const ROTATE: Question = {
  action: { action: 'master.rotate' },
  title: 'Rotate the master key',
  text: 'Makes a new master key of the same suite, and makes it current. Areas go on under it from their next record; what is under the old one can still be read.',
  button: 'Rotate',
  done: 'A new master key is current.',
};

function actionsFor(master: MasterView): Question[] {
  const { id, workingKeys } = master;
  const which = `master key ${id.slice(0, 8)}…`;
  const concerned = count(workingKeys.active + workingKeys.retired, 'working key');
  const use: Question = {
    action: { action: 'master.use', id },
    title: `Make ${which} current`,
    text: 'New working keys are made under it from now on.',
    button: 'Make current',
    done: `${which} is current.`,
  };
  const disable: Question = {
    action: { action: 'master.disable', id },
    title: `Disable ${which}`,
    text: `Nothing under it (${concerned}) encrypts or decrypts, on any server, until it is enabled.`,
    button: 'Disable',
    done: `${which} is disabled.`,
  };
  const enable: Question = {
    action: { action: 'master.enable', id },
    title: `Enable ${which}`,
    text: `What is under it (${concerned}) encrypts and decrypts again.`,
    button: 'Enable',
    done: `${which} is enabled.`,
  };
  const remove: Question = {
    action: { action: 'master.remove', id },
    title: `Remove ${which}`,
    text: 'Destroys it for good. Refused while working keys depend on it.',
    button: 'Remove',
    done: `${which} is removed.`,
  };
  const questions = { 'master.use': use, 'master.disable': disable, 'master.enable': enable, 'master.remove': remove };
  return masterActions(master).map((action) => questions[action]);
}
