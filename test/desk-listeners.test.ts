/** Pages that listen: one that is slow is told the last of each kind, and nothing heaps up for it. */

import { createServer, get, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { Listeners } from '../lib/desk/listeners.ts';
import type { DeskEvent, SaveView } from '../lib/desk/protocol.ts';

const EVENTS = 20_000;
const FAILURES = Array.from({ length: 20 }, (_, file) => ({
  ...{ file, name: 'call.sealed' },
  problem: { code: 'ERR_IO' as const, message: 'x'.repeat(100) },
}));

const saved = (done: number): SaveView => ({
  ...{ running: true, total: EVENTS, done, saved: 0, failures: FAILURES, failed: 20, cancelled: false },
});

/** Listeners, and a page that listens and reads nothing yet. */
async function slowPage() {
  const listeners = new Listeners(() => undefined);
  const responses: ServerResponse[] = [];
  const server = createServer((_, response) => {
    responses.push(response);
    listeners.add(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const slow = await new Promise<IncomingMessage>((resolve) => get({ host: '127.0.0.1', port, agent: false }, resolve));
  return { listeners, responses, server, slow };
}

it('nothing heaps up for a page that does not read, and it hears how it ended', async () => {
  const { listeners, responses, server, slow } = await slowPage();
  for (let done = 1; done <= EVENTS; done++) {
    if (done === 10) listeners.tell({ event: 'keys' });
    listeners.tell({ event: 'save', save: saved(done) });
    if (done % 1000 === 0) await sleep(1);
  }
  expect(responses[0]!.writableLength).toBeLessThan(1 << 20);
  const heard: DeskEvent[] = [];
  for await (const line of createInterface({ input: slow })) {
    const event = JSON.parse(line) as DeskEvent;
    heard.push(event);
    if (event.event === 'save' && event.save.done === EVENTS) break;
  }
  expect(heard.length).toBeLessThan(EVENTS);
  expect(heard.filter(({ event }) => event === 'keys')).toHaveLength(1);
  slow.destroy();
  listeners.close();
  server.close();
});

it('nothing is written behind the end, when something happens while a slow page is told of it', async () => {
  const { listeners, responses, server, slow } = await slowPage();
  const problem = { code: 'ERR_KEY_USE' as const, message: 'closed'.repeat(200_000) };
  while (!responses[0]!.writableNeedDrain) {
    listeners.tell({ event: 'broken', handle: 'a', what: 'save', problem });
    await sleep(1);
  }
  const failures: unknown[] = [];
  responses[0]!.on('error', (error) => failures.push(error));
  const ending = listeners.end();
  listeners.tell({ event: 'broken', handle: 'b', what: 'save', problem });
  await ending;
  expect(failures).toEqual([]);
  slow.destroy();
  listeners.close();
  server.close();
});
