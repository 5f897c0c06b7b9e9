/** Asks for the passphrase of a key. What is typed is kept nowhere but in the field, and taken out of it when it is sent. */

import { useEffect, useRef, useState } from 'preact/hooks';
import type { Problem } from '../../../lib/desk/protocol.ts';
import { wordsFor } from '../words.ts';
import type { Waiting } from './use-keys.ts';

interface Props {
  waiting: Waiting;
  problem: Problem | null;
  give(passphrase: Uint8Array<ArrayBuffer>): Promise<boolean>;
  giveUp(): void;
}

export function PassphraseForm({ waiting, problem, give, giveUp }: Props) {
  const field = useRef<HTMLInputElement>(null);
  const [trying, setTrying] = useState(false);
  const name = 'file' in waiting ? waiting.file.name : waiting.name;
  // What was typed for one key and not sent is neither kept nor offered to another.
  useEffect(() => {
    const input = field.current!;
    input.focus();
    return () => {
      input.value = '';
    };
  }, [waiting]);

  const submit = async (event: Event) => {
    event.preventDefault();
    const input = field.current!;
    const passphrase = new TextEncoder().encode(input.value);
    input.value = '';
    setTrying(true);
    const isOpen = await give(passphrase);
    setTrying(false);
    if (!isOpen) input.focus();
  };
  const words = problem && wordsFor(problem);
  return (
    <form class="passphrase" onSubmit={(event) => void submit(event)}>
      <label for="passphrase">
        Passphrase of <strong>{name}</strong>
      </label>
      <div class="row">
        <input
          ref={field}
          id="passphrase"
          type="password"
          autocomplete="off"
          class="grow"
          aria-describedby={words === null ? undefined : 'passphrase-problem'}
          aria-invalid={words !== null}
        />
        <button type="submit" class="main" disabled={trying}>
          {trying ? 'Opening…' : 'Open the key'}
        </button>
        <button type="button" class="quiet" onClick={giveUp}>
          Cancel
        </button>
      </div>
      {words !== null && (
        <p id="passphrase-problem" class="wrong" role="alert">
          <strong>{words.title}.</strong> {words.advice ?? problem?.message}
        </p>
      )}
    </form>
  );
}
