/** What the entry points of the package declare, as an importer's compiler sees it: read from `dist/`, by name. */

import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { PROJECT } from './native-build.ts';

export interface Declaration {
  readonly name: string;
  readonly kind: 'class' | 'interface' | 'type' | 'function' | 'const';
  /** With its comments inside, and the one before it. */
  readonly text: string;
  readonly documented: boolean;
}

/** `callseal`, `callseal/keys`, `callseal/agent`. */
export const ENTRIES = ['index', 'keys/index', 'agent/index'].map((entry) => join(PROJECT, 'dist', `${entry}.d.ts`));

/** Every exported name of a declaration file, and of those that it exports from. */
export function declarationsOf(file: string): Declaration[] {
  const text = readFileSync(file, 'utf8');
  const elsewhere = [...text.matchAll(/^export (?:type )?(\{[^}]*\}|\*) from '(\.[^']*)';/gm)];
  return [
    ...ownDeclarations(text),
    ...elsewhere.flatMap(([, names, from]) => pick(names!, join(dirname(file), from!))),
  ];
}

function pick(names: string, module: string): Declaration[] {
  const all = declarationsOf(module.replace(/\.[jt]s$/, '.d.ts'));
  if (names === '*') return all;
  const wanted = [...names.matchAll(/(?:type )?(\w+)(?= *[,}])/g)].map(([, name]) => name);
  return all.filter(({ name }) => wanted.includes(name));
}

const BEGINS = /^export (?:declare )?(class|interface|type|function|const) (\w+)/gm;

function ownDeclarations(text: string): Declaration[] {
  return [...text.matchAll(BEGINS)].map(({ 1: kind, 2: name, index }) => {
    const end = text.slice(index).search(/\n(?=\S)(?!\})/);
    return {
      name: name!,
      kind: kind as Declaration['kind'],
      text: end === -1 ? text.slice(index) : text.slice(index, index + end),
      documented: /\*\/\n$/.test(text.slice(0, index)),
    };
  });
}
