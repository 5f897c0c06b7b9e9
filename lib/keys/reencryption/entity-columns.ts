/**
 * Which columns of a table, or which fixed texts, make up the entity of a row: `--entity`.
 *
 *     LIST  = PART *( "," PART )
 *     PART  = ( "tenant" | "type" | "id" | "field" ) "=" VALUE
 *     VALUE = 'text' | "column" | word
 *
 * In single quotes a text (`''` for a quote), in double quotes a column. A bare word is a column for `tenant` and `id`, which
 * differ from row to row, and a text for `type` and `field`, which do not. No spaces. It never depends on what columns the
 * table has.
 */

import { CallsealError } from '../../errors.ts';
import type { Entity } from '../entity.ts';
import { takeName } from './names.ts';

const PARTS = ['tenant', 'type', 'id', 'field'] as const;
type Part = (typeof PARTS)[number];

/** Parts whose bare words are columns. */
const PER_ROW: readonly Part[] = ['tenant', 'id'];
const REQUIRED: readonly Part[] = ['type', 'id'];

const TEXT = /^'((?:[^']|'')*)'/;
/** A bare text may have what ids and names of types have; anything else goes into quotes. */
const WORD = /^[^\s,'"=]+/;

export type EntityValue = { readonly column: string } | { readonly text: string };

/** How to make each row's entity. */
export class EntityColumns {
  readonly #values: ReadonlyMap<Part, EntityValue>;

  private constructor(values: ReadonlyMap<Part, EntityValue>) {
    this.#values = values;
  }

  /** @throws {CallsealError} `ERR_INVALID_ARGUMENT` */
  static parse(list: string): EntityColumns {
    const values = new Map<Part, EntityValue>();
    for (let rest = list; ; ) {
      const part = PARTS.find((name) => rest.startsWith(`${name}=`));
      if (part === undefined) throw wrong(`"${rest}" does not begin with one of ${PARTS.join('=, ')}=`);
      if (values.has(part)) throw wrong(`${part} is given twice`);
      const taken = takeValue(part, rest.slice(part.length + 1));
      values.set(part, taken.value);
      if (taken.rest === '') break;
      if (!taken.rest.startsWith(','))
        throw wrong(`"${taken.rest}" follows ${part}; a comma belongs between two parts`);
      rest = taken.rest.slice(1);
    }
    return EntityColumns.#of(values);
  }

  static #of(values: ReadonlyMap<Part, EntityValue>): EntityColumns {
    for (const part of REQUIRED)
      if (!values.has(part)) throw wrong(`${part} is missing; an entity has a type and an id`);
    if ([...values.values()].every((value) => 'text' in value)) {
      throw wrong("all rows would be one entity; name the column with each row's id, as in id=claimant_id");
    }
    return new EntityColumns(values);
  }

  /** With a fixed tenant. */
  withTenant(tenant: string): EntityColumns {
    if (this.#values.has('tenant')) throw wrong('tenant is given in --entity and in --tenant');
    return EntityColumns.#of(new Map(this.#values).set('tenant', { text: tenant }));
  }

  /** Columns to read, in order, each once. */
  get columns(): string[] {
    const columns = [...this.#values.values()].flatMap((value) => ('column' in value ? [value.column] : []));
    return [...new Set(columns)];
  }

  /**
   * A row's entity.
   *
   * @param texts values of {@link columns}, in that order; null where a row has none
   * @throws {CallsealError} `ERR_INVALID_ARGUMENT` for a row without type or id.
   */
  entityOf(texts: readonly (string | null)[]): Entity {
    const { columns } = this;
    const of = (part: Part): string => {
      const value = this.#values.get(part);
      if (value === undefined) return '';
      return 'text' in value ? value.text : (texts[columns.indexOf(value.column)] ?? '');
    };
    const entity = { tenant: of('tenant'), type: of('type'), id: of('id'), field: of('field') };
    for (const part of ['type', 'id'] as const) {
      if (entity[part] === '') {
        throw new CallsealError('ERR_INVALID_ARGUMENT', `the row has no ${part}: ${this.#describe(part)} is empty`);
      }
    }
    return entity;
  }

  /** One text for one meaning, for what is kept about the job. */
  toString(): string {
    return PARTS.filter((part) => this.#values.has(part))
      .map((part) => `${part}=${this.#describe(part)}`)
      .join(',');
  }

  #describe(part: Part): string {
    const value = this.#values.get(part)!;
    return 'text' in value ? `'${value.text.replaceAll("'", "''")}'` : `"${value.column.replaceAll('"', '""')}"`;
  }
}

function takeValue(part: Part, text: string): { value: EntityValue; rest: string } {
  const quoted = TEXT.exec(text);
  if (quoted !== null) {
    return { value: { text: quoted[1]!.replaceAll("''", "'") }, rest: text.slice(quoted[0].length) };
  }
  if (PER_ROW.includes(part) || text.startsWith('"')) {
    const column = takeName(text);
    if (column !== null) return { value: { column: column.name }, rest: column.rest };
  } else {
    const word = WORD.exec(text);
    if (word !== null) return { value: { text: word[0] }, rest: text.slice(word[0].length) };
  }
  throw wrong(`${part} has no value that is understood in "${text}"; give a column, or a text in single quotes`);
}

function wrong(why: string): CallsealError {
  return new CallsealError('ERR_INVALID_ARGUMENT', `--entity: ${why}`);
}
