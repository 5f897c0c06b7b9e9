/** The small languages of `callseal reencrypt`: names of tables and columns, and what a row's entity is made of. */

import { describe, expect, it } from 'vitest';
import { EntityColumns } from '../lib/keys/reencryption/entity-columns.ts';
import { parseNames, quoteName } from '../lib/keys/reencryption/names.ts';
import { Pace } from '../lib/keys/reencryption/pace.ts';
import { refusalOf } from './helpers/errors.ts';

describe('names', () => {
  it.each([
    ['voice_models', '.', ['voice_models']],
    ['voice.Models', '.', ['voice', 'Models']],
    ['"weird.name"."a""b"', '.', ['weird.name', 'a"b']],
    ['tenant_id,id', ',', ['tenant_id', 'id']],
    ['größe,"x y",a$1', ',', ['größe', 'x y', 'a$1']],
  ] as const)('%s', (text, separator, names) => {
    expect(parseNames(text, separator, '--table')).toEqual(names);
  });

  it.each(['', 'a b', '1a', 'a..b', 'a.', '.a', '"a', '""', 'a; DROP TABLE b', 'a--', "a'", `"${'x'.repeat(300)}"`])(
    'refuses %s',
    (text) => {
      expect(() => parseNames(text, '.', '--table')).toThrow(/--table/);
    },
  );

  it('refuses a column named twice', () => {
    expect(() => parseNames('id,"id"', ',', '--key')).toThrow('--key: id is named twice');
  });

  it('quotes what is special', () => {
    expect(quoteName('a"; DROP TABLE b; --')).toBe('"a""; DROP TABLE b; --"');
  });
});

describe('--entity', () => {
  it('takes columns for id and tenant, texts for type and field', () => {
    const entity = EntityColumns.parse('type=claimant,id=claimant_id,field=template');
    expect(entity.columns).toEqual(['claimant_id']);
    expect(entity.entityOf(['c-41'])).toEqual({ tenant: '', type: 'claimant', id: 'c-41', field: 'template' });
  });

  it('takes either by its quotes', () => {
    const entity = EntityColumns.parse(`tenant='acme, inc.',type="kind",id="The ID",field='it''s'`);
    expect(entity.columns).toEqual(['kind', 'The ID']);
    expect(entity.entityOf(['user', '7'])).toEqual({ tenant: 'acme, inc.', type: 'user', id: '7', field: "it's" });
  });

  it('reads a column once that is used twice', () => {
    const entity = EntityColumns.parse('tenant=id,type=a,id=id');
    expect(entity.columns).toEqual(['id']);
    expect(entity.entityOf(['x'])).toEqual({ tenant: 'x', type: 'a', id: 'x', field: '' });
  });

  it('has one text for one meaning', () => {
    expect(EntityColumns.parse('field=b,id=x,type=a').toString()).toBe(`type='a',id="x",field='b'`);
    expect(EntityColumns.parse(`type='a',id="x",field='b'`).toString()).toBe(`type='a',id="x",field='b'`);
  });

  it('adds a fixed tenant, once', () => {
    expect(EntityColumns.parse('type=a,id=b').withTenant('acme').entityOf(['1']).tenant).toBe('acme');
    expect(() => EntityColumns.parse('type=a,id=b,tenant=t').withTenant('acme')).toThrow(/tenant is given in/);
  });

  it.each([
    ['', 'does not begin with one of'],
    ['type=a', 'id is missing'],
    ['id=a', 'type is missing'],
    ['type=a,id=b,', 'does not begin with one of'],
    ['type=a,id=b,type=c', 'type is given twice'],
    ['type=a, id=b', 'does not begin with one of'],
    ["type=a,id='b'", 'all rows would be one entity'],
    ['type=a,id=1b', 'id has no value that is understood'],
    ['type=,id=b', 'type has no value that is understood'],
    ["type='a,id=b", 'type has no value that is understood'],
    ["type='a'b,id=c", 'a comma belongs between'],
    ['type=a,id=b;c', 'a comma belongs between'],
    ['name=a', 'does not begin with one of'],
  ])('refuses %s', (text, message) => {
    expect(() => EntityColumns.parse(text)).toThrow(message);
  });

  it('refuses a row without an id', async () => {
    const entity = EntityColumns.parse('tenant=t,type=a,id=b');
    const { code, message } = await refusalOf(() => entity.entityOf(['acme', null]));
    expect([code, message]).toEqual(['ERR_INVALID_ARGUMENT', 'the row has no id: "b" is empty']);
    expect(entity.entityOf([null, '1']).tenant).toBe('');
  });
});

describe('pace', () => {
  it('does not wait without a limit', async () => {
    const pace = new Pace(Number.POSITIVE_INFINITY);
    for (let n = 0; n < 10_000; n += 1) await pace.step();
  });

  it('lets no more through than it should', async () => {
    const pace = new Pace(200);
    const began = performance.now();
    for (let n = 0; n < 41; n += 1) await pace.step();
    // 41 steps begin over 40 intervals of 5 ms, less what is saved up.
    expect(performance.now() - began).toBeGreaterThan(150);
  });

  it('ends when it is told to', async () => {
    const controller = new AbortController();
    const pace = new Pace(0.1, controller.signal);
    await pace.step();
    setTimeout(() => controller.abort(new Error('enough')), 20);
    await expect(pace.step()).rejects.toMatchObject({ code: 'ERR_ABORTED', cause: new Error('enough') });
  });
});
