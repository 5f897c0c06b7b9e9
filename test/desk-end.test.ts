/** The end of the desk as its page tells it: only what is known; and the address of the next desk in the same tab. */

import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { expect, it } from 'vitest';
import { CHROMIUM, expectAccessible, openPage } from './helpers/browser.ts';
import { closeDesk, startDesk } from './helpers/desk.ts';

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

it.skipIf(CHROMIUM === null)('keys are called forgotten when the desk has said so (needs chromium)', async () => {
  const port = await freePort();
  const first = await startDesk({}, undefined, { port });
  const { page, complaints } = await openPage(first.server.address);
  await page.getByText('No files yet').waitFor();
  await expect.poll(() => first.desk.listeners.size).toBe(1);
  first.desk.listeners.close(); // the line breaks; the desk runs on
  await page.getByRole('heading', { name: 'Connection lost' }).waitFor();
  expect(await page.getByRole('main').textContent()).toContain('has not said that it forgot the keys');
  await expectAccessible(page, 'a connection that is lost');
  await page.reload();
  await expect.poll(() => first.desk.listeners.size).toBe(1);
  await closeDesk(first);
  await page.getByRole('heading', { name: 'Closed' }).waitFor();
  expect(await page.getByRole('main').textContent()).toContain('Keys are forgotten');

  const second = await startDesk({}, undefined, { port });
  await page.goto(second.server.address);
  await page.getByText('No files yet').waitFor();
  expect(new URL(page.url()).hash).toBe('');
  expect(second.server.address).toMatch(/#$/);
  // What the page asked the first desk for when that was gone already.
  expect(complaints.filter((text) => !text.includes('ERR_CONNECTION_REFUSED'))).toEqual([]);
});
