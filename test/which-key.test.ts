/** Which of several keys open a file, in the API and in `callseal which-key`. */

import { copyFileSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { encrypt, KeyRing, Passphrase, Recipients, whichKey } from '../lib/index.ts';
import { callseal, onTerminal } from './helpers/cli.ts';
import { codeOf } from './helpers/errors.ts';
import { makeKeyPair } from './helpers/keys.ts';
import { mapCallFile } from './helpers/regions.ts';
import { tempDir } from './helpers/temp.ts';

const PASSPHRASE = 'correct horse';
const MARY = 'mary_private.key';
const FRED = 'fred_private.key';
const HANK = 'hank_private.key';

let cwd: string;
let forBoth: Buffer;
let forFred: Buffer;
let forNobody: Buffer;
let rings: { mary: KeyRing; fred: KeyRing; hank: KeyRing };

/** Fred's certificate lies beside his key, Hank's key lies alone; both are encrypted. */
beforeAll(async () => {
  cwd = tempDir();
  const mary = makeKeyPair(cwd, { name: 'mary' });
  const fred = makeKeyPair(cwd, { name: 'fred', passphrase: PASSPHRASE });
  const elsewhere = tempDir();
  const hank = makeKeyPair(elsewhere, { name: 'hank', passphrase: PASSPHRASE });
  const stranger = makeKeyPair(elsewhere, { name: 'stranger' });
  writeFileSync(at('right'), `${PASSPHRASE}\n`);
  writeFileSync(at('wrong'), 'battery staple\n');
  copyFileSync(hank.privateKey, at(HANK));
  const seal = async (...certificates: string[]): Promise<Buffer> =>
    Buffer.from(await encrypt(Buffer.from('a call'), { recipients: await Recipients.load(certificates) }));
  forBoth = await seal(mary.certificate, fred.certificate);
  forFred = await seal(fred.certificate);
  forNobody = await seal(stranger.certificate, hank.certificate);
  mkdirSync(at('tree/day'), { recursive: true });
  writeFileSync(at('tree/both.sealed'), forBoth);
  writeFileSync(at('tree/cut.sealed'), forBoth.subarray(0, -1)); // the body is not looked at
  writeFileSync(at('tree/day/fred.sealed'), forFred);
  writeFileSync(at('tree/day/none.sealed'), forNobody);
  writeFileSync(at('tree/day/plain.txt'), 'not encrypted');
  const passphrases = [Passphrase.fromBytes(Buffer.from(PASSPHRASE))];
  rings = {
    mary: new KeyRing([at(MARY)]),
    fred: new KeyRing([at(FRED)], { passphrases }),
    hank: new KeyRing([at(HANK)], { passphrases }),
  };
});

afterAll(() => {
  for (const ring of Object.values(rings)) ring.destroy();
});

const at = (name: string): string => join(cwd, name);

describe('whichKey', () => {
  it('names every key that opens a file, and proves it', async () => {
    const found = await whichKey(at('tree/both.sealed'), { keys: [rings.hank, rings.fred, rings.mary] });
    expect(found.opens.map(({ ring }) => ring)).toEqual([1, 2]);
    expect(new Set(found.recipients.map(({ keyId }) => keyId))).toEqual(new Set(found.opens.map(({ keyId }) => keyId)));
    expect([found.proved, found.closed, found.fileBytes]).toEqual([true, [], forBoth.length]);
    const none = await whichKey(at('tree/day/none.sealed'), { keys: [rings.fred, rings.mary] });
    expect([none.opens, none.recipients.length]).toEqual([[], 2]);
  });

  it('notices entries and recipients that were altered, which ids alone do not show', async () => {
    const { fields, macOffset } = mapCallFile(forBoth);
    const offsets = [fields.indexOf('entry content') + 40, macOffset - 3, macOffset + 5, 20];
    for (const offset of offsets) {
      const altered = Buffer.from(forBoth);
      altered[offset]! ^= 1;
      writeFileSync(at('altered.sealed'), altered);
      expect(await codeOf(() => whichKey(at('altered.sealed'), { keys: [rings.mary] }))).toBe('ERR_TAMPERED');
      const quick = await whichKey(at('altered.sealed'), { keys: [rings.mary], quick: true });
      expect([quick.proved, quick.opens.length]).toEqual([false, 1]);
    }
  });

  it('quickly asks for no passphrase where a certificate tells', async () => {
    const asked: string[] = [];
    const ask = (path: string): null => {
      asked.push(path);
      return null;
    };
    using fred = new KeyRing([at(FRED)], { passphrases: [ask] });
    using hank = new KeyRing([at(HANK)], { passphrases: [ask] });
    const options = { keys: [fred, hank], quick: true };
    expect((await whichKey(at('tree/both.sealed'), options)).opens.map(({ ring }) => ring)).toEqual([0]);
    expect(asked).toEqual([at(HANK)]);
    expect((await whichKey(at('tree/both.sealed'), { keys: [fred] })).closed).toMatchObject([
      { ring: 0, error: { code: 'ERR_PASSPHRASE_REQUIRED' } },
    ]);
    expect(asked).toEqual([at(HANK), at(FRED)]);
    const other = await whichKey(at('tree/day/none.sealed'), { keys: [fred] });
    expect([other.opens, other.closed]).toEqual([[], []]);
  });

  it('refuses what is no call file, and arguments that make no sense', async () => {
    expect(await codeOf(() => whichKey(at('tree/day/plain.txt'), { keys: [rings.mary] }))).toBe('ERR_NOT_CALLSEAL');
    expect(await codeOf(() => whichKey(at('nothing'), { keys: [rings.mary] }))).toBe('ERR_IO');
    expect(await codeOf(() => whichKey(at('x'), { keys: rings.mary as never }))).toBe('ERR_INVALID_ARGUMENT');
    expect(await codeOf(() => whichKey(at('x'), { keys: ['x'] as never }))).toBe('ERR_INVALID_ARGUMENT');
  });
});

describe('callseal which-key', () => {
  const run = (...args: string[]) => callseal(['which-key', ...args], { cwd });

  it('sums a tree up, and names what no key opens', async () => {
    const { status, stdout, stderr } = await run('-k', MARY, '-k', FRED, '--passphrase-file', 'right', '-R', 'tree');
    const lines = stdout.toString().split('\n');
    expect(lines[0]).toMatch(/^tree\/day\/none\.sealed: none of these keys; encrypted for .*CN=stranger/);
    expect(lines[1]).toMatch(/^mary_private\.key: opens 2 files \(.*\), key id [0-9a-f]{64}$/);
    expect(lines[2]).toMatch(/^fred_private\.key: opens 3 files/);
    expect(lines[3]).toMatch(/^none of these keys opens 1 file/);
    expect(stderr).toContain('4 files looked at');
    expect(status).toBe(5);
  });

  it('writes one JSON document', async () => {
    const { status, stdout } = await run('-k', MARY, '--json', '-R', 'tree');
    const { files, keys, passedOver } = JSON.parse(stdout.toString());
    expect([status, passedOver]).toEqual([5, 1]);
    expect(files.map(({ file, exitCode, keys: opened }: never) => [file, exitCode, opened])).toEqual([
      ['tree/both.sealed', 0, [MARY]],
      ['tree/cut.sealed', 0, [MARY]],
      ['tree/day/fred.sealed', 5, []],
      ['tree/day/none.sealed', 5, []],
    ]);
    expect(files[0]).toMatchObject({ error: null, proved: true, fileBytes: forBoth.length });
    expect(files[3].error.code).toBe('ERR_NO_MATCHING_KEY');
    expect(files[3].encryptedFor.map(({ subject }: { subject: string }) => subject)).toEqual([
      expect.stringContaining('CN=stranger'),
      expect.stringContaining('CN=hank'),
    ]);
    const bytes = 2 * forBoth.length - 1;
    expect(keys).toEqual([{ key: MARY, keyId: expect.any(String), files: 2, bytes, exitCode: 0, error: null }]);
  });

  it('answers for one file', async () => {
    const good = await run('-k', MARY, 'tree/both.sealed');
    expect([good.status, good.stdout.toString()]).toEqual([0, `tree/both.sealed: opens with ${MARY}\n`]);
    const quick = await run('-k', FRED, '--quick', 'tree/day/fred.sealed');
    expect(quick.stdout.toString()).toBe(`tree/day/fred.sealed: opens with ${FRED} (key ids compared, not proved)\n`);
    expect(quick.stderr).toBe('');
    const none = await run('-k', MARY, 'tree/day/fred.sealed');
    expect([none.status, none.stdout.toString()]).toEqual([5, expect.stringContaining('none of these keys')]);
    expect((await run('-k', MARY, 'tree/day/plain.txt')).status).toBe(9);
  });

  it('says of a key that stays closed that its answer is not known', async () => {
    const { status, stdout, stderr } = await run('-k', MARY, '-k', FRED, '--passphrase-file', 'wrong', '-R', 'tree');
    expect(status).toBe(6);
    expect(stdout.toString()).toContain(`${FRED}: not opened, so what it opens is not known`);
    expect(stdout.toString()).toMatch(/^mary_private\.key: opens 2 files/m);
    expect(stderr).toMatch(/tree\/day\/fred\.sealed: .*passphrase/);
    expect(stderr).toContain('1 failed');
  });

  it('says that a key was not tried only where a certificate says that it is another', async () => {
    const closed = await run('-k', FRED, 'tree/day/fred.sealed');
    expect([closed.status, closed.stderr]).toEqual([6, expect.not.stringContaining('was not tried')]);
    const other = await run('-k', FRED, 'tree/day/none.sealed');
    expect([other.status, other.stderr]).toEqual([5, expect.stringContaining(`key ${FRED} was not tried`)]);
  });

  it('asks only for the passphrase that is needed', async () => {
    const keys = ['-k', MARY, '-k', FRED];
    const { status, screen } = await onTerminal(['which-key', ...keys, 'tree/both.sealed', 'tree/cut.sealed'], {
      cwd,
      answers: [{ after: /fred_private\.key: /, type: `${PASSPHRASE}\n` }],
    });
    expect([status, screen]).toEqual([0, expect.stringMatching(/fred_private\.key: opens 2 files/)]);
    const quick = await onTerminal(['which-key', ...keys, '--quick', 'tree/both.sealed'], { cwd });
    expect([quick.status, quick.screen]).toEqual([0, expect.not.stringContaining('Passphrase')]);
  });

  it('leaves the tree as it is', () => {
    expect(readdirSync(at('tree'), { recursive: true }).sort()).toEqual(
      ['both.sealed', 'cut.sealed', 'day', 'day/fred.sealed', 'day/none.sealed', 'day/plain.txt'].sort(),
    );
  });
});
