/** Moves through content in pages, or to a byte. */

import { useRef } from 'preact/hooks';
import { integer } from '../format.ts';

interface Props {
  start: number;
  size: number;
  pageBytes: number;
  goTo(start: number): void;
}

export function Pager({ start, size, pageBytes, goTo }: Props) {
  const field = useRef<HTMLInputElement>(null);
  if (size <= pageBytes) return null;
  const last = Math.floor((size - 1) / pageBytes) * pageBytes;
  const submit = (event: Event) => {
    event.preventDefault();
    const wanted = Number(field.current?.value.replaceAll(',', ''));
    if (Number.isInteger(wanted) && wanted >= 0) goTo(Math.floor(Math.min(wanted, size - 1) / pageBytes) * pageBytes);
  };
  return (
    <form class="row pager" onSubmit={submit}>
      <button type="button" disabled={start === 0} onClick={() => goTo(0)}>
        First
      </button>
      <button type="button" disabled={start === 0} onClick={() => goTo(Math.max(0, start - pageBytes))}>
        Back
      </button>
      <button type="button" disabled={start >= last} onClick={() => goTo(start + pageBytes)}>
        Next
      </button>
      <button type="button" disabled={start >= last} onClick={() => goTo(last)}>
        Last
      </button>
      <span class="facts grow" role="status">
        Bytes {integer(start)} to {integer(Math.min(size, start + pageBytes) - 1)} of {integer(size)}
      </span>
      <label>
        Byte <input ref={field} inputMode="numeric" size={12} />
      </label>
      <button type="submit">Go</button>
    </form>
  );
}
