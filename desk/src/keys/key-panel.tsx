/** Private keys: given, named, forgotten. */

import { useRef } from 'preact/hooks';
import type { KeyView } from '../../../lib/desk/protocol.ts';
import { isHeld } from '../files/file-list.tsx';
import type { Files } from '../files/use-files.ts';
import { count, integer, shortId } from '../format.ts';
import { Notice, ProblemNotice } from '../notice.tsx';
import { PassphraseForm } from './passphrase-form.tsx';
import type { useKeys } from './use-keys.ts';

type Props = ReturnType<typeof useKeys> & { forgetSeconds: number; files: Files };

export function KeyPanel(props: Props) {
  const { keys, waiting, problem, added, files, forgetSeconds } = props;
  const input = useRef<HTMLInputElement>(null);
  const onChange = () => {
    const file = input.current?.files?.[0];
    if (file !== undefined) void props.choose(file);
    if (input.current) input.current.value = '';
  };
  const open = keys.filter(({ locked }) => !locked);
  return (
    <section class="card" aria-label="Your keys">
      <div class="row">
        <h2 class="grow">Your private keys</h2>
        {open.length > 0 && (
          <button type="button" class="quiet" onClick={() => void props.forgetAll()}>
            Forget all
          </button>
        )}
        <button type="button" class={keys.length === 0 ? 'main' : ''} onClick={() => input.current?.click()}>
          Give a private key…
        </button>
        <input ref={input} type="file" hidden aria-label="Private key file" onChange={onChange} />
      </div>
      {keys.length > 0 && (
        <ul class="keys">
          {keys.map((key) => (
            <KeyRow key={key.id} shown={key} {...props} />
          ))}
        </ul>
      )}
      {waiting !== null && <PassphraseForm {...props} waiting={waiting} />}
      {waiting === null && problem !== null && <ProblemNotice problem={problem} />}
      {added !== null && <Added added={added} files={files} />}
      <p class="facts">
        Keys are in this host’s memory only, and forgotten {integer(forgetSeconds)} seconds after this page is closed;
        what is being saved then is saved first.
      </p>
    </section>
  );
}

function KeyRow({ shown: key, files, forget, unlock }: { shown: KeyView } & Props) {
  const fits = key.keyId === null ? 0 : countFitting(key.keyId, files);
  return (
    <li>
      <div class="grow">
        <strong>{key.name}</strong>
        <span class="facts">
          {key.keyId === null ? (
            'locked'
          ) : (
            <>
              RSA {key.bits} · key <code>{shortId(key.keyId)}</code> · fits {count(fits, 'file')} here
            </>
          )}
          {key.note !== null && ` · ${key.note}`}
        </span>
      </div>
      {key.locked ? (
        <button type="button" onClick={() => void unlock(key)} aria-label={`Open ${key.name}`}>
          Open…
        </button>
      ) : (
        <button type="button" class="quiet" onClick={() => void forget(key)} aria-label={`Forget ${key.name}`}>
          Forget
        </button>
      )}
    </li>
  );
}

/** A right key for the wrong files is told at once. */
function Added({ added, files }: { added: KeyView; files: Files }) {
  const fits = added.keyId === null ? 0 : countFitting(added.keyId, files);
  if (fits === 0 && files.list.length > 0) {
    return (
      <Notice kind="warn">
        <strong>Wrong key for these files</strong>
        <p>
          {added.name} is open, but none of the {count(files.list.length, 'file')} here was encrypted for it.
        </p>
      </Notice>
    );
  }
  return (
    <Notice kind="good">
      {added.name} is open{fits > 0 && ` and fits ${count(fits, 'file')}`}.
    </Notice>
  );
}

function countFitting(keyId: string, { list, recipients }: Files): number {
  const held = new Set([keyId]);
  return list.filter((file) => isHeld(file, recipients, held)).length;
}
