/** Random histories of a hierarchy, in each kind of store, against a model that knows the rules of docs/keys.md and nothing else. */

import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import type { KeyHierarchy } from '../lib/keys/index.ts';
import { EXPLORING, explore } from './helpers/explore.ts';
import { ENTITY, freshPlace, openHierarchy } from './helpers/hierarchy.ts';
import { STORE_KINDS } from './helpers/stores.ts';

type State = 'active' | 'disabled' | 'removed';

interface ModelWorking {
  id: string;
  area: string;
  master: string;
  state: 'active' | 'retired' | 'removed';
  used: boolean;
}

interface Model {
  masters: Map<string, State>;
  current: string;
  working: ModelWorking[];
  records: { area: string; bytes: Uint8Array; sealed: Uint8Array; working: string }[];
  entries: number;
}

interface Real {
  keys: KeyHierarchy;
  reopen(): Promise<void>;
}

/** An operation: what the model says comes of it, and what comes of it. */
type Outcome = { error: string } | { effect: () => void };

const AREAS = ['models', 'features'];
const refuse = (error: string): Outcome => ({ error });

abstract class Operation implements fc.AsyncCommand<Model, Real> {
  check(): boolean {
    return true;
  }
  abstract expected(model: Model): Outcome;
  abstract act(model: Model, real: Real): Promise<unknown>;
  /** What the model learns of the result. */
  learn(_model: Model, _result: unknown, _real: Real): Promise<void> | void {}

  async run(model: Model, real: Real): Promise<void> {
    const outcome = this.expected(model);
    let result: unknown;
    let code: string | null = null;
    try {
      result = await this.act(model, real);
    } catch (error) {
      code = (error as { code?: string }).code ?? String(error);
    }
    expect(code, this.toString()).toBe('error' in outcome ? outcome.error : null);
    if ('effect' in outcome) {
      outcome.effect();
      await this.learn(model, result, real);
    }
    await compare(model, real);
  }

  toString(): string {
    return `${this.constructor.name} ${JSON.stringify(this)}`;
  }
}

/** Picks one of a list by a number that does not know its length. */
const pick = <T>(items: readonly T[], number: number): T => items[number % items.length]!;
const masterAt = (model: Model, number: number) => pick([...model.masters.keys()], number);
const encrypting = (model: Model, area: string) =>
  model.working.find((key) => key.area === area && key.state === 'active' && key.master === model.current);

function retireActive(model: Model, area: string): void {
  for (const key of model.working) if (key.area === area && key.state === 'active') key.state = 'retired';
}

class Create extends Operation {
  expected = (): Outcome => ({ effect: () => {} });
  act = (_model: Model, { keys }: Real) => keys.masters.create();
  override learn(model: Model, id: unknown): void {
    model.masters.set(id as string, 'active');
    model.entries += 1;
  }
}

class RotateNew extends Operation {
  expected = (): Outcome => ({ effect: () => {} });
  act = (_model: Model, { keys }: Real) => keys.masters.rotate();
  override learn(model: Model, id: unknown): void {
    model.masters.set(id as string, 'active');
    model.current = id as string;
    model.entries += 1;
  }
}

class MasterOperation extends Operation {
  readonly number: number;
  readonly kind: 'rotate' | 'disable' | 'enable' | 'remove';
  constructor(number: number, kind: MasterOperation['kind']) {
    super();
    this.number = number;
    this.kind = kind;
  }
  expected(model: Model): Outcome {
    const id = masterAt(model, this.number);
    const state = model.masters.get(id)!;
    if (state === 'removed') return refuse('ERR_KEY_UNKNOWN');
    const change = (set: () => void, changes: boolean): Outcome => ({
      effect: () => {
        set();
        if (changes) model.entries += 1;
      },
    });
    switch (this.kind) {
      case 'rotate':
        if (state === 'disabled') return refuse('ERR_KEY_DISABLED');
        return change(() => {}, model.current !== id);
      case 'disable':
        return change(() => model.masters.set(id, 'disabled'), state === 'active');
      case 'enable':
        return change(() => model.masters.set(id, 'active'), state === 'disabled');
      case 'remove': {
        const depends = model.working.some((key) => key.master === id && key.state !== 'removed');
        return depends || model.current === id
          ? refuse('ERR_KEY_IN_USE')
          : change(() => model.masters.set(id, 'removed'), true);
      }
    }
  }
  act(model: Model, { keys }: Real): Promise<unknown> {
    const id = masterAt(model, this.number);
    return this.kind === 'rotate' ? keys.masters.rotate({ id }) : keys.masters[this.kind](id);
  }
  override learn(model: Model, id: unknown): void {
    if (this.kind === 'rotate') model.current = id as string;
  }
}

class Protect extends Operation {
  readonly area: string;
  readonly bytes: Uint8Array;
  constructor(area: string, bytes: Uint8Array) {
    super();
    this.area = area;
    this.bytes = bytes;
  }
  expected(model: Model): Outcome {
    if (model.masters.get(model.current) !== 'active') return refuse('ERR_KEY_DISABLED');
    return {
      effect: () => {
        if (encrypting(model, this.area) !== undefined) return;
        retireActive(model, this.area);
        model.entries += 1;
      },
    };
  }
  act = (_model: Model, { keys }: Real) => keys.protect(this.area, ENTITY, this.bytes);
  override async learn(model: Model, result: unknown, { keys }: Real): Promise<void> {
    const newest = (await keys.working.list(this.area)).at(-1)!;
    if (encrypting(model, this.area) === undefined) {
      model.working.push({ id: newest.id, area: this.area, master: newest.master, state: 'active', used: true });
    }
    encrypting(model, this.area)!.used = true;
    model.records.push({ area: this.area, bytes: this.bytes, sealed: result as Uint8Array, working: newest.id });
  }
}

class Unprotect extends Operation {
  readonly number: number;
  constructor(number: number) {
    super();
    this.number = number;
  }
  override check = (model?: Readonly<Model>): boolean => (model?.records.length ?? 0) > 0;
  expected(model: Model): Outcome {
    const key = model.working.find((row) => row.id === pick(model.records, this.number).working)!;
    if (key.state === 'removed') return refuse('ERR_KEY_UNKNOWN');
    return model.masters.get(key.master) === 'active' ? { effect: () => {} } : refuse('ERR_KEY_DISABLED');
  }
  act(model: Model, { keys }: Real): Promise<unknown> {
    const { area, sealed } = pick(model.records, this.number);
    return keys.unprotect(area, ENTITY, sealed);
  }
  override learn(model: Model, result: unknown): void {
    expect(result).toEqual(pick(model.records, this.number).bytes);
  }
}

class RotateWorking extends Operation {
  readonly area: string;
  constructor(area: string) {
    super();
    this.area = area;
  }
  expected(model: Model): Outcome {
    if (model.masters.get(model.current) !== 'active') return refuse('ERR_KEY_DISABLED');
    return { effect: () => retireActive(model, this.area) };
  }
  act = (_model: Model, { keys }: Real) => keys.working.rotate(this.area);
  override learn(model: Model, id: unknown): void {
    model.working.push({ id: id as string, area: this.area, master: model.current, state: 'active', used: false });
    model.entries += 1;
  }
}

class RemoveWorking extends Operation {
  readonly number: number;
  readonly force: boolean;
  constructor(number: number, force: boolean) {
    super();
    this.number = number;
    this.force = force;
  }
  override check = (model?: Readonly<Model>): boolean => (model?.working.length ?? 0) > 0;
  expected(model: Model): Outcome {
    const key = pick(model.working, this.number);
    if (key.state === 'removed') return refuse('ERR_KEY_UNKNOWN');
    if (key.used && !this.force) return refuse('ERR_KEY_IN_USE');
    return {
      effect: () => {
        key.state = 'removed';
        model.entries += 1;
      },
    };
  }
  act = (model: Model, { keys }: Real) =>
    keys.working.remove(pick(model.working, this.number).id, { force: this.force });
}

class Reopen extends Operation {
  expected = (): Outcome => ({ effect: () => {} });
  act = (_model: Model, real: Real) => real.reopen();
}

async function compare(model: Model, { keys }: Real): Promise<void> {
  const masters = await keys.masters.list();
  expect(new Map(masters.map((row) => [row.id, row.state]))).toEqual(model.masters);
  expect(masters.filter((row) => row.current).map((row) => row.id)).toEqual([model.current]);
  const working = await keys.working.list();
  const states = (rows: readonly { id: string; state: string; master: string }[]) =>
    rows.map(({ id, state, master }) => `${id} ${state} ${master}`).sort();
  expect(states(working)).toEqual(states(model.working));
  expect(await keys.audit.verify()).toEqual({ entries: model.entries });
}

const number = fc.nat(20);
const area = fc.constantFrom(...AREAS);
const operations = fc.commands(
  [
    fc.constant(new Create()),
    fc.constant(new RotateNew()),
    fc.constant(new Reopen()),
    fc
      .tuple(number, fc.constantFrom('rotate', 'disable', 'enable', 'remove'))
      .map(([n, kind]) => new MasterOperation(n, kind as MasterOperation['kind'])),
    fc.tuple(area, fc.uint8Array({ maxLength: 40 })).map(([name, bytes]) => new Protect(name, bytes)),
    number.map((n) => new Unprotect(n)),
    area.map((name) => new RotateWorking(name)),
    fc.tuple(number, fc.boolean()).map(([n, force]) => new RemoveWorking(n, force)),
  ],
  { maxCommands: 30 },
);

/** A store costs more where every statement is a message. */
const RUNS: Readonly<Record<string, number>> = { SQLite: 30, PostgreSQL: 12 };

describe.each(STORE_KINDS)('$name', (kind) => {
  beforeAll(() => kind.prepare());

  test('whatever is done in whatever order, the hierarchy is as its rules say', { timeout: EXPLORING }, async () => {
    await explore(
      fc.asyncProperty(operations, async (commands) => {
        const at = await freshPlace(kind);
        const real: Real = {
          keys: await openHierarchy(at),
          async reopen() {
            await real.keys.close();
            real.keys = await openHierarchy(at);
          },
        };
        const [first] = await real.keys.masters.list();
        const model: Model = {
          masters: new Map([[first!.id, 'active']]),
          current: first!.id,
          working: [],
          records: [],
          entries: 1,
        };
        await fc.asyncModelRun(() => ({ model, real }), commands);
        await real.keys.close();
      }),
      RUNS[kind.name]!,
    );
  });
});
