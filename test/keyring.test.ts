/** Which key is opened, who is asked for a passphrase and how often, and what is said when nothing opens. */

import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';

import {
  CallsealError,
  decrypt,
  encrypt,
  KeyRing,
  Passphrase,
  type PassphraseSource,
  Recipients,
} from '../lib/index.ts';
import { pairingStem } from '../lib/recipients/key-hints.ts';
import { codeOf, refusalOf } from './helpers/errors.ts';
import { bundle, type KeyPair, makeKeyPair } from './helpers/keys.ts';
import { tempDir } from './helpers/temp.ts';

const SECRET = 'mypass';
let dir: string;
let mary: KeyPair;
let fred: KeyPair;
let plain: KeyPair;
let forMary: Uint8Array;
let forBoth: Uint8Array;
let forPlain: Uint8Array;

/** Key files asked for, by name and attempt, in order. */
let asked: string[];

/** Answers the attempts one after the other; then gives up. */
function answering(...answers: (string | null)[]): PassphraseSource {
  return (path, attempt) => {
    asked.push(`${basename(path)} ${attempt}`);
    const answer = answers[attempt - 1] ?? null;
    return answer === null ? null : secret(answer);
  };
}

function secret(text: string): Passphrase {
  return Passphrase.fromBytes(Buffer.from(text));
}

async function sealFor(...pairs: KeyPair[]): Promise<Uint8Array> {
  const recipients = await Recipients.load(pairs.map(({ certificate }) => certificate));
  return encrypt(Buffer.from('hello'), { recipients });
}

async function expectOpens(sealed: Uint8Array, keys: KeyRing): Promise<void> {
  expect(Buffer.from(await decrypt(sealed, { keys })).toString()).toBe('hello');
}

beforeAll(async () => {
  const home = tempDir();
  forMary = await sealFor(makeKeyPair(home, { name: 'mary', passphrase: SECRET }));
  forPlain = await sealFor(makeKeyPair(home, { name: 'plain' }));
  forBoth = await sealFor(
    makeKeyPair(home, { name: 'mary', passphrase: SECRET }),
    makeKeyPair(home, { name: 'fred', passphrase: SECRET }),
  );
});

beforeEach(() => {
  dir = tempDir();
  mary = makeKeyPair(dir, { name: 'mary', passphrase: SECRET });
  fred = makeKeyPair(dir, { name: 'fred', passphrase: SECRET });
  plain = makeKeyPair(dir, { name: 'plain' });
  asked = [];
});

/** Takes the certificates away, so that nothing tells what is in a key file. */
function withoutHints(...pairs: KeyPair[]): void {
  for (const { certificate } of pairs) rmSync(certificate);
}

describe('a passphrase is asked for', () => {
  it('only for the key that a certificate beside it says to fit', async () => {
    const keys = new KeyRing([fred.privateKey, mary.privateKey], { passphrases: [answering(SECRET)] });
    await expectOpens(forMary, keys);
    expect(asked).toEqual(['mary_private.key 1']);
  });

  it('only for the key that a certificate in the same file says to fit', async () => {
    withoutHints(fred);
    const both = bundle(join(dir, 'both.pem'), mary.privateKey, mary.certificate);
    const keys = new KeyRing([fred.privateKey, both], { passphrases: [answering(SECRET)] });
    await expectOpens(forMary, keys);
    expect(asked).toEqual(['both.pem 1']);
  });

  it('for keys nothing is known of in turn, after those that fit', async () => {
    withoutHints(fred, mary);
    const keys = new KeyRing([fred.privateKey, mary.privateKey], { passphrases: [answering(SECRET)] });
    await expectOpens(forMary, keys);
    expect(asked).toEqual(['fred_private.key 1', 'mary_private.key 1']);
  });

  it('never when an unencrypted key opens the file', async () => {
    const sealed = await sealFor(mary, plain);
    const keys = new KeyRing([mary.privateKey, plain.privateKey], { passphrases: [answering(SECRET)] });
    await expectOpens(sealed, keys);
    expect(asked).toEqual([]);
  });

  it('once, however many files follow and however many are opened at once', async () => {
    const keys = new KeyRing([mary.privateKey], { passphrases: [answering(SECRET)] });
    await Promise.all(Array.from({ length: 10 }, () => expectOpens(forMary, keys)));
    await expectOpens(forBoth, keys);
    expect(asked).toEqual(['mary_private.key 1']);
  });

  it('three times when it is wrong, counting', async () => {
    const keys = new KeyRing([mary.privateKey], { passphrases: [answering('a', 'b', SECRET)] });
    await expectOpens(forMary, keys);
    expect(asked).toEqual(['mary_private.key 1', 'mary_private.key 2', 'mary_private.key 3']);
  });

  it('not a fourth time, nor again for the next file', async () => {
    const keys = new KeyRing([mary.privateKey], { passphrases: [answering('a', 'b', 'c', SECRET)] });
    for (const sealed of [forMary, forBoth]) {
      const error = await refusalOf(() => decrypt(sealed, { keys }));
      expect(error).toMatchObject({ code: 'ERR_WRONG_PASSPHRASE', path: mary.privateKey });
      expect(error.message).toContain(mary.privateKey);
      expect(error.message).not.toContain(SECRET);
    }
    expect(asked).toHaveLength(3);
  });

  it('after those at hand were tried', async () => {
    const keys = new KeyRing([{ path: mary.privateKey, passphrases: [answering(SECRET), secret('wrong')] }]);
    await expectOpens(forMary, keys);
    expect(asked).toEqual(['mary_private.key 1']);
    asked = [];
    const better = new KeyRing([{ path: mary.privateKey, passphrases: [answering(SECRET), secret(SECRET)] }]);
    await expectOpens(forMary, better);
    expect(asked).toEqual([]);
  });

  it('first of what was given for the key, then of what was given for all', async () => {
    const source = { path: mary.privateKey, passphrases: [answering(null)] };
    await expectOpens(forMary, new KeyRing([source], { passphrases: [answering(SECRET)] }));
    expect(asked).toEqual(['mary_private.key 1', 'mary_private.key 1']);
  });

  it('of functions that take their time', async () => {
    const slowly: PassphraseSource = async () => new Promise((resolve) => setTimeout(resolve, 5, secret(SECRET)));
    await expectOpens(forMary, new KeyRing([mary.privateKey], { passphrases: [slowly] }));
  });
});

describe('when nothing opens', () => {
  it('a missing passphrase is told, with the key', async () => {
    const error = await refusalOf(() => decrypt(forMary, { keys: new KeyRing([mary.privateKey]) }));
    expect(error).toMatchObject({ code: 'ERR_PASSPHRASE_REQUIRED', path: mary.privateKey });
  });

  it('somebody who gives up is told what is needed', async () => {
    const keys = new KeyRing([mary.privateKey], { passphrases: [answering(null)] });
    expect(await codeOf(() => decrypt(forMary, { keys }))).toBe('ERR_PASSPHRASE_REQUIRED');
    expect(asked).toEqual(['mary_private.key 1']);
  });

  it('a wrong passphrase of a key that fits is told before anybody is asked for others', async () => {
    withoutHints(fred);
    const keys = new KeyRing([fred.privateKey, { path: mary.privateKey, passphrases: [secret('wrong')] }], {
      passphrases: [answering(null)],
    });
    expect(await refusalOf(() => decrypt(forMary, { keys }))).toMatchObject({
      code: 'ERR_WRONG_PASSPHRASE',
      path: mary.privateKey,
    });
    expect(asked).toEqual(['mary_private.key 1']);
  });

  it('another key that fits is tried when the passphrase of the first is wrong', async () => {
    const keys = new KeyRing([
      { path: mary.privateKey, passphrases: [secret('wrong')] },
      { path: fred.privateKey, passphrases: [secret(SECRET)] },
    ]);
    await expectOpens(forBoth, keys);
  });

  it('a wrong passphrase goes before a missing one', async () => {
    withoutHints(mary, fred);
    const keys = new KeyRing([mary.privateKey, { path: fred.privateKey, passphrases: [secret('wrong')] }]);
    expect(await refusalOf(() => decrypt(forMary, { keys }))).toMatchObject({
      code: 'ERR_WRONG_PASSPHRASE',
      path: fred.privateKey,
    });
  });

  it('keys of other people are ERR_NO_MATCHING_KEY, naming those it was encrypted for', async () => {
    const error = await refusalOf(() => decrypt(forBoth, { keys: new KeyRing([plain.privateKey]) }));
    expect(error.code).toBe('ERR_NO_MATCHING_KEY');
    expect(error.message).toMatch(/certificate .*CN=mary.*; certificate .*CN=fred/);
  });

  it('an empty ring is ERR_NO_MATCHING_KEY', async () => {
    expect(await codeOf(() => decrypt(forMary, { keys: new KeyRing([]) }))).toBe('ERR_NO_MATCHING_KEY');
  });

  it('a key passed over for the certificate beside it is named', async () => {
    renameSync(fred.certificate, mary.certificate);
    const keys = new KeyRing([mary.privateKey], { passphrases: [answering(SECRET)] });
    const error = await refusalOf(() => decrypt(forMary, { keys }));
    expect(error.code).toBe('ERR_NO_MATCHING_KEY');
    expect(error.message).toContain(
      `key ${mary.privateKey} was not tried, as the certificate beside it, ${mary.certificate}`,
    );
    expect(asked).toEqual([]);
  });

  it('what a function throws is what the caller gets', async () => {
    const mine = new Error('no terminal here');
    const keys = new KeyRing([mary.privateKey], { passphrases: [() => Promise.reject(mine)] });
    await expect(decrypt(forMary, { keys })).rejects.toBe(mine);
  });

  it('a function that is interrupted ends the search', async () => {
    const interrupted = new CallsealError('ERR_ABORTED', 'interrupted');
    const interrupt: PassphraseSource = (path) => {
      asked.push(basename(path));
      throw interrupted;
    };
    const keys = new KeyRing([mary.privateKey, fred.privateKey], { passphrases: [interrupt] });
    await expect(decrypt(forBoth, { keys })).rejects.toBe(interrupted);
    expect(asked).toEqual(['mary_private.key']);
  });
});

describe('a key file that cannot be read', () => {
  it.each<[string, () => string, string]>([
    ['is missing', () => join(dir, 'missing.key'), 'ERR_IO'],
    ['holds only a certificate', () => mary.certificate, 'ERR_KEY_UNREADABLE'],
    ['holds something else', () => writeIn('odd.key', 'hello'), 'ERR_KEY_UNREADABLE'],
    ['is empty', () => writeIn('odd.key', ''), 'ERR_KEY_UNREADABLE'],
  ])('because it %s is told when nothing else opens', async (_what, path, code) => {
    const error = await refusalOf(() => decrypt(forPlain, { keys: new KeyRing([path()]) }));
    expect(error.code).toBe(code);
    expect(error.message).toContain(path());
    await expectOpens(forPlain, new KeyRing([path(), plain.privateKey]));
  });

  it('is tried again for the next file', async () => {
    const late = join(dir, 'late.key');
    const keys = new KeyRing([late]);
    expect(await codeOf(() => decrypt(forPlain, { keys }))).toBe('ERR_IO');
    renameSync(plain.privateKey, late);
    await expectOpens(forPlain, keys);
  });

  function writeIn(name: string, content: string): string {
    writeFileSync(join(dir, name), content);
    return join(dir, name);
  }
});

describe('names pair', () => {
  it.each([
    ['my_private.key', 'my_cert.crt'],
    ['my_private.key', 'my.crt'],
    ['my_private.key', 'my.pem'],
    ['My-Private.KEY', 'my_certificate.CRT'],
    ['mary.smith.key', 'mary.smith.crt'],
    ['private.key', 'cert.crt'],
    ['site.priv.pem', 'site.pub.pem'],
    ['server-key.pem', 'server-cert.pem'],
  ])('%s with %s', (key, certificate) => {
    expect(pairingStem(key)).toBe(pairingStem(certificate));
  });

  it.each([
    ['mary_private.key', 'fred_cert.crt'],
    ['mary_private.key', 'cert.crt'],
    ['mary2_private.key', 'mary_cert.crt'],
    ['monkey.key', 'mon.crt'],
  ])('not: %s with %s', (key, certificate) => {
    expect(pairingStem(key)).not.toBe(pairingStem(certificate));
  });
});

describe('the directory of a key file', () => {
  it('may hold traps under names that pair', async () => {
    execFileSync('mkfifo', [join(dir, 'mary.crt')]);
    mkdirSync(join(dir, 'mary.pem'));
    writeFileSync(join(dir, 'mary.pub'), 'hello');
    const keys = new KeyRing([fred.privateKey, mary.privateKey], { passphrases: [answering(SECRET)] });
    await expectOpens(forMary, keys);
    expect(asked).toEqual(['mary_private.key 1']);
  });

  it('may be crowded: then nothing may be known, and the key opens all the same', async () => {
    for (let index = 0; index < 5000; index++) writeFileSync(join(dir, `call-${index}`), '');
    await expectOpens(forMary, new KeyRing([mary.privateKey], { passphrases: [answering(SECRET)] }));
  });

  it('may hold the key of somebody else under a name that pairs', async () => {
    bundle(join(dir, 'mary.pem'), fred.privateKey, fred.certificate);
    const keys = new KeyRing([mary.privateKey], { passphrases: [answering(SECRET)] });
    await expectOpens(forMary, keys);
    rmSync(mary.certificate);
    await expectOpens(forMary, new KeyRing([mary.privateKey], { passphrases: [answering(SECRET)] }));
  });
});

describe('altered key ids', () => {
  /** Where the key id of an entry begins, found by the id itself. */
  function alterKeyId(sealed: Uint8Array, index: number, ids: string[]): Buffer {
    const altered = Buffer.from(sealed);
    const at = altered.indexOf(Buffer.from(ids[index]!, 'hex'));
    altered[at]! ^= 1;
    return altered;
  }

  it('are told as such while few entries have to be tried, and cost no more', { timeout: 120_000 }, async () => {
    const pairs = Array.from({ length: 10 }, (_, index) => makeKeyPair(dir, { name: `person${index}` }));
    const recipients = await Recipients.load(pairs.map(({ certificate }) => certificate));
    const ids = recipients.list.map(({ keyId }) => keyId);
    const sealed = await encrypt(Buffer.from('hello'), { recipients });
    const codeFor = (index: number) => {
      const keys = new KeyRing([pairs[index]!.privateKey]);
      return codeOf(() => decrypt(alterKeyId(sealed, index, ids), { keys }));
    };
    expect(await codeFor(0)).toBe('ERR_TAMPERED');
    expect(await codeFor(7)).toBe('ERR_TAMPERED');
    expect(await codeFor(8)).toBe('ERR_NO_MATCHING_KEY');
  });
});

describe('a ring', () => {
  it('opens nothing when it is made', async () => {
    const keys = new KeyRing([join(dir, 'none.key'), mary.privateKey], { passphrases: [answering(SECRET)] });
    expect(keys.opened()).toEqual([]);
    expect(asked).toEqual([]);
  });

  it('opens nothing after it was destroyed, and its keys are of no use', async () => {
    const keys = new KeyRing([plain.privateKey]);
    await expectOpens(forPlain, keys);
    const [key] = keys.opened();
    keys.destroy();
    expect(keys.opened()).toEqual([]);
    expect(await codeOf(() => decrypt(forPlain, { keys }))).toBe('ERR_KEY_USE');
    expect(await codeOf(() => key!.unwrap(new Uint8Array(256)))).toBe('ERR_KEY_USE');
  });

  it('that is destroyed while somebody types gives up the key', async () => {
    let typed: (passphrase: Passphrase) => void = () => undefined;
    let begun: () => void = () => undefined;
    const asking = new Promise<void>((resolve) => {
      begun = resolve;
    });
    const waiting = new Promise<Passphrase>((resolve) => {
      typed = resolve;
    });
    const ask = (): Promise<Passphrase> => {
      begun();
      return waiting;
    };
    const keys = new KeyRing([mary.privateKey], { passphrases: [ask] });
    const pending = codeOf(() => decrypt(forMary, { keys }));
    await asking;
    keys.destroy();
    typed(secret(SECRET));
    expect(await pending).toBe('ERR_KEY_USE');
    expect(keys.opened()).toEqual([]);
  });

  it.each(['wrong', null])('that is destroyed asks for nothing more, whatever the answer: %s', async (answer) => {
    withoutHints(mary, fred);
    const ask: PassphraseSource = (path, attempt) => {
      keys.destroy();
      asked.push(`${basename(path)} ${attempt}`);
      return answer === null ? null : secret(answer);
    };
    const keys = new KeyRing([mary.privateKey, fred.privateKey], { passphrases: [ask, ask] });
    expect(await codeOf(() => decrypt(forMary, { keys }))).toBe('ERR_KEY_USE');
    expect(asked).toEqual(['mary_private.key 1']);
  });

  it('is destroyed at the end of its scope', async () => {
    const keys = new KeyRing([plain.privateKey]);
    await expectOpens(forPlain, keys);
    const [key] = keys.opened();
    keys[Symbol.dispose]();
    expect(await codeOf(() => key!.unwrap(new Uint8Array(256)))).toBe('ERR_KEY_USE');
    const other = new KeyRing([plain.privateKey]);
    await other[Symbol.asyncDispose]();
    expect(await codeOf(() => decrypt(forPlain, { keys: other }))).toBe('ERR_KEY_USE');
  });

  it('says nothing of what the key files hold', async () => {
    const keys = new KeyRing([plain.privateKey]);
    await expectOpens(forPlain, keys);
    const line = readFileSync(plain.privateKey, 'utf8').split('\n')[1]!;
    expect(JSON.stringify([keys, keys.opened(), keys.notes])).not.toContain(line.slice(0, 20));
  });
});
