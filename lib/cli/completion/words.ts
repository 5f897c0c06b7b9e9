/** Words as shells read them. */

import type { CommandDefinition } from '../definition.ts';

/** In single quotes, which bash and zsh read alike. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** `recipients add`; empty for callseal itself. */
export function pathText({ path }: CommandDefinition): string {
  return path.join(' ');
}
