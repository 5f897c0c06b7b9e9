/** The tuning workflow in Chromium: files, certificates, keys and passphrases, listening, reading, saving. */

import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { wavHeader } from '../lib/desk/audio/wav-header.ts';
import { Recipients } from '../lib/recipients/recipients.ts';
import { CHROMIUM, expectAccessible, expectReflow, openPage, picture } from './helpers/browser.ts';
import { closeDesk, seal, startDesk, type TestDesk } from './helpers/desk.ts';
import { smallDisk } from './helpers/files.ts';
import { type KeyPair, makeKeyPair } from './helpers/keys.ts';
import { tempDir } from './helpers/temp.ts';

const PASSPHRASE = 'correct horse';
const SECONDS = 90;
const WAV = Buffer.concat([
  wavHeader({ tag: 1, channels: 1, sampleRate: 8000, bitsPerSample: 16 }, SECONDS * 16_000),
  Buffer.alloc(SECONDS * 16_000),
]);
const BINARY = randomBytes(20_000);
const GSM = readFileSync(join(import.meta.dirname, 'fixtures/desk/tones.gsm'));
const disk = smallDisk(256);
const XML = '<?xml version="1.0"?>\n<result>Zürich <b>not markup</b></result>\n';

let mary: KeyPair;
let lucy: KeyPair;
let stranger: KeyPair;
let root: string;
let dropped: string;

beforeAll(async () => {
  const keys = tempDir();
  mary = makeKeyPair(keys, { name: 'mary' });
  lucy = makeKeyPair(keys, { name: 'lucy', passphrase: PASSPHRASE });
  stranger = makeKeyPair(keys, { name: 'stranger' });
  const both = await Recipients.load([mary.certificate, lucy.certificate]);
  root = tempDir();
  dropped = tempDir();
  mkdirSync(join(root, 'monday'));
  await seal(root, 'call-1.wav.sealed', WAV, both);
  await seal(root, 'call-2.ulaw.sealed', Buffer.alloc(40_000, 0xff), both);
  await seal(root, 'call-10.gsm.sealed', GSM, both);
  await seal(root, 'monday/result.xml.sealed', Buffer.from(XML), both);
  await seal(root, 'monday/model.sealed', BINARY, both);
  truncateSync(await seal(root, 'cut.wav.sealed', WAV, both), 1_000_000);
  const damaged = readFileSync(await seal(root, 'damaged.wav.sealed', WAV, both));
  damaged[100_000]! ^= 1;
  writeFileSync(join(root, 'damaged.wav.sealed'), damaged);
  const later = readFileSync(await seal(root, 'broken-later.wav.sealed', WAV, both));
  later[1_300_000]! ^= 1;
  writeFileSync(join(root, 'broken-later.wav.sealed'), later);
  await seal(dropped, 'dropped.txt.sealed', Buffer.from('a dropped file'), both);
  writeFileSync(join(dropped, 'plain.txt'), 'plain');
});

afterAll(() => {
  if (typeof disk !== 'string') disk.release(true);
});

/** The browser may not read the next file that is looked at. */
const UNREADABLE = `{
  const { text } = Blob.prototype;
  Blob.prototype.text = () => ((Blob.prototype.text = text), Promise.reject(new DOMException('', 'NotReadableError')));
}`;

const choose = (page: Page, name: string) => page.getByRole('option', { name }).click();
const give = (page: Page, { privateKey }: KeyPair) =>
  page.setInputFiles('input[aria-label="Private key file"]', privateKey);
const detail = (page: Page) => page.getByRole('region', { name: 'The file' });

/** Lets a file fall on the page. */
async function dropOn(page: Page, path: string): Promise<void> {
  const bytes = readFileSync(path).toString('base64');
  const transfer = await page.evaluateHandle(
    `(() => {
      const bytes = Uint8Array.from(atob(${JSON.stringify(bytes)}), (c) => c.charCodeAt(0));
      const transfer = new DataTransfer();
      transfer.items.add(new File([bytes], ${JSON.stringify(basename(path))}));
      return transfer;
    })()`,
  );
  await page.dispatchEvent('body', 'drop', { dataTransfer: transfer });
}

/** What the player knows once it can play. */
async function played(page: Page): Promise<number> {
  const audio = page.locator('audio');
  await audio.waitFor();
  return audio.evaluate(
    (element) =>
      new Promise<number>((resolve, reject) => {
        const media = element as unknown as { duration: number; readyState: number; muted: boolean } & EventTarget & {
            play(): Promise<void>;
          };
        media.muted = true;
        media.addEventListener('error', () => reject(new Error('the player failed')));
        media.addEventListener('timeupdate', () => resolve(media.duration));
        media.play().catch(reject);
      }),
  );
}

describe.skipIf(CHROMIUM === null)('the desk in a browser (needs chromium)', () => {
  let test: TestDesk;
  let page: Page;
  let complaints: string[];

  beforeAll(async () => {
    test = await startDesk({ paths: [root], keys: [lucy.privateKey], outputDir: join(tempDir(), 'out') });
    ({ page, complaints } = await openPage(test.server.address));
  });

  it('shows for whom each file was encrypted before any key is given', async () => {
    await page.getByRole('option').first().waitFor();
    const names = await page.locator('[role=option] .name').allTextContents();
    expect(names.slice(1, 4)).toEqual(['call-1.wav.sealed', 'call-2.ulaw.sealed', 'call-10.gsm.sealed']);
    await expectAccessible(page, 'files listed');
    await choose(page, 'call-1.wav.sealed');
    await detail(page).getByText('Give the private key that belongs to one of these certificates').waitFor();
    expect(await detail(page).locator('.recipients strong').allTextContents()).toEqual(['mary', 'lucy']);
    expect(new URL(page.url()).hash).toBe('');
    await expectAccessible(page, 'a file without a key');
    await picture(page, 'file-without-key');
  });

  it('says which key is wrong, and which passphrase', async () => {
    await give(page, stranger);
    await page.getByText('Wrong key for these files').waitFor();
    await give(page, { ...mary, privateKey: mary.certificate });
    await page.getByText('This is no private key that opens files').waitFor();
    await give(page, lucy);
    const field = page.getByLabel('Passphrase of');
    await field.fill('wrong');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').getByText('Wrong passphrase').waitFor();
    expect(await field.inputValue()).toBe('');
    expect(await field.evaluate((element) => element.matches(':focus'))).toBe(true);
    await expectAccessible(page, 'a wrong passphrase');
    await picture(page, 'wrong-passphrase');
    await field.fill(PASSPHRASE);
    await page.keyboard.press('Enter');
    await page.getByText(/lucy_private.key is open and fits 8 files/).waitFor();
  });

  it('plays WAV, µ-law and GSM, each for as long as it is', async () => {
    await choose(page, 'call-1.wav.sealed');
    expect(await played(page)).toBeCloseTo(SECONDS, 1);
    await expectAccessible(page, 'sound');
    await picture(page, 'sound');
    await choose(page, 'call-2.ulaw.sealed');
    await detail(page).getByText('G.711 µ-law, 8 kHz, mono').waitFor();
    expect(await played(page)).toBeCloseTo(5, 1);
    await choose(page, 'call-10.gsm.sealed');
    await detail(page).getByText('GSM 06.10, 8 kHz, mono').waitFor();
    expect(await played(page)).toBeCloseTo(4, 1);
  });

  it('shows text as text and everything else byte by byte', async () => {
    await choose(page, 'monday/result.xml.sealed');
    const text = page.getByRole('region', { name: 'Text' });
    await text.waitFor();
    expect(await text.textContent()).toBe(XML);
    await expectAccessible(page, 'text');
    await choose(page, 'monday/model.sealed');
    const dump = page.getByRole('region', { name: 'Bytes' });
    await dump.waitFor();
    const line = (at: number) =>
      BINARY.subarray(at, at + 8)
        .toString('hex')
        .replace(/(..)(?=.)/g, '$1 ');
    expect(await dump.textContent()).toContain(`00000000  ${line(0)}`);
    await page.getByLabel('Byte', { exact: true }).fill('19999');
    await page.keyboard.press('Enter');
    await page.getByText('Bytes 16,384 to 19,999 of 20,000').waitFor();
    await expect.poll(() => dump.textContent()).toContain(`00004000  ${line(16_384)}`);
    await expectAccessible(page, 'bytes');
    await picture(page, 'bytes');
  });

  it('says what is incomplete and what is damaged, and gives only what is authentic', async () => {
    await choose(page, 'cut.wav.sealed');
    await detail(page).getByText('This file is not complete').waitFor();
    await page.getByRole('button', { name: 'Open what is there' }).click();
    await page.getByText('This is the beginning of the file').waitFor();
    expect(await played(page)).toBeLessThan(65);
    await expectAccessible(page, 'an incomplete file');
    await choose(page, 'damaged.wav.sealed');
    await detail(page).getByRole('alert').getByText('This file is damaged or was altered').waitFor();
    expect(await page.locator('audio').count()).toBe(0);
    await expectAccessible(page, 'a damaged file');
    await picture(page, 'damaged');
    await choose(page, 'broken-later.wav.sealed');
    await page.locator('audio').waitFor();
    await page.locator('audio').evaluate((element) => {
      const media = element as unknown as { currentTime: number };
      media.currentTime = 80;
    });
    await detail(page).getByRole('alert').getByText('This file is damaged or was altered').waitFor();
  });

  it('saves one file through the browser, and all of them into a directory', async () => {
    await choose(page, 'monday/model.sealed');
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Save', exact: true }).click(),
    ]);
    expect(download.suggestedFilename()).toBe('model');
    expect(readFileSync(await download.path()).equals(BINARY)).toBe(true);
    await page.getByText('Every byte is authentic.').waitFor();
    await page.getByRole('button', { name: /^Save 7 decrypted files to/ }).click();
    await page.getByText('5 of 7 files saved, 2 not').waitFor();
    expect(await page.locator('.failures').textContent()).toContain('broken-later.wav.sealed: this file is damaged');
    await expectAccessible(page, 'files saved');
    await picture(page, 'saved');
    await page.reload();
    await page.getByText('5 of 7 files saved, 2 not').waitFor();
    await expectReflow(page);
  });

  it('takes dropped files, of which only what is encrypted leaves the browser', async () => {
    const files = ['dropped.txt.sealed', 'plain.txt'].map((name) => join(dropped, name));
    await page.setInputFiles('input[aria-label="Add files…"]', files);
    await page.getByText('plain.txt is not an encrypted Callseal file').waitFor();
    await choose(page, 'dropped.txt.sealed');
    await page.getByRole('region', { name: 'Text' }).getByText('a dropped file').waitFor();
    await expectAccessible(page, 'a dropped file');
    await page.getByRole('button', { name: 'Take away' }).click();
    await dropOn(page, join(dropped, 'dropped.txt.sealed'));
    await choose(page, 'dropped.txt.sealed');
    await page.getByRole('region', { name: 'Text' }).getByText('a dropped file').waitFor();
    await page.getByRole('button', { name: 'Take away' }).click();
    await page.getByText('No file chosen').waitFor();
  });

  it('forgets keys at once, and everything when it is closed', async () => {
    await choose(page, 'call-2.ulaw.sealed');
    await page.locator('audio').waitFor();
    await page.getByRole('button', { name: 'Forget all' }).click();
    await page.locator('audio').waitFor({ state: 'detached' });
    expect(test.desk.keys.list().map(({ locked }) => locked)).toEqual([true]);
    await page.reload();
    await page.getByRole('option').first().waitFor(); // the session outlives that
    await page.getByRole('button', { name: 'Close the desk' }).click();
    await page.getByRole('heading', { name: 'Closed' }).waitFor();
    expect(await test.desk.ended).toBe('closed');
    await expectAccessible(page, 'the end');
    expect(complaints).toEqual([]);
    expect(test.troubles).toEqual([]);
    await closeDesk(test);
  });

  it('can be used by keyboard alone', async () => {
    const desk = await startDesk({ paths: [root], keys: [lucy.privateKey] });
    const { page: keyed } = await openPage(desk.server.address);
    await keyed.getByRole('option').first().waitFor();
    const tabTo = async (what: string) => {
      for (let n = 0; n < 30; n++) {
        await keyed.keyboard.press('Tab');
        const focused = await keyed.evaluate(
          '(document.activeElement.getAttribute("aria-label") ?? document.activeElement.textContent).trim()',
        );
        if (focused === what) return;
      }
      throw new Error(`the tab key never comes to ${what}`);
    };
    await tabTo('Encrypted files');
    await keyed.keyboard.press('ArrowDown');
    await keyed.keyboard.press('End');
    expect(await keyed.locator('[aria-selected=true] .name').textContent()).toBe('monday/result.xml.sealed');
    await tabTo(`Open ${lucy.privateKey}`);
    await keyed.keyboard.press('Enter');
    await keyed.locator('#passphrase:focus').waitFor();
    await keyed.keyboard.type(PASSPHRASE);
    await keyed.keyboard.press('Enter');
    await keyed.getByRole('region', { name: 'Text' }).waitFor();
    await tabTo('Bytes');
    await keyed.keyboard.press('Space');
    await keyed.getByRole('region', { name: 'Bytes' }).waitFor();
    await keyed.close();
  });

  it('closes what was opened for a file that is no longer looked at', async () => {
    const desk = await startDesk({ paths: [root], keys: [mary.privateKey] });
    const { page: quick } = await openPage(desk.server.address);
    let late: (() => Promise<void>) | undefined;
    await quick.route('**/api/files/*/open', async (route) => {
      if (late !== undefined) return route.continue();
      late = () => route.continue();
    });
    await choose(quick, 'call-1.wav.sealed');
    await expect.poll(() => late).toBeDefined();
    await choose(quick, 'monday/result.xml.sealed');
    await quick.getByRole('region', { name: 'Text' }).waitFor();
    const closed = quick.waitForResponse((response) => response.request().method() === 'DELETE');
    await late!();
    const handle = new URL((await closed).url()).pathname.split('/').pop()!;
    expect(() => desk.desk.contents.get(handle)).toThrow(/closed/);
    await give(quick, lucy);
    await quick.getByLabel('Passphrase of').fill(PASSPHRASE);
    await quick.keyboard.press('Enter');
    await quick.getByText('lucy_private.key is open').waitFor();
    await quick.getByRole('button', { name: `Forget ${mary.privateKey}` }).click();
    const again = quick.getByRole('button', { name: `Open ${mary.privateKey}` });
    await again.waitFor(); // the other key has opened it anew
    await quick.getByRole('button', { name: 'Bytes' }).click();
    await quick.getByRole('region', { name: 'Bytes' }).waitFor();
    await again.click(); // it has no passphrase to ask for
    await quick.getByRole('button', { name: `Forget ${mary.privateKey}` }).waitFor();
    await quick.close();
  });

  it('sends what is dropped one after the other, and stops all of it', async () => {
    const desk = await startDesk();
    const { page: sending } = await openPage(desk.server.address);
    const held: (() => Promise<void>)[] = [];
    await sending.route('**/api/drop?*', (route) => void held.push(() => route.continue()));
    const add = (...names: string[]) =>
      sending.setInputFiles(
        'input[aria-label="Add files…"]',
        names.map((name) => join(root, name)),
      );
    await add('call-10.gsm.sealed', 'call-2.ulaw.sealed');
    await expect.poll(() => held.length).toBe(1);
    await add('monday/model.sealed');
    await sending.getByText('0 of 3 files').waitFor();
    await held[0]!();
    await expect.poll(() => held.length).toBe(2);
    await sending.getByRole('button', { name: 'Stop' }).click();
    await sending.getByRole('button', { name: 'Stop' }).waitFor({ state: 'detached' });
    await add('monday/result.xml.sealed');
    await expect.poll(() => held.length).toBe(3);
    await held[2]!();
    await sending.getByRole('option', { name: 'result.xml.sealed' }).waitFor();
    expect(await sending.locator('[role=option] .name').allTextContents()).toEqual([
      'call-10.gsm.sealed',
      'result.xml.sealed',
    ]);
    await sending.unrouteAll();
    await sending.evaluate(UNREADABLE);
    const named = (name: string) => ({ name, mimeType: '', buffer: Buffer.from('CALLSEAL') });
    await sending.setInputFiles('input[aria-label="Add files…"]', ['x', 'a', '\u200b', 'b'].map(named));
    await sending.getByText('x is not an encrypted Callseal file, or cannot be read').waitFor();
    await sending.getByRole('alert').getByText('2 of 3 files not sent').waitFor();
    await sending.close();
  });

  it.skipIf(typeof disk === 'string')('says that a disk is full (needs a small file system)', async () => {
    if (typeof disk === 'string') return;
    process.env.TMPDIR = disk.dir;
    try {
      const desk = await startDesk();
      const { page: full } = await openPage(desk.server.address);
      await full.setInputFiles('input[aria-label="Add files…"]', join(root, 'call-1.wav.sealed'));
      await full.getByRole('alert').getByText('no space is left on the device').waitFor();
      await full.close();
    } finally {
      delete process.env.TMPDIR;
    }
  });

  it('keeps no passphrase that was typed and not sent', async () => {
    const other = makeKeyPair(tempDir(), { name: 'other', passphrase: PASSPHRASE });
    const desk = await startDesk({ keys: [lucy.privateKey, other.privateKey] });
    const { page: typing } = await openPage(desk.server.address);
    const field = typing.getByLabel('Passphrase of');
    await typing.getByRole('button', { name: `Open ${lucy.privateKey}` }).click();
    await field.fill('half of a pass');
    await typing.getByRole('button', { name: `Open ${other.privateKey}` }).click();
    await typing.getByText('other_private.key', { exact: false }).nth(1).waitFor();
    await expect.poll(() => field.inputValue()).toBe('');
    await field.fill('half of a pass');
    const input = await field.elementHandle();
    await typing.getByRole('button', { name: 'Cancel' }).click();
    await field.waitFor({ state: 'detached' });
    expect(await input!.evaluate((element) => (element as unknown as { value: string }).value)).toBe('');
    await typing.close();
  });

  it('opens for nobody else: neither a second time nor in another tab', async () => {
    const desk = await startDesk({ paths: [root] });
    const { address } = desk.server;
    const first = await openPage(address);
    await first.page.getByRole('option').first().waitFor();
    const tab = await first.context.newPage();
    await tab.goto(new URL(address).origin);
    await tab.getByText('This page belongs to another tab').waitFor();
    const second = await openPage(address);
    await second.page.getByText('this address was used before').waitFor();
    await expectAccessible(second.page, 'no session');
  });
});
