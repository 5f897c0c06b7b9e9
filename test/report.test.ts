/** Reports on directories: exact on a known tree, bounded on a large one, and harmless with hostile names. */

import { linkSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { SUITE_NAME } from '../lib/callfile/format.ts';
import type { EntryCertificate, RecipientEntry } from '../lib/callfile/recipients-block.ts';
import { TEMPORARY_NAME } from '../lib/locked-temporary.ts';
import { addTo, emptyListing, LISTED, Rows } from '../lib/report/listing.ts';
import { reportPage } from '../lib/report/page.ts';
import { type DirectoryReport, reportOn } from '../lib/report/report.ts';
import { reportText } from '../lib/report/text.ts';
import { callseal } from './helpers/cli.ts';
import { codeOf } from './helpers/errors.ts';
import { headerBytes, sampleFields } from './helpers/header-bytes.ts';
import { tempDir } from './helpers/temp.ts';

const DAY = 86_400;
/** Whole seconds, as certificates have them; the command judges by the clock. */
const NOW = new Date(Math.floor(Date.now() / 1000) * 1000);
const SECONDS = NOW.getTime() / 1000;

interface Person {
  id: number;
  bits?: number;
  /** Null for a bare key. */
  subject: string | null;
  /** Days from now. */
  from?: number;
  until?: number;
}

const MARY: Person = { id: 1, subject: 'CN=Mary', until: 400 };
const FRED: Person = { id: 2, subject: 'CN=Fred', bits: 3072, until: 59 };
const GONE: Person = { id: 3, subject: 'CN=Gone', until: -3 };
const SOON: Person = { id: 4, subject: 'CN=Soon', from: 5, until: 500 };
const BARE: Person = { id: 5, subject: null, bits: 4096 };

function entryOf({ id, bits = 2048, subject, from = -500, until = 0 }: Person): RecipientEntry {
  const certificate: EntryCertificate | null =
    subject === null
      ? null
      : {
          sha256: new Uint8Array(32).fill(0x40 + id),
          notBefore: SECONDS + from * DAY,
          notAfter: SECONDS + until * DAY,
          serial: Uint8Array.of(id),
          subject,
          issuer: 'CN=Authority',
        };
  return { keyId: new Uint8Array(32).fill(id), wrappedKey: new Uint8Array(bits / 8).fill(7), certificate };
}

interface CallFile {
  people: Person[];
  made?: string;
  segmentLength?: number;
  /** Plaintext bytes. */
  length?: number;
}

/** A file that is a complete call file to whoever has no key. */
function callFile({ people, made = '2026-10-31T23:59:59.999Z', segmentLength = 4096, length = 100 }: CallFile): Buffer {
  const { mac, floeRest } = sampleFields();
  const prelude = { fileId: new Uint8Array(16), createdAt: Date.parse(made), signed: false };
  const header = headerBytes({ prelude, entries: people.map(entryOf), mac, segmentLength, floeRest });
  const segment = Buffer.alloc(length + 32);
  segment.writeUInt32BE(segment.length);
  return Buffer.concat([header, segment]);
}

const OPTIONS = {
  suffix: '.sealed',
  warnDays: 60,
  minBits: 3072,
  now: NOW,
  isUnfinished: (name: string) => TEMPORARY_NAME.test(name),
};
const report = (...directories: string[]): Promise<DirectoryReport> => reportOn(directories, OPTIONS);

/** Writes files by name below a fresh directory. */
function tree(files: Readonly<Record<string, string | Uint8Array>>): string {
  const root = tempDir();
  for (const [name, content] of Object.entries(files)) {
    const path = join(root, name);
    mkdirSync(join(path, '..'), { recursive: true });
    writeFileSync(path, content);
  }
  return root;
}

describe('a known tree', () => {
  const both = callFile({ people: [MARY, FRED] });
  const november = callFile({
    people: [MARY, BARE],
    made: '2026-11-01T00:00:00Z',
    segmentLength: 65_536,
    length: 5000,
  });
  const single = callFile({ people: [GONE], length: 0 });
  const later = callFile({ people: [SOON, MARY] });
  const strange = Buffer.from(both);
  strange.writeUInt16BE(2, 8);
  const broken = Buffer.from(both);
  broken[40] = 1;
  const files = {
    'a/both.sealed': both,
    'a/in-place': november,
    'a/single.sealed': single,
    'b/c/cut.sealed': later.subarray(0, -5),
    'b/c/longer.sealed': Buffer.concat([both, Buffer.alloc(3)]),
    'b/broken.sealed': broken,
    'b/strange.sealed': strange,
    'b/head.sealed': both.subarray(0, 60),
    'b/other.sealed': 'not ours',
    'b/plain': 'hello',
    'b/.x.0123456789abcdef.callseal-tmp': 'half',
    'b/empty': '',
  };

  it('is reported exactly', async () => {
    const root = tree(files);
    symlinkSync('both.sealed', join(root, 'a/link'));
    const found = await report(join(root, 'a'), join(root, 'b'));
    const sum = (...parts: { length: number }[]): number => parts.reduce((total, { length }) => total + length, 0);
    const callFiles = [both, november, single, files['b/c/cut.sealed'], files['b/c/longer.sealed']];
    expect(found.totals).toEqual({
      all: { files: 12, bytes: sum(...Object.values(files)) },
      callFiles: { files: 5, bytes: sum(...callFiles), complete: 3, signed: 0, plaintextBytes: 5100 },
      empty: 1,
      passedOver: 1,
    });
    const listed = Object.entries(found.problems).map(([kind, { listed: rows, files: number }]) => {
      expect(rows).toHaveLength(number);
      return [kind, ...rows.map(({ file, message }) => `${file.slice(root.length + 1)}: ${message}`)];
    });
    expect(Object.fromEntries(listed.map(([kind, ...rows]) => [kind, rows]))).toEqual({
      plaintext: ['b/plain: is not encrypted'],
      truncated: [
        expect.stringMatching(/^b\/c\/cut\.sealed: its last segment has 127 of 132/),
        expect.stringMatching(/^b\/head\.sealed: is incomplete: it ends after 60/),
      ],
      damaged: [
        expect.stringMatching(/^b\/broken\.sealed: byte 40/),
        'b/c/longer.sealed: 3 bytes follow its last segment',
      ],
      misnamed: ['b/other.sealed: ends in .sealed and is not a Callseal file'],
      unsupported: [expect.stringMatching(/^b\/strange\.sealed: byte 8/)],
      unfinished: ['b/.x.0123456789abcdef.callseal-tmp: left by a process that was killed'],
      unreadable: [],
      singleRecipient: ['a/single.sealed: only CN=Gone opens it'],
    });
    const row = (person: Person, rest: object) => ({
      subject: person.subject,
      issuer: person.subject && 'CN=Authority',
      keyId: Buffer.alloc(32, person.id).toString('hex'),
      certificate: person.subject && Buffer.alloc(32, 0x40 + person.id).toString('hex'),
      keyWrap: 'RSA-OAEP-SHA256',
      bits: person.bits ?? 2048,
      weak: person.bits === undefined,
      notBefore: person.subject && new Date((SECONDS + (person.from ?? -500) * DAY) * 1000),
      notAfter: person.subject && new Date((SECONDS + (person.until ?? 0) * DAY) * 1000),
      daysLeft: person.until ?? null,
      onlyKeyOf: 0,
      ...rest,
    });
    expect(found.recipients).toEqual([
      row(MARY, { validity: 'valid', files: 4, bytes: sum(both, november, ...callFiles.slice(3)) }),
      row(FRED, { validity: 'expiring', files: 2, bytes: 2 * both.length + 3 }),
      row(GONE, { validity: 'expired', files: 1, bytes: single.length, onlyKeyOf: 1 }),
      row(SOON, { validity: 'not yet valid', files: 1, bytes: later.length - 5 }),
      row(BARE, { validity: 'bare', files: 1, bytes: november.length }),
    ]);
    const suite = { suite: { id: 1, name: SUITE_NAME }, version: 1, keyWraps: ['RSA-OAEP-SHA256'] };
    const october = sum(...callFiles) - november.length;
    expect(found.algorithms).toEqual([
      { ...suite, segmentLength: 4096, files: 4, bytes: october },
      { ...suite, segmentLength: 65_536, files: 1, bytes: november.length },
    ]);
    expect(found.months).toEqual([
      { month: '2026-10', files: 4, bytes: october, plaintextBytes: 100 },
      { month: '2026-11', files: 1, bytes: november.length, plaintextBytes: 5000 },
    ]);
    expect(found).toMatchObject({ format: 1, made: NOW, warnDays: 60, minBits: 3072 });
    expect(found.leftOut).toEqual({ recipients: 0, signers: 0, algorithms: 0, months: 0 });
  });

  it('is the same from the command line, as JSON, text and page', async () => {
    const root = tree(files);
    const json = await callseal(['report', '--json', '--html', 'page.html', '--min-bits', '3072', 'a', 'b'], {
      cwd: root,
    });
    expect([json.status, json.stderr]).toEqual([0, 'callseal: report: page.html: the page\n']);
    const found = await report(join(root, 'a'), join(root, 'b'));
    const document = JSON.parse(json.stdout.toString());
    expect(document.totals).toEqual({ ...found.totals, passedOver: 0 });
    expect(document.problems.damaged.listed[1].file).toBe('b/c/longer.sealed');
    expect(document.months).toEqual(found.months);
    expect(document.recipients[0]).toMatchObject({
      subject: 'CN=Mary',
      files: 4,
      notAfter: expect.stringMatching(/Z$/),
    });
    const page = readFileSync(join(root, 'page.html'), 'utf8');
    for (const text of ['CN=Mary', 'b/plain', '1 file not encrypted', '2026-11']) expect(page).toContain(text);
    const text = await callseal(['report', '--html', 'page.html', 'a', 'b'], { cwd: root });
    expect([text.status, text.stderr]).toEqual([13, expect.stringContaining('exists')]);
    const lines = (await callseal(['report', '--min-bits', '3072', 'a', 'b'], { cwd: root })).stdout.toString();
    expect(lines).toMatch(/12 files .* of which 5 encrypted .* 3 of them complete; 1 file empty/);
    expect(lines).toMatch(/CN=Mary +RSA 2048 +4 .*WEAK/);
    expect(lines).toMatch(/CN=Fred +RSA 3072 +2 .*EXPIRING/);
  });
});

describe('hostile names', () => {
  const evil = '<script>alert("x")</script>&\'';
  const names = {
    '<img src=x onerror=alert(1)>.sealed': 'not ours',
    'line\n<b>break': 'hello',
    'right\u202eto left\u0007': 'hello',
    'call.sealed': callFile({ people: [{ id: 1, subject: `CN=${evil}\u202e`, until: 10 }, MARY].slice(0, 1) }),
  };

  it('are escaped on the page, and say what they are', async () => {
    const page = reportPage(await report(tree(names)), '0.0.0 <i>');
    expect(page).not.toMatch(/<(script|img|i|link|iframe)\b/i);
    expect(page.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\u202e]/u);
    expect(page).not.toMatch(/https?:|@import|url\(/);
    expect(page).toContain('&lt;img src=x onerror=alert(1)&gt;.sealed');
    expect(page).toContain('line\\n&lt;b&gt;break');
    expect(page).toContain('CN=&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;&amp;&#39;\\u{202e}');
  });

  it('move no cursor in the text', async () => {
    const text = reportText(await report(tree(names)));
    for (const line of text) expect(line).not.toMatch(/[\p{Cc}\u202e]/u);
    expect(text.join('\n')).toContain('line\\n<b>break');
  });

  it('of bytes that are not UTF-8 are said to be unreadable, and end the command with 20', async () => {
    const root = tree({ 'good.sealed': callFile({ people: [MARY] }) });
    const name = Buffer.concat([Buffer.from(`${root}/bad`), Buffer.from([0xff]), Buffer.from('name')]);
    writeFileSync(name, 'hello');
    const { status, stdout, stderr } = await callseal(['report', '--json', root]);
    const { problems, totals } = JSON.parse(stdout.toString());
    expect([status, stderr]).toEqual([20, expect.stringContaining('1 file or directory could not be read')]);
    expect([problems.unreadable.files, totals.callFiles.files]).toEqual([1, 1]);
  });
});

describe('limits', () => {
  it('keeps the first names of a list, whatever the order, and counts all', () => {
    const listing = emptyListing();
    for (let number = 0; number < 1000; number++) {
      const name = String((number * 617) % 1000).padStart(4, '0');
      addTo(listing, name, 2, `message ${name}`);
    }
    expect([listing.files, listing.bytes]).toEqual([1000, 2000]);
    const expected = Array.from({ length: LISTED }, (_, index) => String(index).padStart(4, '0'));
    expect(listing.listed).toEqual(expected.map((file) => ({ file, message: `message ${file}` })));
  });

  it('makes no more rows than there is room for, and counts what is left out', () => {
    const rows = new Rows<{ key: string }>(2);
    const got = ['b', 'a', 'c', 'b', 'd'].map((key) => rows.get(key, () => ({ key }))?.key);
    expect(got).toEqual(['b', 'a', undefined, 'b', undefined]);
    expect([rows.leftOut, rows.sorted((x, y) => (x.key < y.key ? -1 : 1))]).toEqual([2, [{ key: 'a' }, { key: 'b' }]]);
  });

  it('reports on many files, each once', async () => {
    const root = tree({ 'one.sealed': callFile({ people: [MARY, FRED] }), plain: 'x' });
    for (let directory = 0; directory < 20; directory++) {
      mkdirSync(join(root, `d${directory}/e`), { recursive: true });
      for (let file = 0; file < 30; file++) linkSync(join(root, 'one.sealed'), join(root, `d${directory}/e/${file}`));
      linkSync(join(root, 'plain'), join(root, `d${directory}/plain`));
    }
    const found = await report(root);
    expect([found.totals.callFiles.files, found.problems.plaintext.files]).toEqual([601, 21]);
    expect(found.recipients.map(({ files }) => files)).toEqual([601, 601]);
  });
});

describe('directories', () => {
  it('are given once, and are directories', async () => {
    const root = tree({ 'a/b/file': 'x', 'ab/file': 'x' });
    symlinkSync('a', join(root, 'link'));
    const at = (...names: string[]) => report(...names.map((name) => join(root, name)));
    expect((await at('a', 'ab')).totals.all.files).toBe(2);
    for (const pair of [['a', 'a/b'], ['a/b', 'a'], ['a', 'a'], ['link', 'a'], ['a/b/file']]) {
      expect(await codeOf(() => at(...pair))).toBe('ERR_INVALID_ARGUMENT');
    }
    expect(await codeOf(() => at('nothing'))).toBe('ERR_IO');
  });

  it('may be empty', async () => {
    const found = await report(tempDir());
    expect(found.totals.all).toEqual({ files: 0, bytes: 0 });
    expect(reportText(found).join('\n')).toContain('0 files');
    expect(reportPage(found, '0.0.0')).toContain('0 files');
  });

  it('can be left alone before all is read', async () => {
    const root = tree({ 'one.sealed': callFile({ people: [MARY] }) });
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(reportOn([root], { ...OPTIONS, signal })).rejects.toMatchObject({
      code: 'ERR_ABORTED',
      cause: signal.reason,
    });
  });
});
