/** What may be wider or longer than its place: to be scrolled with the keyboard it takes the focus. */

import type { ComponentChildren } from 'preact';

export function Scrolled({ label, children }: { label: string; children: ComponentChildren }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: there is no other way to scroll it without a mouse
    <section class="scroll" tabIndex={0} aria-label={label}>
      {children}
    </section>
  );
}
