/** What the check for unused exports reads of a source: all but comments, in which a name is no use of it. */

import { expect, it } from 'vitest';
import { withoutComments } from '../scripts/exports/without-comments.mjs';

it.each([
  ["const a = '/api/*/bytes';\nconst b = used;\nconst c = '/media/*/sound';", null],
  ["const a = 'https://host/'; export const b = 1;", null],
  ['const a = `\n// text\n/* text */`;', null],
  ['const a = /[/]*\\/\\/*/; export const b = 1;', null],
  ['/** dead */ export const a = 1; // dead', '            export const a = 1;        '],
  ['const a: string = "’"; /* dead\ndead */ b();', 'const a: string = "’";        \n        b();'],
])('%j', (text, bare) => {
  expect(withoutComments('a.ts', text)).toBe(bare ?? text);
});

it('says which file cannot be parsed', () => {
  expect(() => withoutComments('odd.ts', 'const = ;')).toThrow('odd.ts cannot be parsed');
});
