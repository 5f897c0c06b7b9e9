/** The list of files: recipients as each file claims them, in bounds, and told once. */

import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { RecipientEntry } from '../lib/callfile/recipients-block.ts';
import type { FileListing, FileView } from '../lib/desk/protocol.ts';
import { plainNameOf } from '../lib/desk/sealed-file.ts';
import { DeskClient, startDesk } from './helpers/desk.ts';
import { headerBytes, sampleFields } from './helpers/header-bytes.ts';
import { tempDir } from './helpers/temp.ts';

const FIELDS = sampleFields();
const [ENTRY] = FIELDS.entries as [RecipientEntry];

/** A file that ends behind its header; whoever wrote it has chosen what it claims. */
function forge(root: string, name: string, entries: RecipientEntry[]): void {
  writeFileSync(join(root, `${name}.sealed`), headerBytes({ ...FIELDS, entries }));
}

const claim = (subject: string): RecipientEntry => ({
  ...ENTRY,
  certificate: { ...ENTRY.certificate!, subject, issuer: subject },
});

const another = (name: string): RecipientEntry => ({
  ...claim(name),
  keyId: createHash('sha256').update(name).digest(),
});

const ask = (client: DeskClient, from = 0, known = 0) =>
  client.json<FileListing>('GET', `/api/files?from=${from}&known=${known}`);

it('shows of each file what it claims itself, and of no other', async () => {
  const root = tempDir();
  forge(root, 'a', [claim('CN=Eve')]);
  forge(root, 'b', [claim('CN=Mary')]);
  forge(root, 'c', [claim('CN=Mary')]);
  const client = await DeskClient.enter(await startDesk({ paths: [root] }));
  const { files, recipients } = await ask(client);
  const subjects = ({ recipients: places }: FileView) => places.map((place) => recipients[place]?.certificate?.subject);
  expect(Object.fromEntries(files.map((file) => [file.name, subjects(file)]))).toEqual({
    'a.sealed': ['CN=Eve'],
    'b.sealed': ['CN=Mary'],
    'c.sealed': ['CN=Mary'],
  });
  expect(recipients).toHaveLength(2);
});

it('tells a recipient once, and one that is new alone', async () => {
  const root = tempDir();
  forge(root, 'a', [another('CN=Mary'), another('CN=Fred')]);
  const test = await startDesk({ paths: [root] });
  const client = await DeskClient.enter(test);
  expect(await ask(client)).toMatchObject({ recipientsFrom: 0, recipients: [{}, {}] });
  expect(await ask(client, 1, 2)).toMatchObject({ files: [], recipientsFrom: 2, recipients: [] });
  forge(root, 'b', [another('CN=Lucy'), another('CN=Mary')]);
  await test.desk.shelf.scan();
  const again = await ask(client, 1, 2);
  expect(again).toMatchObject({ recipientsFrom: 2, recipients: [{ certificate: { subject: 'CN=Lucy' } }] });
  expect(again.files.map(({ recipients }) => recipients).sort()).toEqual([
    [0, 1],
    [2, 0],
  ]);
});

it('keeps in bounds what strangers make it list', async () => {
  const root = tempDir();
  const crowd = (of: string, number: number) => Array.from({ length: number }, (_, n) => another(`CN=${of}${n}`));
  forge(root, 'crowd', crowd('crowd', 4096));
  forge(root, 'long', [claim(`CN=${'x'.repeat(8000)}`)]);
  for (let n = 0; n < 101; n++) forge(root, `file-${n}`, crowd(`file-${n}-`, 100));
  const client = await DeskClient.enter(await startDesk({ paths: [root] }));
  const { files, recipients } = await ask(client);
  expect(files).toHaveLength(103);
  expect(recipients).toHaveLength(10_000);
  const placed = files.flatMap((file) => file.recipients);
  const left = files.reduce((sum, { unlisted }) => sum + unlisted, 0);
  expect(placed.length + left).toBe(4096 + 1 + 101 * 100);
  expect(files.find(({ name }) => name === 'crowd.sealed')!.recipients.length).toBeLessThanOrEqual(100);
  expect(JSON.stringify(recipients)).not.toContain('x'.repeat(301));
});

it('misses no file when it is asked while it looks', async () => {
  const root = tempDir();
  for (let n = 0; n < 200; n++) forge(root, `file-${n}`, [ENTRY]);
  for (let n = 0; n < 50; n++) writeFileSync(join(root, `other-${n}`), 'plain');
  const { desk } = await startDesk({ paths: [root] });
  const seen: number[] = [];
  let from = 200;
  const scan = desk.shelf.scan();
  for (let listing = desk.shelf.listing(from, 0); ; listing = desk.shelf.listing(from, 0)) {
    seen.push(...listing.files.map(({ id }) => id));
    from = Math.max(from, ...listing.files.map(({ id }) => id + 1));
    if (!listing.scanning) break;
    await nextTurn();
  }
  await scan;
  // Numbers of files that are not listed would be gaps, in which one may turn up later.
  expect(seen).toEqual(Array.from({ length: 200 }, (_, n) => 200 + n));
});

it('calls a decrypted copy by a name that a file can have', () => {
  const names = ['a.sealed', 'sub/a.sealed', 'a', '.sealed', 'sub/.sealed', '..sealed', '...sealed', 'sub/...sealed'];
  expect(names.map((name) => plainNameOf(name, '.sealed'))).toEqual([
    ...['a', 'sub/a', 'a.plain', '.sealed.plain', 'sub/.sealed.plain'],
    ...['..sealed.plain', '...sealed.plain', 'sub/...sealed.plain'],
  ]);
});
